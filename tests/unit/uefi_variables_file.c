/* The file of UEFI variables: made once, read back, locked, and what is said of a wrong one. */
#include "core/hw/uefi_variables_file.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "scratch.h"

#define SIZE 8192u

struct fixture {
	struct scratch scratch;
	char path[128];
	uint8_t cells[SIZE];
	struct variables_file file;
	bool fresh;
	struct cause cause;
};

static int setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	if (scratch_create(&f.scratch) < 0)
		return -1;
	setenv("XDG_STATE_HOME", f.scratch.folder, 1);
	snprintf(f.path, sizeof(f.path), "%s/vmdeck/uefi/web.fd", f.scratch.folder);
	memset(f.cells, 0x11, SIZE);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[sizeof(f->scratch.folder) + 16];

	variables_file_close(&f->file);
	snprintf(command, sizeof(command), "rm -r %s", f->scratch.folder);
	return system(command);
}

static int open_it(struct fixture *f)
{
	*f->cause.text = '\0';
	return variables_file_open(&f->file, "web", f->cells, SIZE, &f->fresh, &f->cause);
}

static void expect_cause(struct fixture *f, const char *text)
{
	assert_memory_equal(f->cause.text, f->path, strlen(f->path));
	if (!strstr(f->cause.text, text))
		fail_msg("no '%s' in '%s'", text, f->cause.text);
}

static void it_is_made_once(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(variables_file_check("web", SIZE, &f->cause), 0);
	assert_int_equal(open_it(f), 0);
	assert_true(f->fresh);
	assert_string_equal(f->file.path, f->path);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, SIZE);
	assert_true(st.st_blocks * 512 >= SIZE);
	assert_int_equal(variables_file_write(&f->file, 5, "abc", 3), 0);
	assert_int_equal(variables_file_sync(&f->file), 0);
	variables_file_close(&f->file);
	assert_int_equal(variables_file_check("web", SIZE, &f->cause), 0);
	memset(f->cells, 0, SIZE);
	assert_int_equal(open_it(f), 0);
	assert_false(f->fresh);
	assert_memory_equal(f->cells, "\x11\x11\x11\x11\x11" "abc\x11", 9);
	assert_int_equal(f->cells[SIZE - 1], 0x11);
}

static void it_is_nobody_elses(void **state)
{
	struct fixture *f = *state;
	struct variables_file other;
	bool fresh;

	assert_int_equal(open_it(f), 0);
	assert_int_equal(variables_file_open(&other, "web", f->cells, SIZE, &fresh, &f->cause),
			 -EBUSY);
	expect_cause(f, "variables");
	variables_file_close(&other);
	variables_file_close(&f->file);
	assert_int_equal(open_it(f), 0);
}

static void another_size_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(open_it(f), 0);
	variables_file_close(&f->file);
	assert_int_equal(truncate(f->path, SIZE - 1), 0);
	assert_int_equal(open_it(f), -EINVAL);
	expect_cause(f, " has 8191 bytes, and UEFI variables of this firmware have 8192; ");
	assert_int_equal(variables_file_check("web", SIZE, &f->cause), -EINVAL);
	expect_cause(f, " has 8191 bytes, and UEFI variables of this firmware have 8192; ");
}

static void what_is_no_file_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(open_it(f), 0);
	variables_file_close(&f->file);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_int_equal(open_it(f), -EINVAL);
	expect_cause(f, " is not a file; move it away");
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(symlink("/proc/version", f->path), 0);
	assert_true(open_it(f) < 0);
	expect_cause(f, "");
}

/* Half a file is not left behind. */
static void one_that_finds_no_room_is_not_made(void **state)
{
	struct fixture *f = *state;
	struct rlimit limit, small;
	char command[256];

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small = (struct rlimit){ 4096, limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(open_it(f), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	expect_cause(f, ": cannot be made: File too large");
	snprintf(command, sizeof(command), "cd %s/vmdeck/uefi && test -z \"$(ls)\"",
		 f->scratch.folder);
	assert_int_equal(system(command), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_made_once),
		TEST(it_is_nobody_elses),
		TEST(another_size_is_refused),
		TEST(what_is_no_file_is_refused),
		TEST(one_that_finds_no_room_is_not_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

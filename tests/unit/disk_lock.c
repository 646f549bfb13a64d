/* Locks on images: between our own disks, and with qemu-img and qemu-io where installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>

#include <cmocka.h>

#include "core/disk/disk.h"
#include "core/disk/holder.h"
#include "scratch.h"

struct fixture {
	struct scratch scratch;
	struct loop loop;
	struct disk_ring *ring;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || scratch_create(&f->scratch) < 0 ||
	    scratch_image(&f->scratch, "x.img", 65536) < 0 || loop_init(&f->loop, NULL) < 0 ||
	    disk_ring_create(&f->ring, &f->loop, NULL) < 0)
		return -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = { "x.img", "other.img", "copy.img", "out", NULL };
	struct fixture *f = *state;
	int r;

	disk_ring_destroy(f->ring);
	loop_destroy(&f->loop);
	r = scratch_remove(&f->scratch, files);
	free(f);
	return r;
}

static int open_as(struct fixture *f, const char *guest, struct disk **disk, bool readonly,
		   struct cause *cause)
{
	struct disk_config config = { .name = "disk0", .path = f->scratch.path, .guest = guest,
				      .readonly = readonly };

	return disk_open(disk, f->ring, &config, cause);
}

static int open_disk(struct fixture *f, struct disk **disk, bool readonly, struct cause *cause)
{
	return open_as(f, "alpha", disk, readonly, cause);
}

static void writers_exclude_each_other(void **state)
{
	struct fixture *f = *state;
	struct disk *first, *second;
	struct cause cause;

	assert_int_equal(open_disk(f, &first, false, NULL), 0);
	assert_int_equal(open_disk(f, &second, false, &cause), -EBUSY);
	assert_non_null(strstr(cause.text, "x.img is the image of disk0 as well; two disks can"));
	assert_int_equal(open_as(f, "beta", &second, false, &cause), -EBUSY);
	assert_non_null(strstr(cause.text, "x.img is in use as disk0 of the guest alpha; stop"));
	assert_int_equal(open_disk(f, &second, true, &cause), -EBUSY);
	disk_close(first);
	assert_int_equal(open_disk(f, &second, false, NULL), 0);
	disk_close(second);
}

static void readers_share(void **state)
{
	struct fixture *f = *state;
	struct disk *first, *second, *writer;
	struct cause cause;

	assert_int_equal(open_disk(f, &first, true, NULL), 0);
	assert_int_equal(open_disk(f, &second, true, NULL), 0);
	assert_int_equal(open_disk(f, &writer, false, &cause), -EBUSY);
	assert_non_null(strstr(cause.text, "both have readonly=yes"));
	disk_close(first);
	assert_int_equal(open_disk(f, &writer, false, &cause), -EBUSY);
	disk_close(second);
	assert_int_equal(open_disk(f, &writer, false, NULL), 0);
	disk_close(writer);
}

/* A second name is the same image; and who fails to open it leaves others' locks as they were. */
static void readers_share_by_file_not_by_name(void **state)
{
	struct fixture *f = *state;
	struct disk *first, *second, *third;
	char other[sizeof(f->scratch.path) + 16];
	struct disk_config config = { .name = "disk1", .path = other, .readonly = true };

	snprintf(other, sizeof(other), "%s/other.img", f->scratch.folder);
	assert_int_equal(link(f->scratch.path, other), 0);
	assert_int_equal(open_disk(f, &first, true, NULL), 0);
	assert_int_equal(disk_open(&second, f->ring, &config, NULL), 0);
	assert_int_equal(truncate(f->scratch.path, 65537), 0);
	assert_int_equal(open_disk(f, &third, true, NULL), -EINVAL);
	assert_int_equal(truncate(f->scratch.path, 65536), 0);
	disk_close(first);
	assert_int_equal(open_disk(f, &third, false, NULL), -EBUSY);
	disk_close(second);
	assert_int_equal(open_disk(f, &third, false, NULL), 0);
	disk_close(third);
}

/* Closing gives the locks back at once, though the ring still knows the file. */
static void closing_unlocks_before_the_ring_ends(void **state)
{
	struct fixture *f = *state;
	struct disk *disk;
	struct disk_ring *other;

	assert_int_equal(disk_ring_create(&other, &f->loop, NULL), 0);
	assert_int_equal(open_disk(f, &disk, false, NULL), 0);
	disk_close(disk);
	disk_ring_destroy(f->ring);
	f->ring = other;
	assert_int_equal(open_disk(f, &disk, false, NULL), 0);
	disk_close(disk);
}

static void read_done(struct disk_request *request, int result)
{
	(void)request;
	if (result < 0)
		_exit(1);
}

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

/* Has the image served, and holds it for ever. */
static void hold(struct fixture *f, bool readonly)
{
	struct disk *disk, *other;
	uint8_t data[512];
	struct iovec iov = { data, sizeof(data) };
	struct disk_request request = { .operation = DISK_READ, .length = sizeof(data), .iov = &iov,
					.iov_count = 1, .done = read_done };

	if (loop_init(&f->loop, NULL) < 0 || disk_ring_create(&f->ring, &f->loop, NULL) < 0 ||
	    open_disk(f, &disk, readonly, NULL) < 0)
		_exit(1);
	if (readonly && open_disk(f, &other, true, NULL) == 0)
		disk_close(other);
	disk_on_batch(disk, stop_loop, &f->loop);
	disk_queue(disk, &request);
	disk_submit(f->ring);
	if (loop_run(&f->loop) < 0)
		_exit(1);
}

/* A process that has the image, until it is killed. */
static pid_t start_holder(struct fixture *f, bool readonly)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct fixture own = { .scratch = f->scratch };

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		hold(&own, readonly);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void the_holder_is_named(void **state)
{
	struct fixture *f = *state;
	struct image_holder holder;
	struct cause cause;
	struct disk *disk;
	struct stat st;
	char words[80];
	int fd = open(f->scratch.path, O_RDONLY);

	assert_int_equal(fstat(fd, &st), 0);
	for (unsigned readonly = 0; readonly < 2; readonly++) {
		pid_t pid = start_holder(f, readonly);

		/* By its mark, which another close of the same image has not taken away. */
		image_find_holder(&holder, fd, &st, false);
		assert_int_equal(holder.pid, pid);
		assert_int_equal(open_disk(f, &disk, false, &cause), -EBUSY);
		snprintf(words, sizeof(words), "x.img is in use by process %d (disk_lock) (it %s",
			 (int)pid, readonly ? "reads it" : "holds a write lock");
		assert_non_null(strstr(cause.text, words));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
	close(fd);
}

/* Its io_uring outlives it and has the locks for a moment. */
static void the_locks_of_the_dead_are_waited_for(void **state)
{
	struct fixture *f = *state;
	struct cause cause = { "" };
	struct disk *disk;

	for (unsigned i = 0; i < 5; i++) {
		pid_t pid = start_holder(f, false);

		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		if (open_disk(f, &disk, false, &cause) < 0)
			fail_msg("%s", cause.text);
		disk_close(disk);
	}
}

/* Runs a shell command in the folder of the images; text gets what it printed. */
static int shell(struct fixture *f, const char *command, char *text, size_t size)
{
	char line[512];
	FILE *pipe;
	size_t n;

	snprintf(line, sizeof(line), "cd %s && { %s; } 2>&1", f->scratch.folder, command);
	pipe = popen(line, "r");
	assert_non_null(pipe);
	n = fread(text, 1, size - 1, pipe);
	text[n] = '\0';
	return pclose(pipe);
}

static bool have(const char *program)
{
	char line[64];

	snprintf(line, sizeof(line), "command -v %s >/dev/null", program);
	if (!system(line))
		return true;
	print_message("skipped: %s is not installed\n", program);
	return false;
}

/* The locks are not the first reader's alone. */
static void qemu_sees_the_reader_that_is_left(void **state)
{
	struct fixture *f = *state;
	struct disk *first, *second;
	char text[2048];

	if (!have("qemu-io"))
		skip();
	assert_int_equal(open_disk(f, &first, true, NULL), 0);
	assert_int_equal(open_disk(f, &second, true, NULL), 0);
	disk_close(first);
	assert_int_not_equal(shell(f, "qemu-io -f raw -c 'write 0 512' x.img", text, sizeof(text)),
			     0);
	assert_non_null(strstr(text, "lock"));
	assert_int_equal(shell(f, "qemu-io -r -f raw -c 'read 0 512' x.img", text, sizeof(text)),
			 0);
	disk_close(second);
	assert_int_equal(shell(f, "qemu-io -f raw -c 'write 0 512' x.img", text, sizeof(text)), 0);
}

static void qemu_sees_our_writer(void **state)
{
	struct fixture *f = *state;
	struct disk *disk;
	char text[2048];

	if (!have("qemu-img") || !have("qemu-io"))
		skip();
	assert_int_equal(open_disk(f, &disk, false, NULL), 0);
	assert_int_not_equal(shell(f, "qemu-io -f raw -c 'write 0 512' x.img", text, sizeof(text)),
			     0);
	assert_non_null(strstr(text, "Failed to get \"write\" lock"));
	assert_int_not_equal(shell(f, "qemu-img resize -f raw x.img 128K", text, sizeof(text)), 0);
	assert_non_null(strstr(text, "lock"));
	assert_int_equal(shell(f, "qemu-img info -U -f raw x.img", text, sizeof(text)), 0);
	disk_close(disk);
	assert_int_equal(shell(f, "qemu-io -f raw -c 'write 0 512' x.img", text, sizeof(text)), 0);
}

/* Exactly what a writer of QEMU's own would do to the same commands. */
static void qemu_treats_us_as_itself(void **state)
{
	static const char *const commands[] = {
		"qemu-img info -f raw x.img",
		"qemu-img convert -f raw -O raw x.img copy.img",
		"qemu-img check -f raw x.img",
		"qemu-io -r -f raw -c 'read 0 512' x.img",
		"qemu-io -f raw -c 'read 0 512' x.img",
	};
	struct fixture *f = *state;
	char text[2048], line[512], theirs[2048];
	struct disk *disk;
	bool ours_failed;

	if (!have("qemu-img") || !have("qemu-io") || !have("qemu-system-x86_64"))
		skip();
	for (unsigned i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		assert_int_equal(open_disk(f, &disk, false, NULL), 0);
		ours_failed = shell(f, commands[i], text, sizeof(text)) != 0;
		disk_close(disk);
		snprintf(line, sizeof(line),
			 "qemu-system-x86_64 -M microvm -accel tcg -nodefaults -display none -S "
			 "-drive file=x.img,format=raw,if=none,id=d "
			 "-device virtio-blk-device,drive=d -daemonize -pidfile out || exit 99; "
			 "%s; r=$?; kill $(cat out); "
			 "while [ -e out ]; do sleep 0.02; done; exit $r",
			 commands[i]);
		if ((shell(f, line, theirs, sizeof(theirs)) != 0) != ours_failed)
			fail_msg("%s: with us: %swith QEMU: %s", commands[i], text, theirs);
	}
}

static void we_see_qemus_writer(void **state)
{
	struct fixture *f = *state;
	struct cause cause;
	struct disk *disk;
	char line[256];
	int ready[2], go[2];
	char byte;
	pid_t pid;

	if (!have("qemu-io"))
		skip();
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	snprintf(line, sizeof(line), "%s", f->scratch.path);
	pid = fork();
	if (!pid) {
		dup2(go[0], STDIN_FILENO);
		dup2(ready[1], STDOUT_FILENO);
		close(go[1]);
		close(ready[0]);
		execlp("qemu-io", "qemu-io", "-f", "raw", line, (char *)NULL);
		_exit(127);
	}
	close(go[0]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1); /* its prompt: the image is open */
	assert_int_equal(open_disk(f, &disk, false, &cause), -EBUSY);
	snprintf(line, sizeof(line), "is in use by process %d (qemu-io) (it holds a write lock)",
		 (int)pid);
	assert_non_null(strstr(cause.text, line));
	assert_int_equal(open_disk(f, &disk, true, &cause), -EBUSY);
	close(go[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ready[0]);
	assert_int_equal(open_disk(f, &disk, false, NULL), 0);
	disk_close(disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(writers_exclude_each_other),
		TEST(readers_share),
		TEST(readers_share_by_file_not_by_name),
		TEST(closing_unlocks_before_the_ring_ends),
		TEST(the_holder_is_named),
		TEST(the_locks_of_the_dead_are_waited_for),
		TEST(qemu_sees_the_reader_that_is_left),
		TEST(qemu_sees_our_writer),
		TEST(qemu_treats_us_as_itself),
		TEST(we_see_qemus_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

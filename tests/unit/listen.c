/* A socket's place in the file system: its folder, its mode, and what is there already. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/endpoint.h"
#include "control/listen.h"
#include "scratch.h"

#define ADVICE "choose another"

static struct scratch scratch;
static struct cause cause;

static int setup(void **state)
{
	(void)state;
	return scratch_create(&scratch);
}

static int teardown(void **state)
{
	(void)state;
	return rmdir(scratch.folder);
}

static const char *path_of(const char *name)
{
	snprintf(scratch.path, sizeof(scratch.path), "%s/%s", scratch.folder, name);
	return scratch.path;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_mode : 0;
}

static void test_folder(void **state)
{
	(void)state;
	/* It is made when it is to be. */
	assert_int_equal(listen_folder(path_of("sockets/a"), false, ADVICE, &cause), 0);
	assert_int_equal(mode_of(path_of("sockets")), 0);
	assert_int_equal(listen_folder(path_of("sockets/a"), true, ADVICE, &cause), 0);
	assert_int_equal(mode_of(path_of("sockets")), S_IFDIR | 0700);
	assert_int_equal(listen_folder(path_of("sockets/a"), true, ADVICE, &cause), 0);
	/* Others may write to it, it is no folder, there is no folder for it. */
	chmod(path_of("sockets"), 0720);
	assert_int_equal(listen_folder(path_of("sockets/a"), false, ADVICE, &cause), -EACCES);
	assert_non_null(strstr(cause.text, "would not be safe; choose another"));
	chmod(path_of("sockets"), 0700);
	rmdir(path_of("sockets"));
	scratch_write(path_of("sockets"), "", 0);
	assert_int_equal(listen_folder(path_of("sockets/a"), true, ADVICE, &cause), -ENOTDIR);
	unlink(path_of("sockets"));
	assert_int_equal(listen_folder(path_of("none/sockets/a"), true, ADVICE, &cause), -ENOENT);
}

static void test_socket(void **state)
{
	char path[200];
	int fd;

	(void)state;
	fd = listen_open(path_of("a"), 1, ADVICE, &cause);
	assert_true(fd >= 0);
	assert_int_equal(mode_of(path_of("a")), S_IFSOCK | 0600);
	assert_int_equal(listen_open(path_of("a"), 1, ADVICE, &cause), -EADDRINUSE);
	assert_non_null(strstr(cause.text, "end it or choose another"));
	/* Whoever listened has ended. */
	close(fd);
	fd = listen_open(path_of("a"), 1, ADVICE, &cause);
	assert_true(fd >= 0);
	close(fd);
	unlink(path_of("a"));
	/* Something else stays. */
	scratch_write(path_of("a"), "mine", 4);
	assert_int_equal(listen_open(path_of("a"), 1, ADVICE, &cause), -EEXIST);
	assert_int_equal(mode_of(path_of("a")) & S_IFMT, S_IFREG);
	unlink(path_of("a"));
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(listen_open(path, 1, ADVICE, &cause), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_socket, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

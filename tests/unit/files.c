/* Room for open files: the limit, and what stays as it was; standard ones that are missing. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/files.h"
#include "open_files.h"

static rlim_t limit(void)
{
	struct rlimit now;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	return now.rlim_cur;
}

static void set_limit(rlim_t soft, rlim_t hard)
{
	const struct rlimit now = { soft, hard };

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
}

/* The hard limit only ever goes down here, so it is one test. */
static void test_reserve(void **state)
{
	unsigned before = open_files();

	(void)state;
	set_limit(256, 2048);
	files_reserve(100);
	assert_int_equal(limit(), 256); /* never less than it was */
	files_reserve(1000);
	assert_int_equal(limit(), 1000);
	files_reserve(100000);
	assert_int_equal(limit(), 2048); /* as far as it may */
	assert_int_equal(open_files(), before);

	/* A table that cannot have any file more is left alone. */
	set_limit(3, 2048);
	files_reserve(3);
	assert_int_equal(limit(), 3);
	set_limit(2048, 2048);
	assert_int_equal(open_files(), before);
}

/* In a process that began with these closed, a bit each: 0, or what is wrong. */
static int fill(unsigned closed)
{
	char byte;

	for (int fd = 0; fd < 3; fd++)
		if (closed & 1u << fd)
			close(fd);
	files_fill_standard();
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			return 1;
	if (closed & 1 && (read(0, &byte, 1) >= 0 || errno != EBADF))
		return 2;
	for (int fd = 1; fd < 3; fd++)
		if (closed & 1u << fd && (write(fd, "x", 1) >= 0 || errno != EBADF))
			return 3;
	return 0;
}

/* No file that is opened later gets the number of a standard one. */
static void standard_files_that_are_closed_have_something_in_their_place(void **state)
{
	unsigned before = open_files();

	(void)state;
	for (unsigned closed = 0; closed < 8; closed++) {
		pid_t pid = fork();
		int status;

		if (!pid)
			_exit(fill(closed) || open_files() != before);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(standard_files_that_are_closed_have_something_in_their_place),
		cmocka_unit_test(test_reserve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

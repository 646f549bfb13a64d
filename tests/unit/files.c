/* Room for open files: the limit, and what stays as it was. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reserve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

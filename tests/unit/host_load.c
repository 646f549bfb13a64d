/* How busy the host is, from files as the kernel writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/host_load.h"

static char root[64];

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/proc/%s", root, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int setup(void **state)
{
	char path[128];

	(void)state;
	strcpy(root, "/tmp/vmdeck-test-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(path, sizeof(path), "%s/proc", root);
	mkdir(path, 0700);
	strcat(path, "/pressure");
	return mkdir(path, 0700);
}

static int teardown(void **state)
{
	static const char *const names[] = { "stat", "pressure/cpu", "pressure/memory", "pressure",
					     "" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/proc/%s", root, names[i]);
		remove(path);
	}
	return remove(root);
}

static void what_the_kernel_says(void **state)
{
	struct host_load load;

	(void)state;
	put("stat", "cpu  100 20 30 4000 50 6 7 8 90 9\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 5\n");
	put("pressure/cpu", "some avg10=12.34 avg60=1.00 avg300=0.00 total=5\n");
	put("pressure/memory", "nonsense\n");
	host_load_read(&load, root);
	/* What guests of this host had is within user and nice. */
	assert_int_equal(load.busy, 100 + 20 + 30 + 6 + 7 + 8);
	assert_int_equal(load.idle, 4000 + 50);
	assert_float_equal(load.cpu_pressure, 12.34, 1e-9);
	assert_true(load.memory_pressure < 0);
	assert_true(load.io_pressure < 0); /* there is no such file */
}

static void what_it_does_not_say(void **state)
{
	struct host_load load;

	(void)state;
	host_load_read(&load, root);
	assert_int_equal(load.busy, 0);
	put("stat", "intr 5\n");
	host_load_read(&load, root);
	assert_int_equal(load.busy, 0);
	put("stat", "cpu  100 x\n");
	host_load_read(&load, root);
	assert_int_equal(load.busy, 100);
	put("stat", "cpu  1 2\n3 4 5 6\n"); /* as an old kernel has it */
	host_load_read(&load, root);
	assert_int_equal(load.busy, 3);
	assert_int_equal(load.idle, 0);
}

static void time_of_several_cpus(void **state)
{
	const struct host_load before = { .busy = 100, .idle = 1000 };
	struct host_load now = { .busy = 150, .idle = 1150 };

	(void)state;
	assert_float_equal(host_load_cpu(&before, &now, 4), 100, 1e-9); /* a quarter of four */
	assert_float_equal(host_load_cpu(&before, &before, 4), 0, 1e-9);
	now.idle = 900; /* it can go back */
	assert_float_equal(host_load_cpu(&before, &now, 4), 400, 1e-9);
	assert_float_equal(host_load_cpu(&now, &before, 4), 0, 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_the_kernel_says, setup, teardown),
		cmocka_unit_test_setup_teardown(what_it_does_not_say, setup, teardown),
		cmocka_unit_test_setup_teardown(time_of_several_cpus, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

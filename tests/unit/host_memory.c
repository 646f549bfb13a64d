/* The host's memory and the limits of control groups, from files as the kernel writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>

#include "base/host_memory.h"

#define MIB (1ull << 20)

static char root[64];

static int setup(void **state)
{
	(void)state;
	strcpy(root, "/tmp/vmdeck-test-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

static void put(const char *file, const char *text)
{
	char command[512];

	snprintf(command, sizeof(command), "mkdir -p $(dirname %s/%s) && printf '%s' >%s/%s", root, file,
		 text, root, file);
	assert_int_equal(system(command), 0);
}

static void put_host(void)
{
	put("proc/meminfo", "MemTotal:        2097152 kB\nMemFree:          524288 kB\n"
	    "MemAvailable:    1048576 kB\nSwapTotal:             0 kB\n");
}

static struct host_memory read_it(void)
{
	struct host_memory memory;

	host_memory_read(&memory, root);
	return memory;
}

static void a_host_has_what_it_says(void **state)
{
	struct host_memory memory;

	(void)state;
	put_host();
	memory = read_it();
	assert_int_equal(memory.total, 2048 * MIB);
	assert_int_equal(memory.available, 1024 * MIB);
	assert_int_equal(memory.limit, 2048 * MIB);
	assert_false(memory.grouped);
}

static void what_is_unknown_sets_no_limit(void **state)
{
	(void)state;
	assert_int_equal(read_it().limit, 0);
	put("proc/meminfo", "nonsense\n");
	put("proc/self/cgroup", "0::\n:::\nmemory\n7:memory\n\n1:memory:/a");
	assert_int_equal(read_it().limit, 0);
}

static void the_lowest_limit_of_a_group_counts(void **state)
{
	(void)state;
	put_host();
	put("proc/self/cgroup", "0::/user.slice/deck.scope\n");
	put("sys/fs/cgroup/user.slice/deck.scope/memory.max", "max\n");
	assert_false(read_it().grouped);
	put("sys/fs/cgroup/user.slice/memory.max", "1073741824\n");
	assert_int_equal(read_it().limit, 1024 * MIB);
	assert_true(read_it().grouped);
	put("sys/fs/cgroup/user.slice/deck.scope/memory.max", "536870912\n");
	assert_int_equal(read_it().limit, 512 * MIB);
	put("sys/fs/cgroup/user.slice/deck.scope/memory.max", "99999999999999\n");
	assert_int_equal(read_it().limit, 1024 * MIB);
	put("sys/fs/cgroup/memory.max", "268435456\n"); /* as a container sees its own */
	assert_int_equal(read_it().limit, 256 * MIB);
}

static void groups_of_version_1_count_too(void **state)
{
	(void)state;
	put_host();
	put("proc/self/cgroup", "9:cpu,cpuacct:/deck\n4:hugetlb,memory:/deck/a\n0::/\n");
	put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	assert_false(read_it().grouped);
	put("sys/fs/cgroup/memory/deck/a/memory.limit_in_bytes", "536870912\n");
	assert_int_equal(read_it().limit, 512 * MIB);
	put("sys/fs/cgroup/memory/deck/memory.limit_in_bytes", "104857600\n");
	assert_int_equal(read_it().limit, 100 * MIB);
}

static void this_host_is_understood(void **state)
{
	struct host_memory memory;
	int fd;

	(void)state;
	host_memory_read(&memory, "");
	assert_true(memory.total >= 64 * MIB && memory.available <= memory.total);
	assert_true(memory.limit && memory.limit <= memory.total);
	fd = host_memory_watch();
	if (fd >= 0)
		close(fd);
	else
		assert_true(access("/proc/pressure/memory", W_OK) < 0 || fd == -EOPNOTSUPP ||
			    fd == -EPERM || fd == -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_host_has_what_it_says, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_unknown_sets_no_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(the_lowest_limit_of_a_group_counts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(groups_of_version_1_count_too, setup, teardown),
		cmocka_unit_test_setup_teardown(this_host_is_understood, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

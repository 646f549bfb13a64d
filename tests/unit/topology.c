/* vCPUs in sockets, cores and threads: what a profile says of them, and their APIC IDs. */
#include "core/profile/topology.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_missing_ones(void **state)
{
	static const struct {
		unsigned cpus, sockets, cores, threads;
		struct topology found;
	} rows[] = {
		{ 1, 0, 0, 0, { 1, 1, 1 } },
		{ 6, 0, 0, 0, { 1, 6, 1 } },
		{ 8, 2, 0, 0, { 2, 4, 1 } },
		{ 8, 0, 2, 0, { 4, 2, 1 } },
		{ 8, 0, 0, 2, { 1, 4, 2 } },
		{ 8, 2, 0, 2, { 2, 2, 2 } },
		{ 8, 0, 2, 2, { 2, 2, 2 } },
		{ 8, 2, 2, 0, { 2, 2, 2 } },
		{ 255, 0, 0, 0, { 1, 255, 1 } },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct profile profile = {
			.cpus = rows[i].cpus, .cpu_sockets = rows[i].sockets,
			.cpu_cores = rows[i].cores, .cpu_threads = rows[i].threads,
		};
		struct topology found;

		assert_int_equal(topology_find(&profile, &found, NULL), 0);
		assert_memory_equal(&found, &rows[i].found, sizeof(found));
	}
}

static void test_mistakes(void **state)
{
	struct profile profile = { .cpus = 5, .cpu_sockets = 2 };
	struct topology found;
	struct cause cause;

	(void)state;
	assert_int_equal(topology_find(&profile, &found, &cause), -EINVAL);
	assert_string_equal(cause.text, "cpu_sockets, cpu_cores and cpu_threads make 2 * 2 * 1 = 4 "
					"vCPUs, but cpus is 5");
	profile = (struct profile){ .cpus = 1, .cpu_cores = 255, .cpu_threads = 255 };
	assert_int_equal(topology_find(&profile, &found, &cause), -EINVAL);
	/* Each socket takes 8 IDs for its 5 cores. */
	profile = (struct profile){ .cpus = 200, .cpu_cores = 5 };
	assert_int_equal(topology_find(&profile, &found, &cause), -EINVAL);
	assert_non_null(strstr(cause.text, "APIC IDs up to 316"));
}

static void test_apic_ids(void **state)
{
	static const struct topology shapes[] = {
		{ 1, 255, 1 }, { 2, 3, 2 }, { 3, 5, 1 }, { 4, 1, 2 }, { 1, 1, 3 }, { 15, 9, 1 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const struct topology *shape = &shapes[i];
		unsigned core = shape->threads, socket = shape->cores * shape->threads;

		for (unsigned cpu = 0; cpu < topology_cpus(shape); cpu++) {
			unsigned id = topology_apic_id(shape, cpu);

			assert_true(!cpu || id > topology_apic_id(shape, cpu - 1));
			/* Shifted, it tells cores and sockets. */
			assert_int_equal(id >> topology_thread_bits(shape) ==
					 topology_apic_id(shape, 0) >> topology_thread_bits(shape),
					 cpu < core);
			assert_int_equal(id >> topology_socket_bits(shape), cpu / socket);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing_ones),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_apic_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

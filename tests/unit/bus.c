/* Buses and guest memory: who answers, what nobody claims, and the bounds of RAM. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/bus/bus.h"
#include "core/kvm/memory.h"
#include "lib/guest_memory.h"

struct probe {
	uint64_t offset;
	unsigned length, writes;
	uint64_t value;
};

static void probe_read(void *device, uint64_t offset, void *data, unsigned length)
{
	struct probe *probe = device;

	probe->offset = offset;
	probe->length = length;
	memset(data, 0x5a, length);
}

static void probe_write(void *device, uint64_t offset, const void *data, unsigned length)
{
	struct probe *probe = device;

	probe->offset = offset;
	probe->length = length;
	probe->writes++;
	memcpy(&probe->value, data, length);
}

static const struct bus_ops first_ops = { "first", probe_read, probe_write };
static const struct bus_ops second_ops = { "second", probe_read, probe_write };

static void range_answers_with_offsets(void **state)
{
	struct bus bus = { 0 };
	struct probe probe = { 0 };
	uint32_t value = 0;

	(void)state;
	assert_int_equal(bus_add(&bus, 0x100, 8, &first_ops, &probe, NULL), 0);
	bus_read(&bus, 0x104, &value, 4);
	assert_int_equal(value, 0x5a5a5a5a);
	assert_int_equal(probe.offset, 4);
	assert_int_equal(probe.length, 4);
	value = 0x1234;
	bus_write(&bus, 0x107, &value, 1);
	assert_int_equal(probe.offset, 7);
	assert_int_equal(probe.value, 0x34);
}

static void nobody_reads_as_ones(void **state)
{
	struct bus bus = { 0 };
	struct probe probe = { 0 };
	uint32_t value = 0;

	(void)state;
	assert_int_equal(bus_add(&bus, 0x100, 8, &first_ops, &probe, NULL), 0);
	bus_read(&bus, 0xfe, &value, 4); /* begins before the range */
	assert_int_equal(value, 0xffffffff);
	bus_write(&bus, 0x106, &value, 4); /* ends behind it */
	assert_int_equal(probe.writes, 0);
	value = 0;
	bus_read(&bus, UINT64_MAX, &value, 4);
	assert_int_equal(value, 0xffffffff);
}

static void overlap_is_refused_by_name(void **state)
{
	struct bus bus = { 0 };
	struct probe probe = { 0 };
	struct cause cause;

	(void)state;
	assert_int_equal(bus_add(&bus, 0x100, 8, &first_ops, &probe, &cause), 0);
	assert_int_equal(bus_add(&bus, 0x107, 1, &second_ops, &probe, &cause), -EEXIST);
	assert_non_null(strstr(cause.text, "first"));
	assert_non_null(strstr(cause.text, "second"));
	assert_int_equal(bus_add(&bus, 0x108, 1, &second_ops, &probe, &cause), 1);
}

static void range_lies_around_others(void **state)
{
	struct bus bus = { 0 };
	struct probe inner = { 0 }, outer = { 0 };
	uint32_t value = 0;

	(void)state;
	assert_int_equal(bus_add(&bus, 0x101, 1, &first_ops, &inner, NULL), 0);
	assert_int_equal(bus_add(&bus, 0x110, 4, &first_ops, &inner, NULL), 1);
	assert_int_equal(bus_add(&bus, 0x100, 8, &second_ops, &outer, NULL), -EEXIST);
	assert_int_equal(bus_add_around(&bus, 0x10c, 8, &second_ops, &outer, NULL), 2);
	assert_int_equal(bus_add_around(&bus, 0x112, 8, &second_ops, &outer, NULL), -EEXIST);
	assert_int_equal(bus_add_around(&bus, 0x100, 8, &second_ops, &outer, NULL), 3);
	bus_write(&bus, 0x101, &value, 1);
	assert_int_equal(inner.writes, 1);
	bus_write(&bus, 0x100, &value, 4);
	bus_write(&bus, 0x101, &value, 2);
	bus_write(&bus, 0x102, &value, 1);
	assert_int_equal(inner.writes, 1);
	assert_int_equal(outer.writes, 3);
}

static void range_moves_and_switches_off(void **state)
{
	struct bus bus = { 0 };
	struct probe probe = { 0 };
	uint8_t value = 0;
	int range;

	(void)state;
	range = bus_add(&bus, BUS_NOWHERE, 0x1000, &first_ops, &probe, NULL);
	assert_int_equal(range, 0);
	bus_write(&bus, 0x2000, &value, 1);
	assert_int_equal(probe.writes, 0);
	bus_move(&bus, range, 0x2000);
	bus_write(&bus, 0x2fff, &value, 1);
	assert_int_equal(probe.writes, 1);
	bus_move(&bus, range, BUS_NOWHERE);
	bus_write(&bus, 0x2000, &value, 1);
	assert_int_equal(probe.writes, 1);
}

static void memory_has_exact_bounds(enum memory_backing backing)
{
	struct memory_survey survey = { 0 };
	struct guest_memory memory;
	uint64_t size = 4u << 20;
	uint32_t word = 0xdeadbeef, back = 0;

	assert_int_equal(memory_create_backed(&memory, 4097, backing, NULL), -EINVAL);
	assert_int_equal(memory_create_backed(&memory, size, backing, NULL), 0);
	assert_non_null(memory_at(&memory, 0, size));
	assert_non_null(memory_at(&memory, size - 1, 1));
	assert_null(memory_at(&memory, size, 1));
	assert_null(memory_at(&memory, 0, size + 1));
	assert_null(memory_at(&memory, 4, UINT64_MAX));
	assert_null(memory_at(&memory, UINT64_MAX, 2));
	assert_null(memory_at(&memory, 0, 0));
	assert_int_equal(memory_write(&memory, size - 4, &word, 4), 0);
	assert_int_equal(memory_write(&memory, size - 3, &word, 4), -EFAULT);
	assert_int_equal(memory_read(&memory, size - 4, &back, 4), 0);
	assert_int_equal(back, word);
	assert_true(memory_resident(&memory, &survey, size) >= 4096);
	memory_clear(&memory);
	assert_int_equal(memory_resident(&memory, &survey, size), 0);
	memory_survey_end(&survey);
	assert_int_equal(memory_read(&memory, size - 4, &back, 4), 0);
	assert_int_equal(back, 0);
	memory_destroy(&memory);
}

/* However many ranges there are, each answers where it is, and moves. */
static void many_ranges(void **state)
{
	struct probe probes[3 * BUS_RANGES_NEAR] = { 0 };
	struct bus bus = { 0 };
	const unsigned count = sizeof(probes) / sizeof(probes[0]);
	uint8_t value = 7;

	(void)state;
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(bus_add(&bus, 0x10 * i, 0x10, &first_ops, &probes[i], NULL), i);
	assert_int_equal(bus_add(&bus, 0x10 * count - 1, 2, &second_ops, probes, NULL), -EEXIST);
	assert_int_equal(bus_add(&bus, 0x200, 2, &second_ops, probes, NULL), -EEXIST);
	for (unsigned i = 0; i < count; i++) {
		bus_write(&bus, 0x10 * i + 3, &value, 1);
		assert_int_equal(probes[i].writes, 1);
		bus_move(&bus, (int)i, 0x10000 + 0x10 * i);
		bus_write(&bus, 0x10 * i + 3, &value, 1);
		assert_int_equal(probes[i].writes, 1);
		bus_write(&bus, 0x10000 + 0x10 * i, &value, 1);
		assert_int_equal(probes[i].writes, 2);
	}
	bus_destroy(&bus);
}

/* Pages are found wherever they are, each call looks at its part only, and the sum stays right. */
static void memory_is_surveyed_in_parts(enum memory_backing backing)
{
	static const uint64_t at[] = { 0, MEMORY_CHUNK - 1, MEMORY_CHUNK, 5 * MEMORY_CHUNK + 4096,
				       MEMORY_LOW_MAX - 1, MEMORY_HIGH_BASE,
				       MEMORY_HIGH_BASE + MEMORY_CHUNK,
				       MEMORY_HIGH_BASE + MEMORY_CHUNK + (1u << 20) - 1 };
	const unsigned places = sizeof(at) / sizeof(at[0]);
	struct memory_survey survey = { 0 };
	struct guest_memory memory;
	uint64_t size = MEMORY_LOW_MAX + MEMORY_CHUNK + (1u << 20), held, last = 0;
	unsigned calls = (unsigned)(size / (1u << 30)) + 1;

	assert_int_equal(memory_create_backed(&memory, size, backing, NULL), 0);
	for (unsigned i = 0; i < memory.count; i++)
		madvise(memory.regions[i].host, memory.regions[i].size, MADV_NOHUGEPAGE);
	for (unsigned i = 0; i < places; i++)
		assert_int_equal(memory_write(&memory, at[i], "x", 1), 0);

	/* What a call has not come to yet is not in its sum; a small guest is seen whole. */
	assert_int_equal(memory_resident(&memory, &survey, 1u << 30), 4 * 4096);
	for (unsigned i = 1; i < calls; i++) {
		held = memory_resident(&memory, &survey, 1u << 30);
		assert_true(held >= last);
		last = held;
	}
	assert_int_equal(last, places * 4096);

	/* Round and round: nothing is counted twice, and what goes is missed. */
	for (unsigned i = 0; i < 500; i++)
		assert_int_equal(memory_resident(&memory, &survey, 1), places * 4096);
	memory_clear(&memory);
	for (unsigned i = 0; i < calls; i++)
		held = memory_resident(&memory, &survey, 1u << 30);
	assert_int_equal(held, 0);
	assert_int_equal(memory_write(&memory, MEMORY_HIGH_BASE, "x", 1), 0);
	assert_int_equal(memory_resident(&memory, &survey, UINT64_MAX), 4096);
	memory_survey_end(&survey);
	memory_destroy(&memory);
}

static void anonymous_memory_has_exact_bounds(void **state)
{
	(void)state;
	memory_has_exact_bounds(MEMORY_ANON);
}

static void shared_memory_has_exact_bounds(void **state)
{
	(void)state;
	memory_has_exact_bounds(MEMORY_MEMFD);
}

static void anonymous_memory_is_surveyed_in_parts(void **state)
{
	(void)state;
	memory_is_surveyed_in_parts(MEMORY_ANON);
}

static void shared_memory_is_surveyed_in_parts(void **state)
{
	(void)state;
	memory_is_surveyed_in_parts(MEMORY_MEMFD);
}

/* What another process maps is the same memory, and no size of the file but its own can be set. */
static void shared_memory_is_a_file_of_one_size(void **state)
{
	uint64_t size = MEMORY_LOW_MAX + (1u << 20);
	struct guest_memory memory;
	char byte;

	(void)state;
	assert_int_equal(memory_create_backed(&memory, size, MEMORY_MEMFD, NULL), 0);
	assert_int_equal(memory_file_offset(&memory, 0), 0);
	assert_int_equal(memory_file_offset(&memory, 1), MEMORY_LOW_MAX);
	assert_int_equal(memory_write(&memory, MEMORY_HIGH_BASE + 7, "x", 1), 0);
	assert_int_equal(pread(memory.fd, &byte, 1, MEMORY_LOW_MAX + 7), 1);
	assert_int_equal(byte, 'x');
	assert_int_equal(ftruncate(memory.fd, 4096), -1);
	assert_int_equal(ftruncate(memory.fd, (off_t)size + 4096), -1);
	memory_destroy(&memory);
}

/* Pages that the guest never touched are not made by saving them. */
static void saving_shared_memory_holds_no_more_of_it(void **state)
{
	struct memory_survey survey = { 0 };
	struct state_writer writer = { 0 };
	uint64_t size = 8u << 20;
	struct guest_memory memory;
	size_t saved;
	uint8_t *data;

	(void)state;
	assert_int_equal(memory_create_backed(&memory, size, MEMORY_MEMFD, NULL), 0);
	assert_int_equal(memory_write(&memory, 0x1000, "x", 1), 0);
	assert_int_equal(memory_write(&memory, size - 1, "x", 1), 0);
	memory_save(&memory, &writer);
	assert_int_equal(state_end(&writer, &data, &saved, NULL), 0);
	assert_true(saved > 2 * 4096 && saved < 4 * 4096);
	assert_int_equal(memory_resident(&memory, &survey, size), 2 * 4096);
	free(data);
	memory_survey_end(&survey);
	memory_destroy(&memory);
}

static void memory_beyond_two_gigabytes_lies_above_four(void **state)
{
	struct guest_memory memory;
	uint64_t size = MEMORY_LOW_MAX + (1u << 20);

	(void)state;
	assert_int_equal(memory_create(&memory, size, NULL), 0);
	assert_non_null(memory_at(&memory, MEMORY_LOW_MAX - 4, 4));
	assert_null(memory_at(&memory, MEMORY_LOW_MAX - 4, 8));
	assert_null(memory_at(&memory, MEMORY_HIGH_BASE - 1, 1));
	assert_non_null(memory_at(&memory, MEMORY_HIGH_BASE, 1u << 20));
	assert_null(memory_at(&memory, MEMORY_HIGH_BASE, (1u << 20) + 1));
	memory_destroy(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(range_answers_with_offsets),
		cmocka_unit_test(nobody_reads_as_ones),
		cmocka_unit_test(overlap_is_refused_by_name),
		cmocka_unit_test(range_lies_around_others),
		cmocka_unit_test(many_ranges),
		cmocka_unit_test(range_moves_and_switches_off),
		cmocka_unit_test(anonymous_memory_has_exact_bounds),
		cmocka_unit_test(shared_memory_has_exact_bounds),
		cmocka_unit_test(anonymous_memory_is_surveyed_in_parts),
		cmocka_unit_test(shared_memory_is_surveyed_in_parts),
		cmocka_unit_test(shared_memory_is_a_file_of_one_size),
		cmocka_unit_test(saving_shared_memory_holds_no_more_of_it),
		cmocka_unit_test(memory_beyond_two_gigabytes_lies_above_four),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

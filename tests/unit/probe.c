/* Frames that find loops: a switch knows its own, and none that was cut, changed or made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/port/probe.h"

static void a_switch_knows_its_own(void **state)
{
	uint8_t frame[PROBE_SIZE + 20] = { 0 };
	char port[NAME_SIZE];

	(void)state;
	probe_write(frame, "lan", "stream0");
	assert_true(probe_read(frame, PROBE_SIZE, "lan", port));
	assert_string_equal(port, "stream0");
	assert_true(probe_read(frame, sizeof(frame), "lan", port)); /* padded on its way */
	assert_false(probe_read(frame, PROBE_SIZE, "la", port));
	assert_false(probe_read(frame, PROBE_SIZE, "lan2", port));
	/* It is flooded, and from an address that may send. */
	assert_memory_equal(frame, "\xff\xff\xff\xff\xff\xff", 6);
	assert_int_equal(frame[6] & 3, 2);
}

static void nothing_else_is_one(void **state)
{
	uint8_t frame[PROBE_SIZE], other[PROBE_SIZE];
	char port[NAME_SIZE];

	(void)state;
	probe_write(frame, "a-name-of-31-characters-length.", "b-name-of-31-characters-length.");
	assert_true(probe_read(frame, PROBE_SIZE, "a-name-of-31-characters-length.", port));
	assert_string_equal(port, "b-name-of-31-characters-length.");
	for (size_t size = 0; size < PROBE_SIZE; size++)
		assert_false(probe_read(frame, size, "a-name-of-31-characters-length.", port));
	/* From the type to the end of the switch's name each byte counts. */
	for (size_t i = 12; i < PROBE_SIZE - NAME_SIZE - 1; i++) {
		memcpy(other, frame, sizeof(other));
		other[i] ^= 1;
		assert_false(probe_read(other, PROBE_SIZE, "a-name-of-31-characters-length.",
					port));
	}
	memset(frame + PROBE_SIZE - NAME_SIZE, 'x', NAME_SIZE);
	assert_true(probe_read(frame, PROBE_SIZE, "a-name-of-31-characters-length.", port));
	assert_int_equal(strlen(port), NAME_SIZE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_switch_knows_its_own),
		cmocka_unit_test(nothing_else_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

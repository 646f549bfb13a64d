/* Frames that find loops: a switch knows its own, and none that was cut, changed,
 * made up or kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/port/probe.h"

static void a_switch_knows_its_own(void **state)
{
	uint8_t frame[PROBE_SIZE + 20] = { 0 };
	struct probes probes = { .next = 0 };
	char port[NAME_SIZE];

	(void)state;
	probe_write(&probes, 1, frame, "lan", "stream0");
	assert_true(probe_read(&probes, 1, frame, PROBE_SIZE, "lan", port));
	assert_string_equal(port, "stream0");
	assert_true(probe_read(&probes, 2, frame, sizeof(frame), "lan", port)); /* padded on its way */
	assert_false(probe_read(&probes, 2, frame, PROBE_SIZE, "la", port));
	assert_false(probe_read(&probes, 2, frame, PROBE_SIZE, "lan2", port));
	assert_false(probe_read(&probes, 2, frame, PROBE_SIZE, "", port));
	/* It is flooded, and from an address that may send. */
	assert_memory_equal(frame, "\xff\xff\xff\xff\xff\xff", 6);
	assert_int_equal(frame[6] & 3, 2);
}

static void nothing_else_is_one(void **state)
{
	uint8_t frame[PROBE_SIZE], other[PROBE_SIZE];
	struct probes probes = { .next = 0 };
	const char *sw = "a-name-of-31-characters-length.";
	char port[NAME_SIZE];

	(void)state;
	memset(frame, 0, sizeof(frame));
	frame[12] = 0x88;
	frame[13] = 0xb5;
	assert_false(probe_read(&probes, 1, frame, PROBE_SIZE, "", port));
	probe_write(&probes, 1, frame, sw, "b-name-of-31-characters-length.");
	assert_true(probe_read(&probes, 1, frame, PROBE_SIZE, sw, port));
	assert_string_equal(port, "b-name-of-31-characters-length.");
	for (size_t size = 0; size < PROBE_SIZE; size++)
		assert_false(probe_read(&probes, 1, frame, size, sw, port));
	/* From the type to the end of the key each byte counts. */
	for (size_t i = 12; i < 14 + PROBE_KEY_SIZE; i++) {
		memcpy(other, frame, sizeof(other));
		other[i] ^= 1;
		assert_false(probe_read(&probes, 1, other, PROBE_SIZE, sw, port));
	}
}

/* Who kept one cannot use it later, nor in the place of another. */
static void one_counts_for_a_while(void **state)
{
	uint8_t first[PROBE_SIZE], other[PROBE_SIZE];
	const uint64_t end = 1 + PROBE_TIME * NS_PER_S;
	struct probes probes = { .next = 0 };
	char port[NAME_SIZE];

	(void)state;
	probe_write(&probes, 1, first, "lan", "tap0");
	assert_true(probe_read(&probes, end - 1, first, PROBE_SIZE, "lan", port));
	assert_false(probe_read(&probes, end, first, PROBE_SIZE, "lan", port));
	probe_write(&probes, end, other, "lan", "tap1");
	assert_memory_not_equal(first + 14, other + 14, PROBE_KEY_SIZE);
	assert_memory_equal(first + 6, other + 6, 6);
	assert_false(probe_read(&probes, end, first, PROBE_SIZE, "lan", port));
	assert_true(probe_read(&probes, end, other, PROBE_SIZE, "lan", port));
	assert_string_equal(port, "tap1");
	/* Of many at once the last ones do. */
	for (unsigned i = 0; i < PROBES_KEPT; i++) {
		assert_true(probe_read(&probes, end, other, PROBE_SIZE, "lan", port));
		probe_write(&probes, end, first, "lan", "tap2");
	}
	assert_false(probe_read(&probes, end, other, PROBE_SIZE, "lan", port));
	assert_true(probe_read(&probes, end, first, PROBE_SIZE, "lan", port));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_switch_knows_its_own),
		cmocka_unit_test(nothing_else_is_one),
		cmocka_unit_test(one_counts_for_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

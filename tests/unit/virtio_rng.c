/* The entropy device, driven over its transport: bytes, odd requests, and the rate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/virtio/rng.h"
#include "lib/device_bench.h"

#define NEEDS_RESET 0x40

static int setup(void **state)
{
	static struct device_bench bench;

	bench_create(&bench, -1);
	devices_start(&bench.set);
	if (!bench_start_driver(&bench, BENCH_RNG, 1, BENCH_EVENT_IDX, true))
		return -1;
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	bench_destroy(*state);
	return 0;
}

static void ask(struct device_bench *bench, uint32_t size)
{
	bench_describe(bench, BENCH_RNG, 0, 0, BENCH_BUFFERS, size, BENCH_WRITE);
	bench_offer(bench, BENCH_RNG, 0, 0);
	bench_kick(bench, BENCH_RNG, 0);
}

/* In two buffers, of which the first ends at an odd place; what lies behind stays. */
static void test_fills(void **state)
{
	struct device_bench *bench = *state;
	uint8_t *bytes = bench_at(bench, BENCH_BUFFERS), first[32];
	unsigned changed = 0;

	memset(bytes, 0, 256);
	for (unsigned round = 1; round <= 2; round++) {
		bench_describe(bench, BENCH_RNG, 0, 0, BENCH_BUFFERS, 13, BENCH_WRITE | BENCH_NEXT);
		bench_describe(bench, BENCH_RNG, 0, 1, BENCH_BUFFERS + 13, 19, BENCH_WRITE);
		bench_offer(bench, BENCH_RNG, 0, 0);
		bench_kick(bench, BENCH_RNG, 0);
		assert_true(bench_wait_used(bench, BENCH_RNG, 0, round));
		assert_int_equal(bench_used_length(bench, BENCH_RNG, 0), 32);
		if (round == 1)
			memcpy(first, bytes, sizeof(first));
	}
	for (unsigned i = 0; i < sizeof(first); i++)
		changed += bytes[i] != first[i];
	assert_in_range(changed, 16, 32);
	for (unsigned i = 32; i < 256; i++)
		assert_int_equal(bytes[i], 0);
}

/* A driver that asks for much gets some of it, and in a second no more than what is said. */
static void test_rate(void **state)
{
	struct device_bench *bench = *state;
	uint64_t begin = clock_monotonic(), ms;
	unsigned i, periods;

	for (i = 1; i <= 3 * RNG_PERIOD_BYTES / RNG_REQUEST_MAX; i++) {
		ask(bench, 0x10000);
		assert_true(bench_wait_used(bench, BENCH_RNG, 0, i));
		assert_int_equal(bench_used_length(bench, BENCH_RNG, 0), RNG_REQUEST_MAX);
	}
	/* The last of the third period could not come before two had passed. */
	ms = (clock_monotonic() - begin) / NS_PER_MS;
	assert_true(ms >= 2 * RNG_PERIOD_MS - 2);

	/* Small ones count as more, for each costs as much. */
	begin = clock_monotonic();
	periods = 2;
	for (unsigned n = 0; n < periods * (RNG_PERIOD_BYTES / RNG_REQUEST_COST) + 1; n++, i++) {
		ask(bench, 1);
		assert_true(bench_wait_used(bench, BENCH_RNG, 0, i & 0xffff));
	}
	ms = (clock_monotonic() - begin) / NS_PER_MS;
	assert_true(ms >= (periods - 1) * RNG_PERIOD_MS);
}

/* What waits for its turn is not lost by a pause, and is answered after it. */
static void test_pause(void **state)
{
	struct device_bench *bench = *state;
	unsigned full = RNG_PERIOD_BYTES / RNG_REQUEST_MAX;

	for (unsigned i = 1; i <= full; i++) {
		ask(bench, RNG_REQUEST_MAX);
		assert_true(bench_wait_used(bench, BENCH_RNG, 0, i));
	}
	ask(bench, 64);
	bench_settle(bench);
	bench_stop(bench);
	assert_int_equal(bench_used(bench, BENCH_RNG, 0), full);
	devices_start(&bench->set);
	assert_true(bench_wait_used(bench, BENCH_RNG, 0, full + 1));
}

static void test_wrong(void **state)
{
	struct device_bench *bench = *state;

	bench_describe(bench, BENCH_RNG, 0, 0, BENCH_BUFFERS, 16, 0);
	bench_offer(bench, BENCH_RNG, 0, 0);
	bench_kick(bench, BENCH_RNG, 0);
	bench_settle(bench);
	assert_true(bench_status(bench, BENCH_RNG) & NEEDS_RESET);
	assert_int_equal(bench_used(bench, BENCH_RNG, 0), 0);
	ask(bench, 64);
	bench_settle(bench);
	assert_int_equal(bench_used(bench, BENCH_RNG, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fills, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pause, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

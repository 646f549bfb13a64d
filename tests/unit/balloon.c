/*
 * The memory balloon, driven over its transport: pages that go back and come again, free
 * ones that are reported, statistics, and drivers that break the rules.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/virtio/balloon.h"
#include "lib/device_bench.h"

#define INFLATE 0
#define DEFLATE 1
#define STATS 2
#define REPORTING 4
#define QUEUES 5

#define F_STATS (1u << 1)
#define F_POISON (1u << 4)
#define F_REPORTING (1u << 5)
#define F_ALL (F_STATS | F_POISON | F_REPORTING | BENCH_EVENT_IDX)

#define NUMBERS (BENCH_BUFFERS + 0x80000)
#define PAGES BENCH_BUFFERS /* 16 of them are marked */
#define MARK 0x5a
#define NEEDS_RESET 0x40

static struct device_bench bench;

static void start_driver(uint32_t features)
{
	assert_true(bench_start_driver(&bench, BENCH_BALLOON, QUEUES, features, true));
	for (unsigned i = 0; i < 16; i++)
		memset(bench_at(&bench, PAGES + i * BALLOON_PAGE), MARK, BALLOON_PAGE);
}

static int setup(void **state)
{
	(void)state;
	bench_create(&bench, -1);
	devices_start(&bench.set);
	start_driver(F_ALL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bench_destroy(&bench);
	return 0;
}

/* Whether page i of PAGES is as it was, all of it; otherwise it must be all zeroes. */
static bool is_marked(unsigned i)
{
	const uint8_t *page = bench_at(&bench, PAGES + i * BALLOON_PAGE);

	for (unsigned n = 1; n < BALLOON_PAGE; n++)
		assert_int_equal(page[n], page[0]);
	assert_true(page[0] == MARK || !page[0]);
	return page[0] == MARK;
}

static void expect_marked(uint32_t marked)
{
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(is_marked(i), marked >> i & 1);
}

/* The numbers of pages are there; gives them to a queue, in two pieces of an odd size. */
static void give_numbers(unsigned queue, unsigned count)
{
	unsigned used = bench_used(&bench, BENCH_BALLOON, queue);

	bench_describe(&bench, BENCH_BALLOON, queue, 0, NUMBERS, 3, BENCH_NEXT);
	bench_describe(&bench, BENCH_BALLOON, queue, 1, NUMBERS + 3, 4 * count - 3, 0);
	bench_offer(&bench, BENCH_BALLOON, queue, 0);
	bench_kick(&bench, BENCH_BALLOON, queue);
	assert_true(bench_wait_used(&bench, BENCH_BALLOON, queue, used + 1));
}

static void put_number(unsigned i, uint32_t page)
{
	memcpy((uint8_t *)bench_at(&bench, NUMBERS) + 4 * i, &page, sizeof(page));
}

static void test_inflate(void **state)
{
	/* A run that rises, one that falls, one alone, the same again; and what is no RAM. */
	static const uint32_t pages[] = { 1, 2, 3, 9, 8, 7, 12, 12 };
	uint32_t last = BENCH_RAM / BALLOON_PAGE;
	unsigned n = 0;

	(void)state;
	for (; n < sizeof(pages) / sizeof(*pages); n++)
		put_number(n, PAGES / BALLOON_PAGE + pages[n]);
	put_number(n++, last);
	put_number(n++, UINT32_MAX);
	put_number(n++, 1u << 20);
	give_numbers(INFLATE, n);
	expect_marked(0xffffu & ~(0x38eu | 1u << 12));

	/* It takes them out, which needs nothing done, and has them. */
	give_numbers(DEFLATE, n);
	expect_marked(0xffffu & ~(0x38eu | 1u << 12));
	assert_int_equal(bench_status(&bench, BENCH_BALLOON) & NEEDS_RESET, 0);
}

/* More than a burst of runs: all of them, one after the other; of one request so many. */
static void test_bounds(void **state)
{
	unsigned n;

	(void)state;
	for (n = 0; n < BALLOON_CHAIN_MAX - 1; n++)
		put_number(n, PAGES / BALLOON_PAGE + (n & 1 ? 3 : 5));
	put_number(n++, PAGES / BALLOON_PAGE + 7);
	put_number(n++, PAGES / BALLOON_PAGE + 8);
	give_numbers(INFLATE, n);
	expect_marked(0xffffu & ~(1u << 3 | 1u << 5 | 1u << 7));
}

static void report(unsigned queue, uint64_t address, uint32_t length)
{
	unsigned used = bench_used(&bench, BENCH_BALLOON, queue);

	bench_describe(&bench, BENCH_BALLOON, queue, 0, address, length, BENCH_WRITE);
	bench_offer(&bench, BENCH_BALLOON, queue, 0);
	bench_kick(&bench, BENCH_BALLOON, queue);
	assert_true(bench_wait_used(&bench, BENCH_BALLOON, queue, used + 1));
}

/* Whole pages alone; by the queue that the specification counts, and by the one drivers do. */
static void test_reporting(void **state)
{
	(void)state;
	report(REPORTING, PAGES + 2 * BALLOON_PAGE, 2 * BALLOON_PAGE);
	expect_marked(0xfff3);
	report(REPORTING - 1, PAGES + 6 * BALLOON_PAGE - 1, 2 * BALLOON_PAGE);
	expect_marked(0xffb3);
	report(REPORTING, PAGES + 9 * BALLOON_PAGE + 1, BALLOON_PAGE - 1);
	expect_marked(0xffb3);
	/* Filled with something else than zeroes, free pages stay as they are. */
	bench_set_config(&bench, BENCH_BALLOON, 12, 0xaaaaaaaa, 4);
	report(REPORTING, PAGES, 4 * BALLOON_PAGE);
	expect_marked(0xffb3);
}

static void look(struct device_memory *memory)
{
	devices_memory(&bench.set, true, memory);
	bench_settle(&bench);
}

static void offer_stats(uint16_t head, uint64_t free)
{
	uint8_t stats[30] = { MEMORY_FREE, 0 };

	memcpy(stats + 2, &free, sizeof(free));
	stats[10] = 200; /* one of the future */
	stats[20] = MEMORY_TOTAL;
	memset(stats + 22, 0xff, 8);
	memcpy(bench_at(&bench, NUMBERS), stats, sizeof(stats));
	bench_describe(&bench, BENCH_BALLOON, STATS, head, NUMBERS, sizeof(stats), 0);
	bench_offer(&bench, BENCH_BALLOON, STATS, head);
	bench_kick(&bench, BENCH_BALLOON, STATS);
	bench_settle(&bench);
}

/* The buffer stays with us until somebody looks. */
static void test_statistics(void **state)
{
	struct device_memory memory;

	(void)state;
	devices_memory(&bench.set, false, &memory);
	assert_true(memory.present && !memory.known);
	offer_stats(0, 1000);
	assert_int_equal(bench_used(&bench, BENCH_BALLOON, STATS), 0);
	devices_memory(&bench.set, false, &memory);
	assert_int_equal(memory.known, 1u << MEMORY_FREE | 1u << MEMORY_TOTAL);
	assert_int_equal(memory.stats[MEMORY_FREE], 1000);
	assert_int_equal(memory.stats[MEMORY_TOTAL], INT64_MAX);
	bench_settle(&bench);
	assert_int_equal(bench_used(&bench, BENCH_BALLOON, STATS), 0);

	look(&memory);
	assert_int_equal(bench_used(&bench, BENCH_BALLOON, STATS), 1);
	offer_stats(0, 2000);
	look(&memory);
	assert_int_equal(memory.stats[MEMORY_FREE], 2000);
	/* It was asked a moment ago. */
	assert_int_equal(bench_used(&bench, BENCH_BALLOON, STATS), 1);

	/* A pause neither loses the buffer nor gives it back. */
	bench_stop(&bench);
	devices_start(&bench.set);
	bench_settle(&bench);
	assert_int_equal(bench_used(&bench, BENCH_BALLOON, STATS), 1);
	assert_int_equal(bench_status(&bench, BENCH_BALLOON) & NEEDS_RESET, 0);
	offer_stats(1, 3000);
	assert_true(bench_status(&bench, BENCH_BALLOON) & NEEDS_RESET);
	bench_stop(&bench);
}

/* A driver that has no statistics: its third queue is nothing. */
static void test_without_statistics(void **state)
{
	struct device_memory memory;

	(void)state;
	start_driver(F_REPORTING);
	look(&memory);
	offer_stats(0, 1000);
	assert_int_equal(bench_used(&bench, BENCH_BALLOON, STATS), 1);
	devices_memory(&bench.set, false, &memory);
	assert_int_equal(memory.known, 0);
}

static void test_size(void **state)
{
	struct device_memory memory;
	struct cause cause;
	uint8_t generation = bench_generation(&bench, BENCH_BALLOON);

	(void)state;
	assert_int_equal(bench_config(&bench, BENCH_BALLOON, 0, 4), 0);
	assert_int_equal(bench_resize(&bench, "balloon", BENCH_RAM / 4, &cause), 0);
	assert_int_equal(bench_config(&bench, BENCH_BALLOON, 0, 4),
			 BENCH_RAM / 4 * 3 / BALLOON_PAGE);
	assert_int_not_equal(bench_generation(&bench, BENCH_BALLOON), generation);
	/* What the driver may not write, and what it may. */
	bench_set_config(&bench, BENCH_BALLOON, 0, 5, 4);
	bench_set_config(&bench, BENCH_BALLOON, 5, 5, 2);
	bench_set_config(&bench, BENCH_BALLOON, 4, 16, 4);
	assert_int_equal(bench_config(&bench, BENCH_BALLOON, 0, 4),
			 BENCH_RAM / 4 * 3 / BALLOON_PAGE);
	devices_memory(&bench.set, false, &memory);
	assert_int_equal(memory.target, BENCH_RAM / 4);
	assert_int_equal(memory.balloon, 16 * BALLOON_PAGE);

	assert_int_equal(bench_resize(&bench, "balloon", BENCH_RAM + 1, &cause), -ERANGE);
	assert_string_equal(cause.text, "balloon: it has 1.0M; a balloon only takes of it");
	assert_int_equal(bench_resize(&bench, "rng", 0, &cause), -EINVAL);
	assert_int_equal(bench_resize(&bench, "balloon1", 0, &cause), -ENOENT);
	/* Another driver begins with an empty one, and the same size to reach. */
	start_driver(F_ALL);
	devices_memory(&bench.set, false, &memory);
	assert_int_equal(memory.target, BENCH_RAM / 4);
	assert_int_equal(memory.balloon, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_inflate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reporting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_statistics, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_statistics, setup, teardown),
		cmocka_unit_test_setup_teardown(test_size, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

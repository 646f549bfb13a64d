/*
 * The virtio console, driven over its transport: what is printed and typed, the size of the
 * window, and drivers that break the rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/virtio/console.h"
#include "lib/device_bench.h"

enum { RX, TX, QUEUES };

#define F_SIZE 1u
#define F_EMERGENCY_WRITE 4u
#define PRINTED BENCH_BUFFERS
#define TYPED (BENCH_BUFFERS + 0xa0000)
#define NEEDS_RESET 0x40

static struct device_bench bench;
static unsigned printed; /* before the test */

static void start_driver(void)
{
	assert_true(bench_start_driver(&bench, BENCH_CONSOLE, QUEUES,
				       F_SIZE | F_EMERGENCY_WRITE | BENCH_EVENT_IDX, true));
}

static int setup(void **state)
{
	(void)state;
	bench_create(&bench, -1);
	devices_start(&bench.set);
	printed = bench_effects.printed;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bench_destroy(&bench);
	return 0;
}

static size_t type(const char *text)
{
	size_t taken = devices_input(&bench.set, CONSOLE_VIRTIO, (const uint8_t *)text,
				     strlen(text));

	bench_settle(&bench);
	return taken;
}

static void offer(unsigned n, unsigned head)
{
	bench_offer(&bench, BENCH_CONSOLE, n, (uint16_t)head);
	bench_kick(&bench, BENCH_CONSOLE, n);
	bench_settle(&bench);
}

/* A buffer for what is typed, in two pieces. */
static void offer_room(uint32_t first, uint32_t second)
{
	memset(bench_at(&bench, TYPED), '.', 0x1000);
	bench_describe(&bench, BENCH_CONSOLE, RX, 0, TYPED, first,
		       BENCH_WRITE | (second ? BENCH_NEXT : 0));
	bench_describe(&bench, BENCH_CONSOLE, RX, 1, TYPED + first, second, BENCH_WRITE);
	offer(RX, 0);
}

static void expect_typed(unsigned used, const char *text)
{
	assert_int_equal(bench_used(&bench, BENCH_CONSOLE, RX), used);
	assert_int_equal(bench_used_length(&bench, BENCH_CONSOLE, RX), strlen(text));
	assert_memory_equal(bench_at(&bench, TYPED), text, strlen(text));
	assert_int_equal(*(char *)bench_at(&bench, TYPED + strlen(text)), '.');
}

/* The last bytes that came out. */
static void expect_printed(const char *text)
{
	size_t size = strlen(text);

	for (size_t i = 0; i < size; i++)
		assert_int_equal(bench_effects.last[(bench_effects.printed - size + i) %
						    sizeof(bench_effects.last)], text[i]);
}

static void test_prints(void **state)
{
	(void)state;
	start_driver();
	memcpy(bench_at(&bench, PRINTED), "hello, world", 12);
	bench_describe(&bench, BENCH_CONSOLE, TX, 0, PRINTED, 7, BENCH_NEXT);
	bench_describe(&bench, BENCH_CONSOLE, TX, 1, PRINTED + 7, 5, 0);
	offer(TX, 0);
	assert_int_equal(bench_used(&bench, BENCH_CONSOLE, TX), 1);
	assert_int_equal(bench_used_length(&bench, BENCH_CONSOLE, TX), 0);
	assert_int_equal(bench_effects.printed - printed, 12);
	expect_printed("hello, world");

	/* More than one turn prints, of few buffers: all of it. */
	printed = bench_effects.printed;
	for (unsigned i = 0; i < BENCH_RING; i++)
		bench_describe(&bench, BENCH_CONSOLE, TX, i, PRINTED, 0x20000, 0);
	for (unsigned i = 0; i < BENCH_RING; i++) {
		bench_offer(&bench, BENCH_CONSOLE, TX, (uint16_t)i);
		bench_kick(&bench, BENCH_CONSOLE, TX);
	}
	assert_true(bench_wait_used(&bench, BENCH_CONSOLE, TX, 1 + BENCH_RING));
	assert_int_equal(bench_effects.printed - printed, BENCH_RING * 0x20000);
}

static void test_typed(void **state)
{
	char much[VIRTIO_CONSOLE_INPUT + 2];

	(void)state;
	/* Nobody reads yet: it waits. */
	assert_int_equal(type("early"), 5);
	start_driver();
	bench_settle(&bench);
	assert_int_equal(bench_used(&bench, BENCH_CONSOLE, RX), 0);
	offer_room(2, 100);
	expect_typed(1, "early");
	offer_room(3, 0);
	assert_int_equal(bench_used(&bench, BENCH_CONSOLE, RX), 1);
	type("typed");
	expect_typed(2, "typ");
	offer_room(1, 4);
	expect_typed(3, "ed");

	/* No more than there is room for, in its order. */
	memset(much, 'm', sizeof(much) - 1);
	much[0] = '<';
	much[VIRTIO_CONSOLE_INPUT - 1] = '>';
	much[sizeof(much) - 1] = '\0';
	assert_int_equal(type(much), VIRTIO_CONSOLE_INPUT);
	assert_int_equal(type("x"), 0);
	offer_room(10, 2000);
	much[VIRTIO_CONSOLE_INPUT] = '\0';
	expect_typed(4, much);
	assert_int_equal(type("x"), 1);
}

static void expect_window(unsigned rows, unsigned columns)
{
	assert_int_equal(bench_config(&bench, BENCH_CONSOLE, 0, 2), columns);
	assert_int_equal(bench_config(&bench, BENCH_CONSOLE, 2, 2), rows);
}

static void test_window(void **state)
{
	uint8_t generation;

	(void)state;
	expect_window(0, 0);
	/* Without a driver there is nobody to be told. */
	generation = bench_generation(&bench, BENCH_CONSOLE);
	devices_window(&bench.set, CONSOLE_VIRTIO, 24, 80);
	expect_window(24, 80);
	assert_int_equal(bench_generation(&bench, BENCH_CONSOLE), generation);
	/* It is told when it first prints, and of every change from the beginning on. */
	start_driver();
	bench_settle(&bench);
	assert_int_equal(bench_generation(&bench, BENCH_CONSOLE), generation);
	bench_describe(&bench, BENCH_CONSOLE, TX, 0, PRINTED, 0, 0);
	for (unsigned i = 0; i < 2; i++) {
		offer(TX, 0);
		assert_int_equal(bench_generation(&bench, BENCH_CONSOLE),
				 (uint8_t)(generation + 1));
	}
	devices_window(&bench.set, CONSOLE_VIRTIO, 50, 132);
	expect_window(50, 132);
	assert_int_equal(bench_generation(&bench, BENCH_CONSOLE), (uint8_t)(generation + 2));
	/* It is not the driver's to write. */
	bench_set_config(&bench, BENCH_CONSOLE, 0, 7, 2);
	expect_window(50, 132);
	assert_int_equal(bench_effects.printed, printed);
}

/* A byte without queues, before there is a driver. */
static void test_emergency(void **state)
{
	(void)state;
	bench_set_config(&bench, BENCH_CONSOLE, 8, 'o', 4);
	bench_set_config(&bench, BENCH_CONSOLE, 8, 'h', 1);
	expect_printed("oh");
	assert_int_equal(bench_effects.printed - printed, 2);
}

static void test_wrong(void **state)
{
	(void)state;
	start_driver();
	type("x");
	bench_describe(&bench, BENCH_CONSOLE, RX, 0, TYPED, 10, 0);
	offer(RX, 0);
	assert_true(bench_status(&bench, BENCH_CONSOLE) & NEEDS_RESET);
	/* What was typed waits for a better one. */
	start_driver();
	offer_room(10, 0);
	expect_typed(1, "x");
	bench_describe(&bench, BENCH_CONSOLE, TX, 0, BENCH_RAM - 1, 2, 0);
	offer(TX, 0);
	assert_true(bench_status(&bench, BENCH_CONSOLE) & NEEDS_RESET);
	assert_int_equal(bench_effects.printed, printed);
}

/* Typed and not read, printed and not told, when it was saved. */
static void test_saved(void **state)
{
	struct bench_saved saved;
	uint8_t generation;
	struct cause cause;

	(void)state;
	start_driver();
	devices_window(&bench.set, CONSOLE_VIRTIO, 24, 80);
	type("half");
	offer_room(2, 0);
	bench_stop(&bench);
	memcpy(bench_at(&bench, PRINTED), "later", 5);
	bench_describe(&bench, BENCH_CONSOLE, TX, 0, PRINTED, 5, 0);
	bench_offer(&bench, BENCH_CONSOLE, TX, 0);
	generation = bench_generation(&bench, BENCH_CONSOLE);
	saved = bench_save_devices(&bench);
	bench_destroy(&bench);

	printed = bench_effects.printed;
	bench_create(&bench, -1);
	assert_int_equal(bench_load(&bench, saved.ram, saved.data, saved.size, &cause), 0);
	expect_window(24, 80);
	assert_int_equal(bench_generation(&bench, BENCH_CONSOLE), generation);
	bench_settle(&bench);
	assert_int_equal(bench_effects.printed, printed);
	devices_start(&bench.set);
	bench_settle(&bench);
	expect_printed("later");
	type("way");
	offer_room(100, 0);
	expect_typed(2, "lfway");
	bench_destroy(&bench);

	/* Whoever shows it now has another window: the driver is told. */
	bench_create(&bench, -1);
	devices_window(&bench.set, CONSOLE_VIRTIO, 50, 132);
	assert_int_equal(bench_load(&bench, saved.ram, saved.data, saved.size, &cause), 0);
	expect_window(50, 132);
	assert_int_not_equal(bench_generation(&bench, BENCH_CONSOLE), generation);
	bench_saved_free(&saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_prints, setup, teardown),
		cmocka_unit_test_setup_teardown(test_typed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_window, setup, teardown),
		cmocka_unit_test_setup_teardown(test_emergency, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(test_saved, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

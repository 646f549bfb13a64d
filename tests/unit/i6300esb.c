/* The watchdog, driven as Linux's driver does: its stages, its locks, and pauses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/bus/pci_function.h"
#include "core/hw/i6300esb.h"
#include "lib/device_bench.h"

#define CONFIG 0x60
#define LOCK 0x68
#define ENABLE 2
#define LOCKED 1
#define FREE_RUNNING 4
#define NO_OUTPUT 0x20
#define FAST 0x04
#define STATUS 0x8
#define RELOAD 0xc
#define EXPIRED 0x200

static struct device_bench bench;
static enum profile_remedy chosen;

static void choose(struct profile *profile)
{
	profile->watchdog = chosen;
}

static void create(enum profile_remedy remedy)
{
	chosen = remedy;
	memset(bench_effects.remedies, 0, sizeof(bench_effects.remedies));
	bench_create_changed(&bench, -1, choose);
	devices_start(&bench.set);
}

static int setup(void **state)
{
	(void)state;
	bench_effects.watchdog_reset = false;
	create(REMEDY_RESET);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bench_destroy(&bench);
	return 0;
}

static uint32_t config(unsigned offset, unsigned length)
{
	uint32_t value = 0;

	bus_read(&bench.mmio, bench_function(&bench, "watchdog") + offset, &value, length);
	return value;
}

static void set_config(unsigned offset, uint32_t value, unsigned length)
{
	bus_write(&bench.mmio, bench_function(&bench, "watchdog") + offset, &value, length);
}

static uint32_t get(unsigned offset, unsigned length)
{
	uint32_t value = 0;

	bus_read(&bench.mmio, config(PCI_BAR0, 4) + offset, &value, length);
	return value;
}

static void set(unsigned offset, uint32_t value, unsigned length)
{
	bus_write(&bench.mmio, config(PCI_BAR0, 4) + offset, &value, length);
}

static void unlock(void)
{
	set(RELOAD, 0x80, 1);
	set(RELOAD, 0x86, 1);
}

static void ping(void)
{
	unlock();
	set(RELOAD, 0x100, 2);
}

/* Ticks of about a millisecond. */
static void preload(uint32_t first, uint32_t second)
{
	unlock();
	set(0, first, 4);
	unlock();
	set(4, second, 4);
}

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

static void serve(uint64_t ms)
{
	struct loop_timer limit = { .fire = stop_loop, .arg = &bench.loop };

	loop_timer_set(&bench.loop, &limit, ms * NS_PER_MS);
	assert_int_equal(loop_run(&bench.loop), 0);
	loop_timer_cancel(&bench.loop, &limit);
}

static unsigned bites(void)
{
	return bench_effects.remedies[chosen];
}

/* Serves it until it bites; how long that took, in ms. */
static uint64_t wait_for_bite(void)
{
	uint64_t begin = clock_monotonic();
	unsigned before = bites();

	while (bites() == before && clock_monotonic() - begin < 10 * NS_PER_S)
		serve(1);
	assert_int_equal(bites(), before + 1);
	return (clock_monotonic() - begin) / NS_PER_MS;
}

static void a_driver_finds_it(void **state)
{
	(void)state;
	assert_int_equal(config(0, 4), 0x25ab8086);
	assert_int_equal(get(0, 4), 0xfffff);
	assert_int_equal(get(4, 4), 0xfffff);
	assert_int_equal(get(RELOAD, 2), 0);
	assert_false(i6300esb_device.wanted(&(struct profile){ 0 }, 0));
}

static void preloads_need_the_sequence(void **state)
{
	(void)state;
	set(0, 5, 4);
	assert_int_equal(get(0, 4), 0xfffff);
	set(RELOAD, 0x86, 1);
	set(0, 5, 4);
	assert_int_equal(get(0, 4), 0xfffff);
	unlock();
	set(0, 0xff500005, 4);
	assert_int_equal(get(0, 4), 0x00005); /* twenty bits */
	set(4, 6, 4); /* each sequence is good for one */
	assert_int_equal(get(4, 4), 0xfffff);
}

static void both_stages_pass(void **state)
{
	(void)state;
	preload(40, 60);
	set_config(LOCK, ENABLE, 1);
	assert_true(wait_for_bite() >= 95);
	assert_int_equal(get(RELOAD, 2), EXPIRED);
	assert_int_equal(get(STATUS, 4), 1);
	set(STATUS, 1, 4);
	assert_int_equal(get(STATUS, 4), 0);
	unlock();
	set(RELOAD, EXPIRED, 2);
	assert_int_equal(get(RELOAD, 2), 0);
	/* It stands still until it is told to go on. */
	serve(150);
	assert_int_equal(bites(), 1);
	ping();
	wait_for_bite();
}

/* The system that begins then finds why, once. */
static void a_reset_is_remembered(void **state)
{
	(void)state;
	preload(1, 1);
	set_config(LOCK, ENABLE, 1);
	wait_for_bite();
	bench_destroy(&bench);
	create(REMEDY_RESET);
	assert_int_equal(get(RELOAD, 2), EXPIRED);
	bench_destroy(&bench);
	create(REMEDY_RESET);
	assert_int_equal(get(RELOAD, 2), 0);
}

static void signs_of_life_hold_it_off(void **state)
{
	(void)state;
	preload(500, 500);
	set_config(LOCK, ENABLE, 1);
	for (unsigned i = 0; i < 22; i++) {
		serve(50);
		ping();
	}
	assert_int_equal(bites(), 0);
	set_config(LOCK, 0, 1);
	serve(1100);
	assert_int_equal(bites(), 0);
}

static void fast_ticks(void **state)
{
	(void)state;
	set_config(CONFIG, FAST, 2);
	preload(20000, 20000);
	set_config(LOCK, ENABLE, 1);
	assert_true(wait_for_bite() >= 35);
}

static void some_do_not_bite(void **state)
{
	(void)state;
	preload(1, 1);
	set_config(CONFIG, NO_OUTPUT, 2);
	set_config(LOCK, ENABLE, 1);
	serve(50);
	assert_int_equal(get(RELOAD, 2), EXPIRED);
	set_config(CONFIG, 0, 2);
	set_config(LOCK, 0, 1);
	set_config(LOCK, ENABLE | FREE_RUNNING, 1);
	serve(50);
	assert_int_equal(bites(), 0);
}

static void a_locked_one_stays_on(void **state)
{
	(void)state;
	preload(20, 20);
	set_config(LOCK, ENABLE | LOCKED, 1);
	set_config(LOCK, 0, 1);
	assert_int_equal(config(LOCK, 1), ENABLE | LOCKED);
	wait_for_bite();
}

/* No time passes for it while its guest stands still. */
static void a_pause_is_no_neglect(void **state)
{
	(void)state;
	preload(100, 100);
	set_config(LOCK, ENABLE, 1);
	serve(1);
	bench_stop(&bench);
	serve(300);
	assert_int_equal(bites(), 0);
	devices_start(&bench.set);
	assert_true(wait_for_bite() >= 150);
}

static void reports_are_few(void **state)
{
	(void)state;
	bench_destroy(&bench);
	create(REMEDY_REPORT);
	preload(0, 0);
	set_config(LOCK, ENABLE, 1);
	for (unsigned i = 0; i < 20; i++) {
		ping();
		serve(2);
	}
	assert_int_equal(bites(), 1);
}

static void it_is_saved_as_it_runs(void **state)
{
	struct bench_saved saved;
	struct cause cause;

	(void)state;
	preload(200, 150);
	set_config(LOCK, ENABLE | LOCKED, 1);
	set(RELOAD, 0x80, 1);
	serve(20);
	saved = bench_save_devices(&bench);
	bench_destroy(&bench);
	create(REMEDY_RESET);
	assert_int_equal(bench_load(&bench, saved.ram, saved.data, saved.size, &cause), 0);
	serve(400);
	assert_int_equal(bites(), 0);
	set(RELOAD, 0x86, 1);
	set(4, 50, 4);
	assert_int_equal(get(4, 4), 50);
	set_config(LOCK, 0, 1);
	assert_int_equal(config(LOCK, 1), ENABLE | LOCKED);
	devices_start(&bench.set);
	assert_true(wait_for_bite() < 5000);
	bench_saved_free(&saved);
}

/* A driver changes to free running, or back, without switching it off. */
static void its_mode_changes_while_it_is_on(void **state)
{
	struct bench_saved saved;
	struct cause cause;

	(void)state;
	preload(20, 20);
	set_config(LOCK, ENABLE, 1);
	set_config(LOCK, ENABLE | FREE_RUNNING, 1);
	serve(100);
	assert_int_equal(bites(), 0);
	saved = bench_save_devices(&bench);
	bench_destroy(&bench);
	create(REMEDY_RESET);
	assert_int_equal(bench_load(&bench, saved.ram, saved.data, saved.size, &cause), 0);
	devices_start(&bench.set);
	serve(100);
	assert_int_equal(bites(), 0);
	set_config(LOCK, ENABLE, 1);
	wait_for_bite();
	bench_saved_free(&saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_driver_finds_it, setup, teardown),
		cmocka_unit_test_setup_teardown(preloads_need_the_sequence, setup, teardown),
		cmocka_unit_test_setup_teardown(both_stages_pass, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reset_is_remembered, setup, teardown),
		cmocka_unit_test_setup_teardown(signs_of_life_hold_it_off, setup, teardown),
		cmocka_unit_test_setup_teardown(fast_ticks, setup, teardown),
		cmocka_unit_test_setup_teardown(some_do_not_bite, setup, teardown),
		cmocka_unit_test_setup_teardown(a_locked_one_stays_on, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pause_is_no_neglect, setup, teardown),
		cmocka_unit_test_setup_teardown(reports_are_few, setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_saved_as_it_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(its_mode_changes_while_it_is_on, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

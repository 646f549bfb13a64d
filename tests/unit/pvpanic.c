/* What becomes of a guest whose kernel says that it panicked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/bus/pci_function.h"
#include "core/hw/pvpanic.h"
#include "lib/device_bench.h"

#define PANICKED 1
#define CRASH_LOADED 2

static struct device_bench bench;
static enum profile_remedy chosen;

static void choose(struct profile *profile)
{
	profile->on_panic = chosen;
}

static void create(enum profile_remedy remedy)
{
	chosen = remedy;
	memset(bench_effects.remedies, 0, sizeof(bench_effects.remedies));
	bench_create_changed(&bench, -1, choose);
	devices_start(&bench.set);
}

static uint64_t base(void)
{
	uint32_t bar;

	bus_read(&bench.mmio, bench_function(&bench, "panic") + PCI_BAR0, &bar, sizeof(bar));
	return bar;
}

static void tell(uint8_t events)
{
	bus_write(&bench.mmio, base(), &events, 1);
}

static void a_driver_finds_it(void **state)
{
	uint32_t id;
	uint8_t value;

	(void)state;
	create(REMEDY_REPORT);
	bus_read(&bench.mmio, bench_function(&bench, "panic"), &id, sizeof(id));
	assert_int_equal(id, 0x00111b36);
	bus_read(&bench.mmio, bench_function(&bench, "panic") + PCI_INTERRUPT_PIN, &value, 1);
	assert_int_equal(value, 0);
	bus_read(&bench.mmio, base(), &value, 1);
	assert_int_equal(value, PANICKED | CRASH_LOADED);
	bus_read(&bench.mmio, base() + 1, &value, 1);
	assert_int_equal(value, 0);
	bench_destroy(&bench);
	assert_false(pvpanic_device.wanted(&(struct profile){ 0 }, 0));
}

static void it_is_reported_once(void **state)
{
	uint8_t none = 0xfc;

	(void)state;
	create(REMEDY_REPORT);
	tell(none);
	bus_write(&bench.mmio, base() + 1, "\1", 1);
	assert_int_equal(bench_effects.remedies[REMEDY_REPORT], 0);
	tell(PANICKED);
	tell(PANICKED);
	assert_int_equal(bench_effects.remedies[REMEDY_REPORT], 1);
	assert_string_equal(bench_effects.why, "its kernel panicked");
	bench_destroy(&bench);
}

/* One that goes on all the same, after it was resumed, tells of it anew. */
static void others_are_done_each_time(void **state)
{
	(void)state;
	for (chosen = REMEDY_PAUSE; chosen <= REMEDY_STOP; chosen++) {
		create(chosen);
		tell(PANICKED);
		tell(PANICKED | CRASH_LOADED);
		assert_int_equal(bench_effects.remedies[chosen], 2);
		bench_destroy(&bench);
	}
}

static void a_crash_kernel_is_let_go_on(void **state)
{
	(void)state;
	create(REMEDY_STOP);
	tell(CRASH_LOADED);
	tell(CRASH_LOADED);
	assert_int_equal(bench_effects.remedies[REMEDY_REPORT], 1);
	assert_non_null(strstr(bench_effects.why, "crash kernel"));
	tell(PANICKED);
	assert_int_equal(bench_effects.remedies[REMEDY_STOP], 1);
	bench_destroy(&bench);
}

static void what_was_told_is_saved(void **state)
{
	struct bench_saved saved;
	struct cause cause;

	(void)state;
	create(REMEDY_REPORT);
	tell(PANICKED);
	saved = bench_save_devices(&bench);
	bench_destroy(&bench);
	create(REMEDY_REPORT);
	assert_int_equal(bench_load(&bench, saved.ram, saved.data, saved.size, &cause), 0);
	tell(PANICKED);
	assert_int_equal(bench_effects.remedies[REMEDY_REPORT], 0);
	bench_destroy(&bench);
	bench_saved_free(&saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_driver_finds_it),
		cmocka_unit_test(it_is_reported_once),
		cmocka_unit_test(others_are_done_each_time),
		cmocka_unit_test(a_crash_kernel_is_let_go_on),
		cmocka_unit_test(what_was_told_is_saved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Power button, soft off and the timer, as an ACPI system uses them. */
#include "core/hw/ich9_pm.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "core/bus/platform.h"
#include "fake_bus.h"

#define STATUS 0
#define ENABLE 2
#define CONTROL 4
#define TIMER 8
#define GPE0 0x20

struct fixture {
	struct fake_bus io; /* the line is the SCI */
	struct ich9_pm pm;
	unsigned off;
};

static void poweroff(void *arg)
{
	((struct fixture *)arg)->off++;
}

static int setup(void **state)
{
	static struct fixture fixture;
	struct pm_wires wires = { fake_irq, poweroff, &fixture };

	fixture = (struct fixture){ .io.base = PLATFORM_PM_PORT };
	assert_int_equal(pm_init(&fixture.pm, &fixture.io.bus, PLATFORM_PM_PORT, &wires, NULL), 0);
	*state = &fixture;
	return 0;
}

static void test_power_button(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fake_read(&f->io, CONTROL, 2) & 1, 1);
	assert_int_equal(fake_read(&f->io, 0x30, 4), 0x20); /* SMM needs no setting up */
	pm_power_button(&f->pm); /* nobody listens yet */
	assert_false(f->io.line);
	assert_int_equal(fake_read(&f->io, STATUS, 2), 0x100);
	fake_write(&f->io, STATUS, 0x100, 2);
	assert_int_equal(fake_read(&f->io, STATUS, 2), 0);

	fake_write(&f->io, ENABLE, 0x100, 2);
	assert_false(f->io.line);
	pm_power_button(&f->pm);
	assert_true(f->io.line);
	pm_power_button(&f->pm);
	assert_true(f->io.line);
	fake_write(&f->io, STATUS, 0x001, 2);
	assert_true(f->io.line);
	fake_write(&f->io, STATUS + 1, 0x01, 1);
	assert_false(f->io.line);

	pm_power_button(&f->pm);
	assert_true(f->io.line);
	fake_write(&f->io, ENABLE, 0, 2);
	assert_false(f->io.line);
	fake_write(&f->io, ENABLE, 0xffff, 2);
	assert_int_equal(fake_read(&f->io, ENABLE, 2), 0x0521);
	assert_true(f->io.line);
	pm_reset(&f->pm);
	assert_false(f->io.line);
	assert_int_equal(fake_read(&f->io, STATUS, 4), 0);
}

static void test_soft_off(void **state)
{
	struct fixture *f = *state;

	fake_write(&f->io, CONTROL, 7 << 10 | 1, 2); /* the type alone does nothing */
	assert_int_equal(f->off, 0);
	assert_int_equal(fake_read(&f->io, CONTROL, 2), 7 << 10 | 1);
	fake_write(&f->io, CONTROL, 5 << 10 | 1 << 13 | 1, 2); /* S3 is not there */
	assert_int_equal(f->off, 0);
	fake_write(&f->io, CONTROL, 7 << 10 | 1 << 13 | 1, 2);
	assert_int_equal(f->off, 1);
	assert_int_equal(fake_read(&f->io, CONTROL, 2), 7 << 10 | 1); /* SLP_EN reads 0 */
	fake_write(&f->io, CONTROL + 1, 7 << 2 | 1 << 5, 1);
	assert_int_equal(f->off, 2);
}

static void test_timer(void **state)
{
	struct fixture *f = *state;
	struct timespec pause = { 0, 20000000 };
	uint64_t before, after, ticks;
	uint32_t first, second;

	before = clock_monotonic();
	first = fake_read(&f->io, TIMER, 4);
	nanosleep(&pause, NULL);
	second = fake_read(&f->io, TIMER, 4);
	after = clock_monotonic();
	ticks = (uint32_t)(second - first);
	assert_true(ticks >= 20000000ull * 3579545 / 1000000000 - 1);
	assert_true(ticks <= (after - before) * 3579545 / 1000000000 + 1);
	fake_write(&f->io, TIMER, 0, 4); /* read-only */
	assert_true(fake_read(&f->io, TIMER, 4) >= second);
}

/* The clock is moved back so that the timer's highest bit turns. */
static void test_timer_status(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fake_read(&f->io, STATUS, 2), 0);
	f->pm.started -= 700ull * NS_PER_S; /* 2^31 ticks last 600 s */
	assert_true(fake_read(&f->io, TIMER, 4) >= 0x80000000u);
	assert_int_equal(fake_read(&f->io, STATUS, 2), 1);
	fake_write(&f->io, STATUS, 1, 2);
	assert_int_equal(fake_read(&f->io, STATUS, 2), 0);
	f->pm.started -= 600ull * NS_PER_S;
	fake_write(&f->io, ENABLE, 1, 2);
	assert_true(f->io.line);
	assert_true(fake_read(&f->io, TIMER, 4) < 0x80000000u);
}

static void test_gpe(void **state)
{
	struct fixture *f = *state;

	fake_write(&f->io, GPE0 + 8, 0xdeadbeef, 4);
	assert_int_equal(fake_read(&f->io, GPE0 + 8, 4), 0xdeadbeef);
	fake_write(&f->io, GPE0, 0xffffffff, 4);
	assert_int_equal(fake_read(&f->io, GPE0, 4), 0);
	assert_false(f->io.line);
}

/* The button that was pressed and the timer go on in a second chip. */
static void test_save(void **state)
{
	struct fixture *f = *state, other = { .io.base = PLATFORM_PM_PORT };
	struct pm_wires wires = { fake_irq, poweroff, &other };
	struct pm_registers saved, bad;
	uint32_t before;

	fake_write(&f->io, ENABLE, 0x100, 2);
	fake_write(&f->io, CONTROL, 5 << 10, 2);
	fake_write(&f->io, GPE0 + 8, 0xdeadbeef, 4);
	pm_power_button(&f->pm);
	f->pm.started -= 700ull * NS_PER_S;
	before = fake_read(&f->io, TIMER, 4);
	pm_save(&f->pm, &saved);

	assert_int_equal(pm_init(&other.pm, &other.io.bus, PLATFORM_PM_PORT, &wires, NULL), 0);
	assert_null(pm_load(&other.pm, &saved));
	assert_true(other.io.line);
	assert_int_equal(fake_read(&other.io, STATUS, 4), 0x01000101);
	assert_int_equal(fake_read(&other.io, CONTROL, 2), 5 << 10 | 1);
	assert_int_equal(fake_read(&other.io, GPE0 + 8, 4), 0xdeadbeef);
	assert_true(fake_read(&other.io, TIMER, 4) - before < 10 * 3579545);

	bad = saved;
	bad.status = 2;
	assert_string_equal(pm_load(&other.pm, &bad), "PM1 status");
	bad = saved;
	bad.enable = 2;
	assert_string_equal(pm_load(&other.pm, &bad), "PM1 enable");
	bad = saved;
	bad.control = 0x2000;
	assert_string_equal(pm_load(&other.pm, &bad), "PM1 control");
	bad = saved;
	bad.timer_top = 1;
	assert_string_equal(pm_load(&other.pm, &bad), "timer");
}

static void test_any_access(void **state)
{
	struct fixture *f = *state;
	unsigned offset, length;
	uint64_t zero = 0, data;

	for (length = 1; length <= 8; length *= 2)
		for (offset = 0; offset + length <= PLATFORM_PM_SIZE; offset++) {
			bus_read(&f->io.bus, PLATFORM_PM_PORT + offset, &data, length);
			bus_write(&f->io.bus, PLATFORM_PM_PORT + offset, &zero, length);
		}
	assert_int_equal(f->off, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_power_button, setup),
		cmocka_unit_test_setup(test_soft_off, setup),
		cmocka_unit_test_setup(test_timer, setup),
		cmocka_unit_test_setup(test_timer_status, setup),
		cmocka_unit_test_setup(test_gpe, setup),
		cmocka_unit_test_setup(test_save, setup),
		cmocka_unit_test_setup(test_any_access, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

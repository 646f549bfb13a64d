/* The real-time clock, read and set as an operating system does. */
#include "core/hw/mc146818.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/loop.h"
#include "core/kvm/memory.h"

#define PORT 0x70

struct fixture {
	struct bus bus;
	struct mc146818 rtc;
};

static int setup(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	assert_int_equal(rtc_init(&fixture.rtc, &fixture.bus, PORT, NULL, NULL), 0);
	*state = &fixture;
	return 0;
}

static uint8_t in(struct fixture *f, uint8_t reg)
{
	uint8_t value;

	bus_write(&f->bus, PORT, &reg, 1);
	bus_read(&f->bus, PORT + 1, &value, 1);
	return value;
}

static void out(struct fixture *f, uint8_t reg, uint8_t value)
{
	bus_write(&f->bus, PORT, &reg, 1);
	bus_write(&f->bus, PORT + 1, &value, 1);
}

static int bcd(uint8_t value)
{
	assert_true((value & 15) < 10 && value >> 4 < 10);
	return (value >> 4) * 10 + (value & 15);
}

/* The time in the default format; read again if the second turned meanwhile. */
static time_t read_time(struct fixture *f)
{
	struct tm tm = { 0 };

	do {
		while (in(f, 0x0a) & 0x80)
			;
		tm.tm_sec = bcd(in(f, 0));
		tm.tm_min = bcd(in(f, 2));
		tm.tm_hour = bcd(in(f, 4));
		tm.tm_mday = bcd(in(f, 7));
		tm.tm_mon = bcd(in(f, 8)) - 1;
		tm.tm_year = bcd(in(f, 9)) + bcd(in(f, 0x32)) * 100 - 1900;
	} while (tm.tm_sec != bcd(in(f, 0)));
	return timegm(&tm);
}

static void test_time(void **state)
{
	struct fixture *f = *state;
	time_t before = time(NULL), guest = read_time(f), after = time(NULL);
	struct tm tm;

	assert_true(guest >= before && guest <= after);
	gmtime_r(&guest, &tm);
	assert_true(in(f, 6) >= 1 && in(f, 6) <= 7);
	assert_int_equal(in(f, 0x0d), 0x80);
	assert_int_equal(in(f, 0x0c) & 0x8f, 0); /* nothing interrupts */
	assert_int_equal(in(f, 0x0b), 0x02);
	assert_int_equal(in(f, 0x0a) & 0x7f, 0x26);
}

/* As hwclock does: stop, write, go. */
static void test_set(void **state)
{
	struct fixture *f = *state;
	struct tm tm = { .tm_year = 201, .tm_mon = 1, .tm_mday = 28, .tm_hour = 23, .tm_min = 59,
			 .tm_sec = 58 };
	time_t wanted = timegm(&tm), guest;

	out(f, 0x0b, 0x82);
	out(f, 0, 0x58);
	out(f, 2, 0x59);
	out(f, 4, 0x23);
	out(f, 7, 0x28);
	out(f, 8, 0x02);
	out(f, 9, 0x01);
	out(f, 0x32, 0x21);
	assert_int_equal(in(f, 0), 0x58);
	assert_int_equal(in(f, 0x0a) & 0x80, 0);
	out(f, 0x0b, 0x02);
	guest = read_time(f);
	assert_true(guest >= wanted && guest <= wanted + 60);
	/* One register alone, while the clock runs. */
	out(f, 9, 0x05);
	gmtime_r(&guest, &tm);
	guest = read_time(f);
	gmtime_r(&guest, &tm);
	assert_int_equal(tm.tm_year + 1900, 2105);
}

static void test_formats(void **state)
{
	struct fixture *f = *state;
	static const struct {
		uint8_t hour, pm12;
	} hours[] = { { 0, 12 }, { 1, 1 }, { 11, 11 }, { 12, 0x8c }, { 13, 0x81 }, { 23, 0x8b } };
	size_t i;

	for (i = 0; i < sizeof(hours) / sizeof(hours[0]); i++) {
		out(f, 0x0b, 0x86); /* binary, 24 hours */
		out(f, 0, 1);
		out(f, 2, 30);
		out(f, 4, hours[i].hour);
		out(f, 7, 31);
		out(f, 8, 12);
		out(f, 9, 99);
		out(f, 0x32, 19);
		out(f, 0x0b, 0x06);
		assert_int_equal(in(f, 4), hours[i].hour);
		assert_int_equal(in(f, 9), 99);
		assert_int_equal(in(f, 6), 6); /* a Friday */
		out(f, 0x0b, 0x04);
		assert_int_equal(in(f, 4), hours[i].pm12);
		out(f, 0x0b, 0x84);
		out(f, 0x0b, 0x04);
		out(f, 0x0b, 0x06);
		assert_int_equal(in(f, 4), hours[i].hour);
	}
}

static void test_ram(void **state)
{
	struct fixture *f = *state;
	uint16_t both = 0x5a40, value;
	unsigned reg;

	for (reg = 0x0e; reg < 0x80; reg++)
		if (reg != 0x32)
			out(f, (uint8_t)reg, (uint8_t)(reg * 3));
	for (reg = 0x0e; reg < 0x80; reg++)
		if (reg != 0x32)
			assert_int_equal(in(f, (uint8_t)(reg | 0x80)), (uint8_t)(reg * 3));
	bus_write(&f->bus, PORT, &both, 2);
	assert_int_equal(in(f, 0x40), 0x5a);
	bus_read(&f->bus, PORT, &value, 2);
	assert_int_equal(value, 0x5a40);
}

/* A clock that stands stays so in another; one that runs is as far from the host's time. */
static void test_save(void **state)
{
	struct fixture *f = *state, other = { 0 };
	struct rtc_registers saved, bad;
	time_t before;

	assert_int_equal(rtc_init(&other.rtc, &other.bus, PORT, NULL, NULL), 0);
	out(f, 9, 0x05);
	out(f, 0x40, 0x5a);
	before = read_time(f);
	rtc_save(&f->rtc, &saved);
	assert_null(rtc_load(&other.rtc, &saved));
	assert_true(read_time(&other) - before <= 60);
	assert_true(read_time(&other) >= before);
	assert_int_equal(in(&other, 0x40), 0x5a);
	out(f, 0x0b, 0x82);
	out(f, 0, 0x42);
	rtc_save(&f->rtc, &saved);
	assert_null(rtc_load(&other.rtc, &saved));
	assert_int_equal(in(&other, 0), 0x42);

	bad = saved;
	bad.index = 0x80;
	assert_string_equal(rtc_load(&other.rtc, &bad), "index");
	bad = saved;
	bad.ram[0x0a] |= 0x80;
	assert_string_equal(rtc_load(&other.rtc, &bad), "register A");
	bad = saved;
	bad.ram[0x0d] = 0;
	assert_string_equal(rtc_load(&other.rtc, &bad), "registers C and D");
	bad = saved;
	bad.ram[0x0c] = 0xc0; /* of an interrupt that is not enabled */
	assert_string_equal(rtc_load(&other.rtc, &bad), "registers C and D");
	bad = saved;
	bad.offset = INT64_MAX;
	assert_string_equal(rtc_load(&other.rtc, &bad), "time");
	assert_int_equal(in(&other, 0), 0x42);
}

/* As the machine has one; what its creation says. */
static int build(struct device *device, struct device_host *host)
{
	*device = (struct device){ .host = host, .state = calloc(1, mc146818_device.size) };
	assert_non_null(device->state);
	return mc146818_device.create(device, NULL);
}

static void demolish(struct device *device)
{
	mc146818_device.destroy(device);
	free(device->state);
}

/* The machine is built anew; the time that the guest has set runs on. */
static void test_reset(void **state)
{
	struct guest_memory memory = { .size = 0 };
	struct fixture *f = *state;
	int64_t offset = 0;
	struct loop loop;
	struct device_host host = { .io = &f->bus, .memory = &memory, .loop = &loop,
				    .clock_offset = &offset };
	struct device device, other;
	time_t before;

	assert_int_equal(loop_init(&loop, NULL), 0);
	memset(&f->bus, 0, sizeof(f->bus));
	assert_int_equal(build(&device, &host), 0);
	out(f, 9, 0x05);
	before = read_time(f);
	demolish(&device);
	memset(&f->bus, 0, sizeof(f->bus));
	assert_int_equal(build(&device, &host), 0);
	assert_true(read_time(f) >= before);
	assert_true(read_time(f) - before <= 60);
	/* One that could not be created has no time to leave. */
	before = offset;
	assert_int_not_equal(build(&other, &host), 0);
	demolish(&other);
	assert_int_equal(offset, before);
	demolish(&device);
	loop_destroy(&loop);
}

static void test_any_value(void **state)
{
	struct fixture *f = *state;
	unsigned reg, value;

	for (value = 0; value < 256; value += 3)
		for (reg = 0; reg < 128; reg++) {
			out(f, (uint8_t)reg, (uint8_t)value);
			in(f, (uint8_t)reg);
		}
}

static void test_memory_sizes(void **state)
{
	static const struct {
		uint64_t low, high;
		uint8_t ram[9]; /* 15 16, 17 18, 34 35, 5b 5c 5d */
	} cases[] = {
		{ 512 << 10, 0, { 0x00, 0x02, 0, 0, 0, 0, 0, 0, 0 } },
		{ 16 << 20, 0, { 0x80, 0x02, 0x00, 0x3c, 0, 0, 0, 0, 0 } },
		{ 2ull << 30, 6ull << 30,
		  { 0x80, 0x02, 0xff, 0xff, 0x00, 0x7f, 0x00, 0x80, 0x01 } },
		{ 2ull << 30, 1ull << 50,
		  { 0x80, 0x02, 0xff, 0xff, 0x00, 0x7f, 0xff, 0xff, 0xff } },
	};
	static const uint8_t regs[] = { 0x15, 0x16, 0x17, 0x18, 0x34, 0x35, 0x5b, 0x5c, 0x5d };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rtc_set_memory(&f->rtc, cases[i].low, cases[i].high);
		for (size_t n = 0; n < sizeof(regs); n++)
			assert_int_equal(in(f, regs[n]), cases[i].ram[n]);
		assert_int_equal(in(f, 0x30), cases[i].ram[2]);
	}
}

/* --- what it tells of --- */

#define PERIODIC 0x40
#define ALARM 0x20
#define UPDATE 0x10
#define INTERRUPT 0x80
#define HOURS_24 0x02

struct wired {
	struct fixture f;
	struct loop loop;
	bool line;
	unsigned raised;
};

static void set_line(void *arg, bool level)
{
	struct wired *w = arg;

	assert_true(level != w->line);
	w->line = level;
	w->raised += level;
}

static struct wired *wired_new(void)
{
	struct wired *w = calloc(1, sizeof(*w));
	const struct rtc_wires wires = { &w->loop, set_line, w };

	assert_non_null(w);
	assert_int_equal(loop_init(&w->loop, NULL), 0);
	assert_int_equal(rtc_init(&w->f.rtc, &w->f.bus, PORT, &wires, NULL), 0);
	rtc_run(&w->f.rtc, true);
	in(&w->f, 0x0c);
	return w;
}

static void wired_free(struct wired *w)
{
	rtc_destroy(&w->f.rtc);
	loop_destroy(&w->loop);
	free(w);
}

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

static void serve(struct wired *w, uint64_t ns)
{
	struct loop_timer limit = { .fire = stop_loop, .arg = &w->loop };

	loop_timer_set(&w->loop, &limit, ns);
	assert_int_equal(loop_run(&w->loop), 0);
	loop_timer_cancel(&w->loop, &limit);
}

/* What register C says when the line is up. */
static uint8_t wait_for_line(struct wired *w)
{
	uint64_t end = clock_monotonic() + 10 * NS_PER_S;

	while (!w->line && clock_monotonic() < end)
		serve(w, NS_PER_MS / 10);
	assert_true(w->line);
	return in(&w->f, 0x0c);
}

static void test_events_are_seen_by_who_looks(void **state)
{
	struct fixture *f = *state;
	uint8_t seen = 0;

	in(f, 0x0c);
	out(f, 0x0a, 0x23); /* 8192 Hz */
	for (unsigned i = 0; i < 100 && seen != (PERIODIC | UPDATE); i++) {
		usleep(20000);
		seen |= in(f, 0x0c) & ~ALARM;
	}
	assert_int_equal(seen, PERIODIC | UPDATE);
	out(f, 0x0a, 0x20);
	in(f, 0x0c);
	usleep(2000);
	assert_int_equal(in(f, 0x0c) & PERIODIC, 0);
}

static void test_periodic_interrupts(void **state)
{
	struct wired *w = wired_new();
	uint64_t begun = clock_monotonic();

	(void)state;
	out(&w->f, 0x0b, HOURS_24 | PERIODIC); /* 1024 Hz */
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(wait_for_line(w) & (INTERRUPT | PERIODIC), INTERRUPT | PERIODIC);
	assert_true(clock_monotonic() - begun > 40 * NS_PER_S / 1024);

	/* Nobody acknowledges: there is one, and no more work. */
	serve(w, 20 * NS_PER_MS);
	assert_int_equal(w->raised, 51);
	assert_false(w->f.rtc.timer.armed);

	/* It is switched off while it waits. */
	out(&w->f, 0x0b, HOURS_24);
	assert_false(w->line);
	in(&w->f, 0x0c);
	serve(w, 20 * NS_PER_MS);
	assert_false(w->line);
	assert_false(w->f.rtc.timer.armed);
	wired_free(w);
}

static void test_update_interrupts(void **state)
{
	struct wired *w = wired_new();

	(void)state;
	out(&w->f, 0x0b, HOURS_24 | UPDATE);
	assert_int_equal(wait_for_line(w) & (INTERRUPT | UPDATE), INTERRUPT | UPDATE);
	assert_true(clock_wall() % NS_PER_S < NS_PER_S / 2);
	out(&w->f, 0x0b, HOURS_24 | UPDATE | 0x80); /* the clock stands */
	assert_int_equal(in(&w->f, 0x0b), HOURS_24 | 0x80);
	serve(w, NS_PER_S + NS_PER_S / 10);
	assert_false(w->line);
	wired_free(w);
}

/* Some clocks at once, a second before their alarms, and one that has another alarm. */
static void test_alarms(void **state)
{
	static const struct {
		uint8_t format, time[3], alarm[3]; /* hours, minutes, seconds */
		bool rings;
	} cases[] = {
		{ 0x02, { 0x23, 0x59, 0x59 }, { 0x00, 0x00, 0x00 }, true },
		{ 0x06, { 9, 29, 59 }, { 9, 30, 0 }, true },
		{ 0x00, { 0x11, 0x59, 0x59 }, { 0x92, 0x00, 0x00 }, true },
		{ 0x02, { 0x12, 0x34, 0x56 }, { 0xff, 0xc0, 0x57 }, true },
		{ 0x02, { 0x12, 0x34, 0x56 }, { 0x12, 0x34, 0x50 }, false },
		{ 0x02, { 0x12, 0x34, 0x56 }, { 0x12, 0x35, 0xff }, false },
	};
	struct wired *clocks[sizeof(cases) / sizeof(cases[0])];

	(void)state;
	while (clock_wall() % NS_PER_S > NS_PER_S / 2)
		usleep(10000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = &(clocks[i] = wired_new())->f;

		out(f, 0x0b, cases[i].format | 0x80);
		for (unsigned n = 0; n < 3; n++) {
			out(f, (uint8_t)(4 - 2 * n), cases[i].time[n]);
			out(f, (uint8_t)(5 - 2 * n), cases[i].alarm[n]);
		}
		in(f, 0x0c);
		out(f, 0x0b, cases[i].format | ALARM);
		serve(clocks[i], 1000);
		assert_false(clocks[i]->line);
		assert_true(clocks[i]->f.rtc.timer.armed);
	}
	usleep(NS_PER_S / 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		serve(clocks[i], 1000);
		assert_int_equal(clocks[i]->line, cases[i].rings);
		assert_int_equal((in(&clocks[i]->f, 0x0c) & ALARM) != 0, cases[i].rings);
		wired_free(clocks[i]);
	}
}

static void test_nothing_interrupts_a_pause(void **state)
{
	struct wired *w = wired_new(), *other;
	struct rtc_registers saved;

	(void)state;
	out(&w->f, 0x0b, HOURS_24 | PERIODIC);
	rtc_run(&w->f.rtc, false);
	serve(w, 20 * NS_PER_MS);
	assert_false(w->line);
	rtc_run(&w->f.rtc, true);
	serve(w, 20 * NS_PER_MS);
	assert_true(w->line);

	/* What was up is up in another one, which goes on when it was seen. */
	rtc_run(&w->f.rtc, false);
	rtc_save(&w->f.rtc, &saved);
	wired_free(w);
	other = wired_new();
	rtc_run(&other->f.rtc, false);
	assert_null(rtc_load(&other->f.rtc, &saved));
	assert_true(other->line);
	rtc_run(&other->f.rtc, true);
	wait_for_line(other);
	assert_false(other->line);
	wait_for_line(other);
	wired_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_time, setup),
		cmocka_unit_test_setup(test_set, setup),
		cmocka_unit_test_setup(test_formats, setup),
		cmocka_unit_test_setup(test_ram, setup),
		cmocka_unit_test_setup(test_save, setup),
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test_setup(test_any_value, setup),
		cmocka_unit_test_setup(test_memory_sizes, setup),
		cmocka_unit_test_setup(test_events_are_seen_by_who_looks, setup),
		cmocka_unit_test(test_periodic_interrupts),
		cmocka_unit_test(test_update_interrupts),
		cmocka_unit_test(test_alarms),
		cmocka_unit_test(test_nothing_interrupts_a_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

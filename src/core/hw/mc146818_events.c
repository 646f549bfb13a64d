/*
 * What the real-time clock tells of: periods, seconds and alarms. Data sheet, "Interrupts",
 * "Divider stages". vCPU threads and the guest's I/O thread, under the chip's lock.
 *
 * Nothing runs for it: what has happened is found when somebody looks. Only while one of its
 * interrupts is enabled, and none waits to be seen by the guest, there is a timer.
 */
#include "core/hw/mc146818_private.h"

#include "base/clock.h"

#define CRYSTAL 32768u /* Hz */
#define DAY 86400
#define HOUR 3600
#define ANY 0xc0u /* an alarm's register with these bits fits each value */
#define NEVER INT64_MAX

/* An alarm is looked for so often at least: the host's time can be set meanwhile. */
#define ALARM_LOOK 60

static int64_t seconds(const struct mc146818 *rtc, uint64_t wall)
{
	return (int64_t)(wall / NS_PER_S) + rtc->regs.offset;
}

/* --- periods: of CLOCK_MONOTONIC, in ticks of the crystal --- */

static uint64_t ticks_of(uint64_t ns)
{
	return ns / NS_PER_S * CRYSTAL + ns % NS_PER_S * CRYSTAL / NS_PER_S;
}

/* Ticks; 0: there is none. */
static unsigned period(const struct mc146818 *rtc)
{
	unsigned rate = rtc->regs.ram[REG_A] & A_RATE;

	if (!rate)
		return 0;
	return 1u << ((rate < 3 ? rate + 7 : rate) - 1);
}

/* ns from now to the next one's end. */
static uint64_t to_period(const struct mc146818 *rtc, uint64_t now)
{
	uint64_t end = (ticks_of(now) / period(rtc) + 1) * period(rtc);
	uint64_t due = end / CRYSTAL * NS_PER_S + end % CRYSTAL * NS_PER_S / CRYSTAL + 1;

	return due > now ? due - now : 0;
}

/* --- alarms --- */

static bool fits(const struct mc146818 *rtc, unsigned reg, uint8_t value)
{
	uint8_t alarm = rtc->regs.ram[reg];

	return (alarm & ANY) == ANY || alarm == value;
}

/*
 * The first second behind "after" at which the alarm goes off, no later than "limit"; or NEVER.
 * What does not fit is passed by hours and by minutes; only where both fit, by seconds.
 */
static int64_t next_alarm(const struct mc146818 *rtc, int64_t after, int64_t limit)
{
	int64_t at = after + 1;

	if (limit - after > DAY)
		limit = after + DAY;
	while (at <= limit) {
		unsigned of_day = (unsigned)((at % DAY + DAY) % DAY);

		if (!fits(rtc, REG_HOUR_ALARM, rtc_encode_hour(rtc, of_day / HOUR)))
			at += HOUR - of_day % HOUR;
		else if (!fits(rtc, REG_MINUTE_ALARM, rtc_encode(rtc, of_day / 60 % 60)))
			at += 60 - of_day % 60;
		else if (!fits(rtc, REG_SECOND_ALARM, rtc_encode(rtc, of_day % 60)))
			at++;
		else
			return at;
	}
	return NEVER;
}

/* --- looking --- */

void rtc_show_events(struct mc146818 *rtc)
{
	uint8_t *ram = rtc->regs.ram;
	bool interrupt = ram[REG_C] & ram[REG_B] & EVENTS;

	ram[REG_C] = (uint8_t)((ram[REG_C] & EVENTS) | (interrupt ? C_INTERRUPT : 0));
	if (interrupt == rtc->line)
		return;
	rtc->line = interrupt;
	if (rtc->wires.irq)
		rtc->wires.irq(rtc->wires.arg, interrupt);
}

void rtc_look(struct mc146818 *rtc)
{
	uint64_t wall = clock_wall(), now = clock_monotonic();
	int64_t before = seconds(rtc, rtc->regs.looked), second = seconds(rtc, wall);
	uint8_t *ram = rtc->regs.ram;

	if (period(rtc) && ticks_of(now) / period(rtc) != ticks_of(rtc->looked) / period(rtc))
		ram[REG_C] |= EVENT_PERIODIC;
	if (second != before && !(ram[REG_B] & B_SET)) {
		ram[REG_C] |= EVENT_UPDATE;
		if (next_alarm(rtc, before, second) != NEVER)
			ram[REG_C] |= EVENT_ALARM;
	}
	rtc->regs.looked = wall;
	rtc->looked = now;
	rtc_show_events(rtc);
}

uint8_t rtc_take_events(struct mc146818 *rtc)
{
	uint8_t events;

	rtc_look(rtc);
	events = rtc->regs.ram[REG_C];
	rtc->regs.ram[REG_C] = 0;
	rtc_show_events(rtc);
	if (events & C_INTERRUPT)
		rtc_events_changed(rtc);
	return events;
}

/* --- waiting: the timer is the I/O thread's --- */

/* ns to what is to interrupt next; UINT64_MAX: nothing. */
static uint64_t to_next(const struct mc146818 *rtc)
{
	const uint8_t *ram = rtc->regs.ram;
	uint64_t next = UINT64_MAX, wait;
	int64_t second, alarm;

	if (ram[REG_C] & C_INTERRUPT)
		return next;
	if (ram[REG_B] & EVENT_PERIODIC && period(rtc))
		next = to_period(rtc, rtc->looked);
	if (!(ram[REG_B] & (EVENT_UPDATE | EVENT_ALARM)) || ram[REG_B] & B_SET)
		return next;
	second = seconds(rtc, rtc->regs.looked);
	alarm = second + 1;
	if (!(ram[REG_B] & EVENT_UPDATE))
		alarm = next_alarm(rtc, second, second + ALARM_LOOK);
	if (alarm == NEVER)
		alarm = second + ALARM_LOOK;
	wait = (uint64_t)(alarm - second) * NS_PER_S - rtc->regs.looked % NS_PER_S;
	return wait < next ? wait : next;
}

static void wait_for_next(void *arg)
{
	struct mc146818 *rtc = arg;
	uint64_t ns = UINT64_MAX;

	mutex_lock(&rtc->lock);
	if (rtc->runs) {
		rtc_look(rtc);
		ns = to_next(rtc);
	}
	rtc->waits = ns != UINT64_MAX;
	mutex_unlock(&rtc->lock);
	if (ns != UINT64_MAX)
		loop_timer_set(rtc->wires.loop, &rtc->timer, ns);
	else
		loop_timer_cancel(rtc->wires.loop, &rtc->timer);
}

void rtc_events_changed(struct mc146818 *rtc)
{
	if (rtc->wires.loop && rtc->runs && (rtc->waits || rtc->regs.ram[REG_B] & EVENTS))
		loop_post(rtc->wires.loop, &rtc->task);
}

void rtc_run(struct mc146818 *rtc, bool runs)
{
	mutex_lock(&rtc->lock);
	rtc->runs = runs;
	mutex_unlock(&rtc->lock);
	if (rtc->regs.ram[REG_B] & EVENTS || rtc->waits)
		wait_for_next(rtc);
}

void rtc_events_init(struct mc146818 *rtc)
{
	rtc->timer = (struct loop_timer){ .fire = wait_for_next, .arg = rtc };
	rtc->task = (struct loop_task){ .run = wait_for_next, .arg = rtc };
	rtc->regs.looked = clock_wall();
	rtc->looked = clock_monotonic();
}

void rtc_destroy(struct mc146818 *rtc)
{
	if (!rtc->wires.loop)
		return;
	loop_unpost(rtc->wires.loop, &rtc->task);
	loop_timer_cancel(rtc->wires.loop, &rtc->timer);
}

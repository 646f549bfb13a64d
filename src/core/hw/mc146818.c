/*
 * The real-time clock and CMOS RAM: time and registers. vCPU threads.
 *
 * Motorola MC146818A data sheet; the century at 0x32 as ACPI's FADT says. What
 * happens in its time: mc146818_events.c. The time runs on through a reset of the
 * machine; RAM and the alarm begin anew, as if the battery had been taken out.
 */
#include "core/hw/mc146818.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "core/bus/platform.h"
#include "core/hw/mc146818_private.h"
#include "core/kvm/coalesced.h"
#include "core/kvm/irq.h"
#include "core/kvm/memory.h"

#define REG_CENTURY 0x32

/* What firmware of old looked at; sizes, low byte first */
enum {
	REG_BASE_MEMORY = 0x15,	   /* KiB, at most 640 */
	REG_EXTENDED = 0x17,	   /* KiB above 1 MiB, at most 65535 */
	REG_EXTENDED_AGAIN = 0x30,
	REG_ABOVE_16_MIB = 0x34,   /* 64 KiB each, up to 4 GiB */
	REG_ABOVE_4_GIB = 0x5b,	   /* 64 KiB each, three bytes */
};

#define A_UPDATING 0x80u
#define A_STANDARD 0x26u /* 32768 Hz, 1024 Hz */
#define D_VALID 0x80u
#define HOUR_PM 0x80u

#define KIB 1024ull
#define MIB (1024 * KIB)
#define BASE_MEMORY (640 * KIB)

/* Registers must not be read from 244 us before a second's end on; the update takes 1984 us. */
#define UPDATE_NS 2228000u

/* Seconds; more than registers can tell, whose years end with 25755. */
#define OFFSET_MAX 1000000000000

uint8_t rtc_encode(const struct mc146818 *rtc, unsigned value)
{
	return (uint8_t)(rtc->regs.ram[REG_B] & B_BINARY ? value : value / 10 << 4 | value % 10);
}

uint8_t rtc_encode_hour(const struct mc146818 *rtc, unsigned hour)
{
	if (rtc->regs.ram[REG_B] & B_24_HOURS)
		return rtc_encode(rtc, hour);
	return rtc_encode(rtc, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOUR_PM : 0);
}

static unsigned decode(const struct mc146818 *rtc, unsigned value)
{
	return rtc->regs.ram[REG_B] & B_BINARY ? value : (value >> 4) * 10 + (value & 15);
}

static bool is_time(unsigned reg)
{
	return reg == REG_SECOND || reg == REG_MINUTE || reg == REG_HOUR ||
	       (reg >= REG_WEEKDAY && reg <= REG_YEAR) || reg == REG_CENTURY;
}

static void time_to_registers(struct mc146818 *rtc)
{
	time_t now = (time_t)((int64_t)(clock_wall() / NS_PER_S) + rtc->regs.offset);
	unsigned year;
	struct tm tm;

	if (!gmtime_r(&now, &tm))
		return;
	year = (unsigned)tm.tm_year + 1900;
	rtc->regs.ram[REG_SECOND] = rtc_encode(rtc, (unsigned)tm.tm_sec);
	rtc->regs.ram[REG_MINUTE] = rtc_encode(rtc, (unsigned)tm.tm_min);
	rtc->regs.ram[REG_HOUR] = rtc_encode_hour(rtc, (unsigned)tm.tm_hour);
	rtc->regs.ram[REG_WEEKDAY] = rtc_encode(rtc, (unsigned)tm.tm_wday + 1);
	rtc->regs.ram[REG_DAY] = rtc_encode(rtc, (unsigned)tm.tm_mday);
	rtc->regs.ram[REG_MONTH] = rtc_encode(rtc, (unsigned)tm.tm_mon + 1);
	rtc->regs.ram[REG_YEAR] = rtc_encode(rtc, year % 100);
	rtc->regs.ram[REG_CENTURY] = rtc_encode(rtc, year / 100 % 100);
}

/* Whatever the guest wrote is some time: timegm() carries what is out of range. */
static void registers_to_time(struct mc146818 *rtc)
{
	unsigned hour = rtc->regs.ram[REG_HOUR];
	struct tm tm = { 0 };

	if (rtc->regs.ram[REG_B] & B_24_HOURS)
		hour = decode(rtc, hour);
	else
		hour = decode(rtc, hour & ~HOUR_PM) % 12 + (hour & HOUR_PM ? 12 : 0);
	tm.tm_sec = (int)decode(rtc, rtc->regs.ram[REG_SECOND]);
	tm.tm_min = (int)decode(rtc, rtc->regs.ram[REG_MINUTE]);
	tm.tm_hour = (int)hour;
	tm.tm_mday = (int)decode(rtc, rtc->regs.ram[REG_DAY]);
	tm.tm_mon = (int)decode(rtc, rtc->regs.ram[REG_MONTH]) - 1;
	tm.tm_year = (int)(decode(rtc, rtc->regs.ram[REG_CENTURY]) * 100 +
			   decode(rtc, rtc->regs.ram[REG_YEAR])) - 1900;
	rtc->regs.offset = (int64_t)timegm(&tm) - (int64_t)(clock_wall() / NS_PER_S);
}

static uint8_t read_register(struct mc146818 *rtc, unsigned reg)
{
	bool stands = rtc->regs.ram[REG_B] & B_SET;

	if (reg == REG_A && !stands && clock_wall() % NS_PER_S >= NS_PER_S - UPDATE_NS)
		return rtc->regs.ram[REG_A] | A_UPDATING;
	if (reg == REG_C)
		return rtc_take_events(rtc);
	if (is_time(reg) && !stands)
		time_to_registers(rtc);
	return rtc->regs.ram[reg];
}

/* A change of format alone leaves what stands in the registers as it is. */
static void write_control(struct mc146818 *rtc, uint8_t value)
{
	bool stood = rtc->regs.ram[REG_B] & B_SET;

	if (value & B_SET)
		value &= (uint8_t)~EVENT_UPDATE;
	if (!stood && (value & B_SET))
		time_to_registers(rtc);
	rtc->regs.ram[REG_B] = value;
	if (stood && !(value & B_SET))
		registers_to_time(rtc);
}

static void write_time(struct mc146818 *rtc, unsigned reg, uint8_t value)
{
	bool stands = rtc->regs.ram[REG_B] & B_SET;

	if (!stands)
		time_to_registers(rtc);
	rtc->regs.ram[reg] = value;
	if (!stands)
		registers_to_time(rtc);
}

static bool is_alarm(unsigned reg)
{
	return reg == REG_SECOND_ALARM || reg == REG_MINUTE_ALARM || reg == REG_HOUR_ALARM;
}

static void write_register(struct mc146818 *rtc, unsigned reg, uint8_t value)
{
	if (reg == REG_C || reg == REG_D)
		return;
	if (!is_time(reg) && !is_alarm(reg) && reg != REG_A && reg != REG_B) {
		rtc->regs.ram[reg] = value;
		return;
	}
	/* What has happened did so by what stood there until now. */
	rtc_look(rtc);
	if (reg == REG_B)
		write_control(rtc, value);
	else if (is_time(reg))
		write_time(rtc, reg, value);
	else
		rtc->regs.ram[reg] = reg == REG_A ? value & (uint8_t)~A_UPDATING : value;
	rtc_show_events(rtc);
	rtc_events_changed(rtc);
}

/* The index port cannot be read on this chip set; it gives the index all the same. */
static void rtc_read(void *device, uint64_t offset, void *data, unsigned length)
{
	struct mc146818 *rtc = device;
	uint8_t *bytes = data;
	unsigned i;

	coalesced_drain(rtc->coalesced);
	mutex_lock(&rtc->lock);
	for (i = 0; i < length; i++)
		bytes[i] = offset + i == 0 ? rtc->regs.index : read_register(rtc, rtc->regs.index);
	mutex_unlock(&rtc->lock);
}

/* Bit 7 of the index would mask NMIs. Writes to it alone may wait. */
static void write_ports(void *device, uint64_t offset, const void *data, unsigned length)
{
	struct mc146818 *rtc = device;
	const uint8_t *bytes = data;
	unsigned i;

	mutex_lock(&rtc->lock);
	for (i = 0; i < length; i++) {
		if (offset + i == 0)
			rtc->regs.index = bytes[i] % RTC_RAM;
		else
			write_register(rtc, rtc->regs.index, bytes[i]);
	}
	mutex_unlock(&rtc->lock);
}

static void rtc_write(void *device, uint64_t offset, const void *data, unsigned length)
{
	const struct mc146818 *rtc = device;

	coalesced_drain(rtc->coalesced);
	write_ports(device, offset, data, length);
}

static const struct bus_ops rtc_ops = { "real-time clock", rtc_read, rtc_write };

int rtc_init(struct mc146818 *rtc, struct bus *bus, uint64_t port, const struct rtc_wires *wires,
	     struct cause *cause)
{
	int range = bus_add(bus, port, RTC_PORTS, &rtc_ops, rtc, cause);

	if (range < 0)
		return range;
	memset(rtc, 0, sizeof(*rtc));
	if (wires)
		rtc->wires = *wires;
	rtc_events_init(rtc);
	rtc->regs.ram[REG_A] = A_STANDARD;
	rtc->regs.ram[REG_B] = B_24_HOURS;
	rtc->regs.ram[REG_D] = D_VALID;
	return 0;
}

void rtc_save(struct mc146818 *rtc, struct rtc_registers *registers)
{
	coalesced_drain(rtc->coalesced);
	mutex_lock(&rtc->lock);
	*registers = rtc->regs;
	mutex_unlock(&rtc->lock);
}

const char *rtc_load(struct mc146818 *rtc, const struct rtc_registers *registers)
{
	if (registers->index >= RTC_RAM)
		return "index";
	if (registers->ram[REG_A] & A_UPDATING)
		return "register A";
	if (registers->ram[REG_C] & ~(EVENTS | C_INTERRUPT) ||
	    !(registers->ram[REG_C] & C_INTERRUPT) !=
		    !(registers->ram[REG_C] & registers->ram[REG_B] & EVENTS) ||
	    registers->ram[REG_D] != D_VALID)
		return "registers C and D";
	if (registers->offset < -OFFSET_MAX || registers->offset > OFFSET_MAX)
		return "time";
	mutex_lock(&rtc->lock);
	rtc->regs = *registers;
	rtc_show_events(rtc);
	mutex_unlock(&rtc->lock);
	return NULL;
}

static void put_size(struct mc146818 *rtc, unsigned reg, uint64_t size, uint64_t unit,
		     unsigned bytes)
{
	uint64_t max = (1ull << 8 * bytes) - 1, value = size / unit < max ? size / unit : max;

	for (unsigned i = 0; i < bytes; i++)
		rtc->regs.ram[reg + i] = (uint8_t)(value >> 8 * i);
}

void rtc_set_memory(struct mc146818 *rtc, uint64_t low, uint64_t high)
{
	uint64_t above = low > MIB ? low - MIB : 0, above_16 = low > 16 * MIB ? low - 16 * MIB : 0;

	put_size(rtc, REG_BASE_MEMORY, low < BASE_MEMORY ? low : BASE_MEMORY, KIB, 2);
	put_size(rtc, REG_EXTENDED, above, KIB, 2);
	put_size(rtc, REG_EXTENDED_AGAIN, above, KIB, 2);
	put_size(rtc, REG_ABOVE_16_MIB, above_16, 64 * KIB, 2);
	put_size(rtc, REG_ABOVE_4_GIB, high, 64 * KIB, 3);
}

static void set_irq(void *arg, bool level)
{
	const struct device_host *host = arg;

	irq_set_line(host->irq, PLATFORM_RTC_GSI, level);
}

static int create_rtc(struct device *device, struct cause *cause)
{
	struct device_host *host = device->host;
	const struct rtc_wires wires = { .loop = host->loop, .irq = set_irq, .arg = host };
	const struct guest_memory *memory = host->memory;
	struct mc146818 *rtc = device->state;
	int err = rtc_init(rtc, host->io, PLATFORM_CMOS_PORT, &wires, cause);

	if (err)
		return err;
	rtc->regs.offset = *host->clock_offset;
	rtc_set_memory(rtc, memory->regions[0].size, memory->size - memory->regions[0].size);
	rtc->coalesced = host->coalesced;
	coalesced_add(rtc->coalesced, PLATFORM_CMOS_PORT, 1, write_ports, rtc);
	return 0;
}

static void destroy_rtc(struct device *device)
{
	const struct mc146818 *rtc = device->state;

	if (rtc->wires.loop) /* else it was not created */
		*device->host->clock_offset = rtc->regs.offset;
	rtc_destroy(device->state);
}

static void start_rtc(struct device *device)
{
	rtc_run(device->state, true);
}

static bool stop_rtc(struct device *device)
{
	rtc_run(device->state, false);
	return true;
}

static void save_rtc(struct device *device, void *registers)
{
	rtc_save(device->state, registers);
}

static const char *load_rtc(struct device *device, const void *registers)
{
	return rtc_load(device->state, registers);
}

const struct device_type mc146818_device = {
	.name = "RTC",
	.size = sizeof(struct mc146818),
	.create = create_rtc,
	.destroy = destroy_rtc,
	.start = start_rtc,
	.stop = stop_rtc,
	.version = 2,
	.saved = sizeof(struct rtc_registers),
	.save = save_rtc,
	.load = load_rtc,
};

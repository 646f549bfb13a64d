/*
 * Time from the TSC, with its frequency from, in this order: KVM's clock page
 * (Documentation/virt/kvm/x86/msr.rst), CPUID 0x15, CPUID 0x40000010, PIT
 * channel 2. The clock page is also read as the time itself, so that it stands
 * still while the machine is paused, where the monitor sees to that.
 */
#include "clock.h"

#include "machine.h"

#define MSR_KVM_SYSTEM_TIME 0x4b564d01
#define MSR_KVM_STEAL_TIME 0x4b564d03
#define KVM_FEATURE_CLOCKSOURCE2 (1u << 3)
#define KVM_FEATURE_STEAL_TIME (1u << 5)
#define PIT_HZ 1193182ull

struct time_page {
	volatile uint32_t version;
	uint32_t pad;
	volatile uint64_t tsc, time;
	volatile uint32_t multiplier;
	volatile int8_t shift;
	volatile uint8_t flags;
	uint8_t pad2[2];
};

const char *clock_source = "none";

static struct time_page page __attribute__((aligned(64)));
static bool use_page, use_steal;
static uint64_t base_tsc, base_time, frequency = SECOND;
static uint64_t multiplier; /* ns of a tick, 32.32 */

static uint64_t scale(uint64_t ticks, uint64_t factor)
{
	return (uint64_t)((unsigned __int128)ticks * factor >> 32);
}

static bool setup_kvm(void)
{
	struct cpuid id = service_cpuid(0x40000000), features;
	uint64_t factor;

	if (id.b != 0x4b4d564b || id.c != 0x564b4d56 || id.d != 0x4d)
		return false;
	features = service_cpuid(0x40000001);
	use_steal = features.a & KVM_FEATURE_STEAL_TIME;
	if (!(features.a & KVM_FEATURE_CLOCKSOURCE2))
		return false;
	service_write_msr(MSR_KVM_SYSTEM_TIME, (uintptr_t)&page | 1);
	factor = page.multiplier;
	if (factor == 0)
		return false;
	use_page = true;
	clock_source = "kvmclock";
	frequency = page.shift < 0 ? (SECOND << 32) / factor << -page.shift
				   : (SECOND << 32) / factor >> page.shift;
	return true;
}

static bool setup_cpuid(void)
{
	struct cpuid id = service_cpuid(0);

	if (id.a >= 0x15) {
		id = service_cpuid(0x15);
		if (id.a != 0 && id.b != 0 && id.c != 0) {
			frequency = (uint64_t)id.c * id.b / id.a;
			clock_source = "TSC by CPUID 0x15";
			return true;
		}
	}
	id = service_cpuid(0x40000000);
	if (id.a >= 0x40000010 && id.a < 0x40000100) {
		id = service_cpuid(0x40000010);
		if (id.a > 1000) {
			frequency = id.a * 1000ull;
			clock_source = "TSC by CPUID 0x40000010";
			return true;
		}
	}
	return false;
}

/* Channel 2's count and the TSC at the same moment: the tightest of a few tries. */
static uint64_t sample_pit(unsigned *count)
{
	uint64_t best = NEVER, at = 0;

	for (unsigned i = 0; i < 10; i++) {
		uint64_t start = read_tsc(), end;
		unsigned value;

		out8(0x43, 0x80);
		end = read_tsc();
		value = in8(0x42);
		value |= in8(0x42) << 8;
		if (end - start < best) {
			best = end - start;
			at = start + best / 2;
			*count = value;
		}
	}
	return at;
}

static void setup_pit(void)
{
	unsigned first = 0, last = 0;
	uint64_t start, end;

	out8(0x61, (in8(0x61) & ~2) | 1);
	out8(0x43, 0xb0);
	out8(0x42, 0xff);
	out8(0x42, 0xff);
	start = sample_pit(&first);
	/* About 6 ms; a host that is late does not matter until the counter ends after 55 ms. */
	for (unsigned i = 0; i < 1000; i++) {
		end = sample_pit(&last);
		if (last > first || first - last > 7000)
			break;
	}
	if (last < first && end > start) {
		frequency = (end - start) * PIT_HZ / (first - last);
		clock_source = "TSC by PIT";
	}
}

void clock_setup(void)
{
	if (!setup_kvm() && !setup_cpuid())
		setup_pit();
	multiplier = (SECOND << 32) / frequency;
	base_tsc = read_tsc();
	base_time = clock_now() - 1;
}

uint64_t clock_now(void)
{
	uint64_t tsc, delta, time;
	uint32_t version;

	if (!use_page)
		return scale(read_tsc() - base_tsc, multiplier);
	do {
		version = page.version & ~1u;
		barrier();
		tsc = read_tsc();
		delta = tsc > page.tsc ? tsc - page.tsc : 0;
		delta = page.shift < 0 ? delta >> -page.shift : delta << page.shift;
		time = page.time + scale(delta, page.multiplier);
		barrier();
	} while (version != page.version);
	return time - base_time;
}

uint64_t clock_frequency(void)
{
	return frequency;
}

void clock_enable_steal(void *record)
{
	if (use_steal)
		service_write_msr(MSR_KVM_STEAL_TIME, (uintptr_t)record | 1);
}

static unsigned cmos(unsigned index)
{
	out8(0x70, index);
	return in8(0x71);
}

static unsigned from_bcd(unsigned value, bool binary)
{
	return binary ? value : (value >> 4) * 10 + (value & 15);
}

uint64_t clock_wall(void)
{
	bool binary;
	unsigned second, minute, hour, day, month, year, again;

	for (unsigned i = 0; i < 10; i++) {
		second = cmos(0);
		minute = cmos(2);
		hour = cmos(4);
		day = cmos(7);
		month = cmos(8);
		year = cmos(9);
		binary = cmos(11) & 4;
		again = cmos(0);
		if (again == second)
			break;
	}
	second = from_bcd(second, binary);
	minute = from_bcd(minute, binary);
	hour = from_bcd(hour & 0x7f, binary);
	day = from_bcd(day, binary);
	month = from_bcd(month, binary);
	year = 2000 + from_bcd(year, binary);
	if (second > 59 || minute > 59 || hour > 23 || day < 1 || day > 31 || month < 1 ||
	    month > 12)
		return 0;
	/* Days since 1970-01-01, with the year counted from March. */
	if (month <= 2) {
		month += 12;
		year--;
	}
	return ((365ull * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 +
		 day - 1 - 719468) *
			24 +
		hour) * 3600 +
	       minute * 60 + second;
}

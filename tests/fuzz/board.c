/*
 * libFuzzer: a guest at the small devices of the board: real-time clock, panic, watchdog, and
 * where the chip set leads interrupts. Each four bytes of the input are a step, a place and
 * what is written there; now and then the machine is paused, or its devices are saved and
 * others go on.
 */
#include <stdlib.h>
#include <string.h>

#include "core/bus/pci_function.h"
#include "core/bus/platform.h"
#include "lib/device_bench.h"
#include "lib/fuzz.h"

#define SEED(text) { text, sizeof(text) - 1 }
#define LPC (PLATFORM_ECAM_BASE + (0x1fu << 15))

enum { CLOCK_WRITE, CLOCK_READ, CONFIG, REGISTER, LOOK, ROUTE, SERVE, PAUSE, MOVE, STEPS };

const struct fuzz_seed fuzz_seeds[] = {
	/* An update interrupt, which is acknowledged, and an alarm with any second. */
	SEED("\0\x0b\x12\0\6\0\0\0\1\x0c\0\0\0\1\xff\0\0\3\xff\0\0\5\xff\0\0\x0b\x22\0\6\0\0\0\1\x0c\0\0"
	     "\0\x0a\x23\0\0\x0b\x42\0\7\0\0\0\6\0\0\0\x08\0\0\0\1\x0c\0\0"),
	/* The watchdog is unlocked, set, started and locked, and runs out; the kernel panics. */
	SEED("\3\x0c\x80\0\3\x0c\x86\0\3\x80\1\0\3\x0c\x80\0\3\x0c\x86\0\3\x84\1\0\2\x68\3\0\6\0\0\0\6\0\0\0"
	     "\4\x0c\0\0\x08\0\0\0\3\x0c\x80\0\3\x0c\x86\0\3\x4c\0\3\3\x10\1\0\3\x10\2\0\2\x60\x24\0"),
	SEED("\5\0\x0a\0\5\1\x0b\0\5\2\x80\0\5\3\x0f\0\x08\0\0\0\0\x0b\x80\0\0\0\x59\0\0\x0b\2\0"),
	{ NULL, 0 },
};

static const char *const names[] = { "watchdog", "panic" };

static void write(struct device_bench *bench, uint64_t address, unsigned value, unsigned length)
{
	bus_write(&bench->mmio, address, &value, length);
}

static uint64_t base(struct device_bench *bench, const char *name)
{
	uint32_t bar;

	bus_read(&bench->mmio, bench_function(bench, name) + PCI_BAR0, &bar, sizeof(bar));
	return bar & ~0xfu;
}

/* The clock's register. */
static void clock_port(struct device_bench *bench, uint8_t reg, uint8_t *value, bool in)
{
	bus_write(&bench->io, PLATFORM_CMOS_PORT, &reg, 1);
	if (in)
		bus_read(&bench->io, PLATFORM_CMOS_PORT + 1, value, 1);
	else
		bus_write(&bench->io, PLATFORM_CMOS_PORT + 1, value, 1);
}

/* What can be saved can be loaded. */
static void move(struct device_bench *bench)
{
	struct bench_saved saved = bench_save_devices(bench);
	struct cause cause;

	bench_destroy(bench);
	bench_create(bench, -1);
	REQUIRE(!bench_load(bench, saved.ram, saved.data, saved.size, &cause));
	devices_start(&bench->set);
	bench_saved_free(&saved);
}

/* Of a place: bit 4 is which device, bits 6 and 7 the width. */
static void step(struct device_bench *bench, const uint8_t *at)
{
	const char *name = names[at[1] >> 4 & 1];
	unsigned length = 1u << (at[1] >> 6 & 1 ? 1 : at[1] >> 7 ? 2 : 0);
	unsigned value = at[2] | (unsigned)at[3] << 8;
	uint8_t byte = at[2];
	uint64_t seen;

	switch (at[0] % STEPS) {
	case CLOCK_WRITE:
	case CLOCK_READ:
		clock_port(bench, at[1] & 0x7f, &byte, at[0] % STEPS == CLOCK_READ);
		break;
	case CONFIG:
		write(bench, bench_function(bench, names[at[3] & 1]) + at[1], value, 1);
		break;
	case REGISTER:
		write(bench, base(bench, name) + (at[1] & 0xf), value, length);
		break;
	case LOOK:
		bus_read(&bench->mmio, base(bench, name) + (at[1] & 0xf), &seen, length);
		break;
	case ROUTE:
		write(bench, LPC + 0x60 + (at[1] & 0xf), value, 1);
		break;
	case SERVE:
		bench_settle(bench);
		break;
	case PAUSE:
		bench_stop(bench);
		devices_start(&bench->set);
		break;
	case MOVE:
		move(bench);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct device_bench bench;

	bench_create(&bench, -1);
	devices_start(&bench.set);
	for (; size >= 4; data += 4, size -= 4)
		step(&bench, data);
	bench_destroy(&bench);
	return 0;
}

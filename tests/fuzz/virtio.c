/*
 * libFuzzer: what a guest puts into the queues and registers of the virtio devices. The
 * input is a script of steps of 8 bytes, each a byte that says what, one that says to which
 * device and queue, and six of values.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/device_bench.h"
#include "lib/fuzz.h"

#define STEP 8
#define STEPS_MAX 512
#define QUEUES 5
#define SEED(text) { text, sizeof(text) - 1 }

enum {
	DRIVER, DESCRIBE, OFFER, BYTES, CONFIG_WRITE, CONFIG_READ, SETTLE, PAUSE, TYPE, WINDOW,
	RESIZE, KINDS
};

/* Byte 1: the device in the low half, the queue in the high one. */
const struct fuzz_seed fuzz_seeds[] = {
	/* The disk: a read that is right. */
	SEED("\0\0\x01\0\0\0\0\0" "\1\0\0\1\0\0\x10\0" "\1\0\1\3\x10\0\0\2" "\1\0\2\2\x20\0\1\0"
	     "\2\0\0\0\0\0\0\0" "\6\0\0\0\0\0\0\0"),
	/* It grows, and what is new is read. */
	SEED("\0\0\x01\0\0\0\0\0" "\xa\0\0\0\0\0\x2\0" "\3\0\2\0\x80\0\0\0"
	     "\1\0\0\1\0\0\x10\0" "\1\0\1\3\x10\0\0\2" "\1\0\2\2\x20\0\1\0"
	     "\2\0\0\0\0\0\0\0" "\5\0\3\0\0\0\0\0" "\6\0\0\0\0\0\0\0"),
	/* The NIC: one frame to send. */
	SEED("\0\1\x02\0\0\0\0\0" "\1\x11\0\0\0\0\x48\0" "\2\x11\0\0\0\0\0\0" "\6\0\0\0\0\0\0\0"),
	/* Frames that stay for a while, over a pause, and become another. */
	SEED("\0\1\x02\0\0\0\0\0" "\3\x11\3\0\x0e\1\2\3" "\1\x11\0\0\0\0\x48\0"
	     "\2\x11\0\0\0\0\0\0" "\2\x11\0\0\0\0\0\0" "\6\0\0\0\0\0\0\0"
	     "\7\0\0\0\0\0\0\0" "\2\x11\0\0\0\0\0\0" "\1\x11\0\0\0\xc0\x48\0"
	     "\2\x11\1\0\0\0\0\0" "\6\0\0\0\0\0\0\0"),
	/* Random bytes, and a request that cannot be. */
	SEED("\0\2\x01\0\0\0\0\0" "\1\2\0\2\0\0\x40\0" "\2\2\0\0\0\0\0\0" "\7\2\0\0\0\0\0\0"
	     "\1\2\1\0\0\0\x40\0" "\2\2\1\0\0\0\0\0" "\6\0\0\0\0\0\0\0"),
	/* The balloon: two pages inflated, statistics, a free range reported. */
	SEED("\0\3\x05\0\x3e\0\0\0" "\3\0\0\0\x60\0\0\0" "\3\0\1\0\x61\0\0\0"
	     "\1\3\0\0\0\0\x8\0" "\2\3\0\0\0\0\0\0" "\1\x23\0\0\0\0\x14\0"
	     "\2\x23\0\0\0\0\0\0" "\1\x33\0\2\0\x20\0\x20" "\2\x33\0\0\0\0\0\0"
	     "\4\3\2\4\2\0\0\0" "\6\0\0\0\0\0\0\0"),
	/* The console: typed before there is room and after it, two lines, the window. */
	SEED("\x8\0\0\0abcd" "\0\5\2\0\1\0\0\0" "\1\5\0\2\0\0\3\0" "\2\5\0\0\0\0\0\0"
	     "\1\x15\0\1\x10\0\x50\0" "\1\x15\1\0\x20\0\0\1" "\2\x15\0\0\0\0\0\0"
	     "\x9\0\0\0\x18\0\x50\0" "\6\0\0\0\0\0\0\0" "\x8\0\0\0efgh"
	     "\4\5\2\x8\x21\0\0\0" "\6\0\0\0\0\0\0\0"),
	/* A socket's request, to nobody. */
	SEED("\0\4\3\0\0\0\0\0" "\3\0\0\0\3\0\0\0" "\3\0\2\0\2\0\0\0" "\3\0\4\0\1\0\0\0"
	     "\3\0\7\0\1\0\1\0" "\1\4\0\2\x10\0\0\2" "\2\4\0\0\0\0\0\0"
	     "\1\x14\0\0\0\0\x2c\0" "\2\x14\0\0\0\0\0\0" "\6\0\0\0\0\0\0\0"),
	{ NULL, 0 },
};

/* Most addresses are of the buffers; some are at the RAM's end, some nowhere. */
static uint64_t address_of(const uint8_t *at)
{
	uint64_t offset = (uint64_t)at[0] << 4 | (uint64_t)(at[1] & 0x3f) << 12;

	if (at[1] >= 0xc0)
		return ~0ull - offset;
	return at[1] >= 0x80 ? BENCH_RAM - (offset & 0xfff) : BENCH_BUFFERS + offset % 0xb0000;
}

static void take(struct device_bench *bench, const uint8_t *step)
{
	enum bench_device device = (step[1] & 0xf) % BENCH_DEVICES;
	unsigned n = (step[1] >> 4) % QUEUES, length = 1u << step[2] % 4;
	uint32_t value;

	memcpy(&value, step + 4, sizeof(value));
	switch (step[0] % KINDS) {
	case DRIVER:
		(void)bench_start_driver(bench, device, step[2] % (QUEUES + 1), value, step[3] & 1);
		break;
	case DESCRIBE:
		bench_describe(bench, device, n, step[2] % BENCH_RING, address_of(step + 4),
			       step[6] | (uint32_t)step[7] << 8, step[3]);
		break;
	case OFFER:
		bench_offer(bench, device, n, step[2]);
		bench_kick(bench, device, n);
		break;
	case BYTES:
		memcpy(bench_at(bench, BENCH_BUFFERS + (step[2] & 0x3fu) * 4), step + 4, 4);
		break;
	case CONFIG_WRITE:
		bench_set_config(bench, device, step[3] & 0x3f, value, length);
		break;
	case CONFIG_READ:
		bench_config(bench, device, step[3] & 0x3f, length);
		break;
	case TYPE:
		devices_input(&bench->set, CONSOLE_VIRTIO, step + 4, 4);
		break;
	case WINDOW:
		devices_window(&bench->set, CONSOLE_VIRTIO, value & 0xffff, value >> 16);
		break;
	case PAUSE:
		bench_stop(bench);
		devices_start(&bench->set);
		break;
	case RESIZE: /* a person does that, of a balloon and, which only grows, of a disk */
		(void)bench_resize(bench, device == BENCH_DISK ? "disk0" : "balloon",
				   value & 0xfffff, NULL);
		break;
	default:
		bench_settle(bench);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct device_bench bench;
	static int disk_fd = -2;

	if (disk_fd == -2)
		disk_fd = bench_disk_file();
	bench_create(&bench, disk_fd);
	devices_start(&bench.set);
	for (unsigned i = 0; i < STEPS_MAX && size >= STEP; i++, data += STEP, size -= STEP)
		if ((data[1] & 0xf) % BENCH_DEVICES != BENCH_DISK || disk_fd >= 0)
			take(&bench, data);
	bench_settle(&bench);
	bench_destroy(&bench);
	return 0;
}

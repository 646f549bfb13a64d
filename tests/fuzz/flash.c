/*
 * libFuzzer: a guest that writes to a flash chip. Each four bytes of the input are where,
 * what and how; now and then the file behind the chip refuses, and what is saved of the
 * chip is loaded by another one over the same cells.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/hw/cfi_flash.h"
#include "lib/fuzz.h"

#define SEED(text) { text, sizeof(text) - 1 }

#define SIZE (3 * CFI_FLASH_BLOCK)
#define STEP 4 /* bytes: two of an offset, what is written, how */

/* How: the last two bits are the length, a power of two. */
#define REFUSE 0x10
#define MOVE 0x20
#define LOOK 0x40

const struct fuzz_seed fuzz_seeds[] = {
	/* as OVMF looks for it, programs two bytes and erases a block */
	SEED("\0\0\x50\0\0\0\x70\x40\0\0\xff\x40\5\0\x10\0\5\0\xa5\0\6\0\x10\x20\6\0\x5a\x40\6\0\xff\x40"
	     "\0\x10\x20\0\0\x10\xd0\x40\0\x10\xff\x40"),
	/* words, at the ends, refused ones */
	SEED("\xf8\x2f\x40\3\xf8\x2f\x12\3\0\0\x10\2\0\0\x77\x12\0\0\x98\x40\0\0\x90\x40\xff\x2f\x20\0"
	     "\xff\x2f\xd0\x10\xff\x2f\x20\0\xff\x2f\x10\x60\0\0\x50\0\0\0\xff\x40"),
	{ NULL, 0 },
};

struct bench {
	struct bus bus;
	struct cfi_flash flash;
	uint8_t cells[SIZE], kept[SIZE];
	bool refuse, settled;
};

static int keep(void *arg, size_t offset, const void *cells, size_t size)
{
	struct bench *bench = arg;

	REQUIRE(size && size <= CFI_FLASH_BLOCK && offset <= SIZE - size);
	if (bench->refuse)
		return -EIO;
	memcpy(bench->kept + offset, cells, size);
	bench->settled = false;
	return 0;
}

static void settle(void *arg)
{
	((struct bench *)arg)->settled = true;
}

static void create(struct bench *bench)
{
	const struct cfi_flash_wires wires = { keep, settle, bench };

	memset(&bench->bus, 0, sizeof(bench->bus));
	memset(&bench->flash, 0, sizeof(bench->flash));
	if (cfi_flash_init(&bench->flash, &bench->bus, 0, bench->cells, SIZE, &wires, NULL) < 0)
		abort();
}

/* What is read is what stands in the slot; with nothing begun, the cells are to be read. */
static void look(struct bench *bench, uint64_t offset, unsigned length)
{
	uint8_t bytes[8], array = 0xff;

	bus_read(&bench->bus, offset, bytes, length);
	REQUIRE(!memcmp(bytes, bench->flash.view + offset, length));
	REQUIRE(!memcmp(bench->cells, bench->kept, SIZE));
	if (bench->flash.regs.pending)
		return;
	bus_write(&bench->bus, offset, &array, 1);
	REQUIRE(bench->settled);
	REQUIRE(!memcmp(bench->flash.view, bench->cells, SIZE));
}

static void move(struct bench *bench)
{
	struct cfi_flash_registers saved, again;
	uint8_t seen[SIZE];

	cfi_flash_save(&bench->flash, &saved);
	memcpy(seen, bench->flash.view, SIZE);
	cfi_flash_destroy(&bench->flash);
	create(bench);
	REQUIRE(!cfi_flash_load(&bench->flash, &saved));
	cfi_flash_save(&bench->flash, &again);
	REQUIRE(!memcmp(&saved, &again, sizeof(saved)));
	REQUIRE(!memcmp(seen, bench->flash.view, SIZE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bench bench;

	memset(bench.cells, 0xff, SIZE);
	memset(bench.kept, 0xff, SIZE);
	bench.settled = true;
	create(&bench);
	for (; size >= STEP; data += STEP, size -= STEP) {
		unsigned length = 1u << (data[3] & 3);
		uint64_t offset = (data[0] | (unsigned)data[1] << 8) % (SIZE - length + 1);
		uint8_t bytes[8];

		memset(bytes, data[2], sizeof(bytes));
		bench.refuse = data[3] & REFUSE;
		bus_write(&bench.bus, offset, bytes, length);
		if (data[3] & MOVE)
			move(&bench);
		if (data[3] & LOOK)
			look(&bench, offset, length);
	}
	cfi_flash_destroy(&bench.flash);
	return 0;
}

/*
 * libFuzzer: a guest that writes to the ports of a VGA. Each two bytes of the input are a
 * port and what is written to it; the screen is looked at in between, and what is saved of
 * the chip is loaded by another.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hw/vga.h"
#include "core/kvm/memory.h"
#include "lib/fuzz.h"

#define SEED(text) { text, sizeof(text) - 1 }

#define RAM (1u << 20)
#define PORTS 0x30u
#define WORD 0x80u /* of a port: two bytes are written to it */
#define LOOK 0x40u /* the screen is looked at, and the port read */

const struct fuzz_seed fuzz_seeds[] = {
	/* 80x25 text, then a large one, then graphics */
	SEED("\x12\x67\x24\x01\x25\x4f\x24\x12\x25\x8f\x24\x07\x25\x1f\x24\x09\x25\x4f\x24\x13\x25\x28"
	     "\x1e\x06\x1f\x0e\x10\x20\x40\x00\x24\x07\x25\xff\x24\x09\x25\x00\x24\x01\x25\xff\x6a\x00"
	     "\x24\x0c\x25\xff\x24\x0e\x25\xfe\x40\x00\x1f\x01\x40\x00"),
	SEED("\x17\xff\x59\x00\x59\x00\x59\x00\x59\x00\x18\xff\x19\x01\x19\x02\x19\x03\x99\x04"),
	{ NULL, 0 },
};

static void look(struct vga *vga, const struct guest_memory *memory)
{
	static struct screen screen;

	vga_screen(vga, memory, &screen);
	REQUIRE(screen.mode != SCREEN_NONE);
	REQUIRE(screen.mode != SCREEN_TEXT || (screen.columns && screen.columns <= SCREEN_COLUMNS_MAX));
	REQUIRE(screen.mode != SCREEN_TEXT || screen.rows <= SCREEN_ROWS_MAX);
	REQUIRE(!screen.cursor || (screen.row < screen.rows && screen.column < screen.columns));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vga_registers saved, again;
	struct vga vga, other;
	struct bus bus = { 0 }, bus_of_other = { 0 };
	struct guest_memory memory;
	uint8_t bytes[2];

	if (memory_create(&memory, RAM, NULL) < 0 || vga_init(&vga, &bus, 0, NULL) < 0 ||
	    vga_init(&other, &bus_of_other, 0, NULL) < 0)
		abort();
	for (; size >= 2; data += 2, size -= 2) {
		uint64_t port = data[0] & 0x3f;

		memset(bytes, data[1], sizeof(bytes));
		if (port < PORTS - 1)
			bus_write(&bus, port, bytes, data[0] & WORD ? 2 : 1);
		if (!(data[0] & LOOK))
			continue;
		bus_read(&bus, port, bytes, 1);
		look(&vga, &memory);
	}
	vga_save(&vga, &saved);
	REQUIRE(!vga_load(&other, &saved));
	vga_save(&other, &again);
	REQUIRE(memcmp(&saved, &again, sizeof(saved)) == 0);
	look(&other, &memory);
	memory_destroy(&memory);
	return 0;
}

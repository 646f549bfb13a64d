/*
 * Kernel images: any bytes, as the built-in image. What is accepted begins
 * inside the guest's memory, and a refusal says why.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "core/boot/boot.h"
#include "lib/fuzz.h"
#include "lib/pvh_image.h"

#define MEMORY_SIZE 0x4000000u

static const struct pvh_image elf = PVH_IMAGE(0x100);

/* Setup header at 0x1f1, one sector of setup, 1 KiB of kernel. */
static const uint8_t bzimage[2048] = {
	[0x1f1] = 1, [0x1f4] = 64, [0x1fe] = 0x55, 0xaa, 0xeb, 0x6a, 'H', 'd', 'r', 'S', 0x0f, 2,
	[0x22c] = 0xff, 0xff, 0xff, 0x7f, [0x232] = 0x20, [0x234] = 1, [0x236] = 1,
	[0x239] = 8, [0x25b] = 1, [0x262] = 0x90,
};

const struct fuzz_seed fuzz_seeds[] = {
	{ &elf, sizeof(elf) },
	{ bzimage, sizeof(bzimage) },
	{ NULL, 0 },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct guest_memory memory;
	const struct boot_image image = { .data = data, .size = size };
	const struct boot_source source = { .image = &image, .cmdline = "fuzz" };
	struct cause cause = { "" };
	struct boot_entry entry;

	if (!memory.size && memory_create(&memory, MEMORY_SIZE, &cause))
		abort();
	if (boot_load(&source, &memory, 0, &entry, &cause)) {
		assert(strncmp(cause.text, "the built-in guest: ", 20) == 0 ||
		       strncmp(cause.text, "cmdline: ", 9) == 0);
	} else {
		assert(memory_at(&memory, entry.rip, 1));
		assert(memory_at(&memory, entry.start_info, 1));
	}
	memory_clear(&memory);
	return 0;
}

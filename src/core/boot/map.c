/* What memory a guest is told of. The machine's thread. */
#include "core/boot/map.h"

#include "core/boot/load.h"
#include "core/bus/platform.h"

uint64_t boot_low_top(const struct guest_memory *memory)
{
	unsigned i;

	for (i = 0; i < memory->count; i++)
		if (memory->regions[i].base == 0)
			return memory->regions[i].size;
	return 0;
}

unsigned boot_memory_map(const struct guest_memory *memory, struct boot_range map[BOOT_MAP_MAX])
{
	uint64_t top = boot_low_top(memory);
	unsigned n = 0, i;

	map[n++] = (struct boot_range){ 0, PLATFORM_EBDA, BOOT_RANGE_RAM };
	map[n++] = (struct boot_range){ PLATFORM_EBDA, LOAD_RAM_BASE - PLATFORM_EBDA,
					BOOT_RANGE_RESERVED };
	if (top > LOAD_RAM_BASE)
		map[n++] = (struct boot_range){ LOAD_RAM_BASE, top - LOAD_RAM_BASE,
						BOOT_RANGE_RAM };
	map[n++] = (struct boot_range){ PLATFORM_ECAM_BASE, PLATFORM_ECAM_SIZE,
					BOOT_RANGE_RESERVED };
	for (i = 0; i < memory->count; i++)
		if (memory->regions[i].base >= MEMORY_HIGH_BASE)
			map[n++] = (struct boot_range){ memory->regions[i].base,
							memory->regions[i].size, BOOT_RANGE_RAM };
	return n;
}

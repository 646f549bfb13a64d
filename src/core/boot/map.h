/*
 * The memory map that a guest is told, and where its RAM ends. Any thread.
 */
#ifndef CORE_BOOT_MAP_H
#define CORE_BOOT_MAP_H

#include <stdint.h>

#include "core/kvm/memory.h"

/* The first address behind the RAM that begins at 0. */
uint64_t boot_low_top(const struct guest_memory *memory);

#define BOOT_MAP_MAX (MEMORY_REGIONS + 4)

/* Types as in e820 and in the PVH memory map. */
enum boot_range_type {
	BOOT_RANGE_RAM = 1,
	BOOT_RANGE_RESERVED = 2,
};

struct boot_range {
	uint64_t base;
	uint64_t size;
	enum boot_range_type type;
};

/* The memory map that a guest is told, by address; returns how many ranges there are. */
unsigned boot_memory_map(const struct guest_memory *memory, struct boot_range map[BOOT_MAP_MAX]);

#endif

/*
 * The RAM that the loader's memory map gives, and the page tables.
 */
#ifndef DEMO_MEMORY_H
#define DEMO_MEMORY_H

#include "lib.h"

/* hvm_start_info, Xen public/arch-x86/hvm/start_info.h */
struct start_info {
	uint32_t magic, version, flags, modules;
	uint64_t module_list, command_line, rsdp, memory_map;
	uint32_t memory_map_entries, reserved;
};

/* Maps 4 GiB and the RAM above, reads the map. False without a map that holds the image. */
bool memory_setup(const struct start_info *info);

/* All RAM, in bytes. */
uint64_t memory_size(void);

/* Zeroed RAM for good, aligned to 4096; NULL when there is none left. */
void *memory_take(size_t size);

/* A page of RAM below 640 KiB that nobody uses, or NULL. */
uint8_t *memory_low_page(void);

/* Maps device memory at 4 GiB or above too. False when that cannot be done. */
bool memory_map_device(uint64_t address, uint64_t size);

/*
 * The RAM that memory_take() left, as one row of pages of 4096 bytes: page n,
 * or NULL past its end.
 */
uint64_t memory_free_pages(void);
uint8_t *memory_free_page(uint64_t n);

#endif

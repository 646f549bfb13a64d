/*
 * RAM from the PVH memory map, and page tables of 2 MiB pages, which CPL 3
 * itself fills in: entries only turn from absent to present, so that no TLB
 * needs a flush. CPU 0, at the start; later read only.
 */
#include "memory.h"

#define START_MAGIC 0x336ec578
#define MAP_ENTRIES 64
#define MAP_RAM 1
#define PAGE_FLAGS 0xe7 /* present, writable, user, accessed, dirty, 2 MiB */
#define TABLE_FLAGS 0x67
#define LARGE 0x200000ull
#define GIB 0x40000000ull
#define ADDRESS_END (512 * GIB)

struct map_entry {
	uint64_t address, size;
	uint32_t type, reserved;
};

struct range {
	uint64_t start, end;
};

extern uint64_t page_top[512], page_first[512];
extern uint8_t boot_start[], image_end[];

static uint64_t page_low[3][512] __attribute__((aligned(4096)));
static struct range low, ranges[8]; /* RAM below 640 KiB; free RAM above the image */
static unsigned range_count;
static uint64_t total;

/* Page tables for what lies above 4 GiB come from the RAM too. */
static bool map(uint64_t start, uint64_t end)
{
	if (end > ADDRESS_END || end < start)
		return false;
	for (uint64_t at = start & -LARGE; at < end; at += LARGE) {
		uint64_t *entry = &page_top[at / GIB], *table;

		if (*entry == 0) {
			table = memory_take(4096);
			if (table == NULL)
				return false;
			*entry = (uintptr_t)table | TABLE_FLAGS;
		}
		table = (uint64_t *)(uintptr_t)(*entry & ~0xfffull);
		if (table[at / LARGE % 512] == 0)
			table[at / LARGE % 512] = at | PAGE_FLAGS;
	}
	return true;
}

static void map_low(void)
{
	uint64_t at = LARGE;

	for (unsigned i = 1; i < 512; i++, at += LARGE)
		page_first[i] = at | PAGE_FLAGS;
	for (unsigned t = 0; t < 3; t++) {
		for (unsigned i = 0; i < 512; i++, at += LARGE)
			page_low[t][i] = at | PAGE_FLAGS;
		page_top[t + 1] = (uintptr_t)page_low[t] | TABLE_FLAGS;
	}
}

/* Keeps [start, end) of the loader's own data out of the free ranges: they start above it. */
static void reserve(struct range *range, uint64_t start, uint64_t end)
{
	if (start >= range->end || end <= range->start || start >= end)
		return;
	if (start - range->start > range->end - end && start > range->start)
		range->end = start & ~0xfffull;
	else
		range->start = minimum((end + 0xfff) & ~0xfffull, range->end);
}

static void add(const struct map_entry *entry, const struct start_info *info)
{
	uint64_t end = entry->address + entry->size;
	struct range range = { (entry->address + 0xfff) & ~0xfffull, end & ~0xfffull };

	if (entry->type != MAP_RAM || end < entry->address || range.start >= range.end)
		return;
	total += entry->size;
	if (range.start < 0xa0000) {
		low = range;
		low.start = maximum(low.start, 0x1000);
		low.end = minimum(low.end, 0xa0000);
		reserve(&low, (uintptr_t)info, (uintptr_t)info + sizeof(*info));
		return;
	}
	reserve(&range, (uintptr_t)boot_start, (uintptr_t)image_end);
	reserve(&range, (uintptr_t)info, (uintptr_t)info + sizeof(*info));
	if (range_count < ARRAY_SIZE(ranges) && range.start < range.end)
		ranges[range_count++] = range;
}

bool memory_setup(const struct start_info *info)
{
	struct map_entry entries[MAP_ENTRIES];
	unsigned count;

	map_low();
	if (info->magic != START_MAGIC || info->version < 1 || info->memory_map == 0 ||
	    info->memory_map > UINT32_MAX)
		return false;
	count = minimum(info->memory_map_entries, MAP_ENTRIES);
	memcpy(entries, (void *)(uintptr_t)info->memory_map, count * sizeof(entries[0]));
	for (unsigned i = 0; i < count; i++)
		add(&entries[i], info);
	if (range_count == 0)
		return false;
	for (unsigned i = 0; i < range_count; i++)
		if (ranges[i].end > 4 * GIB &&
		    !map(maximum(ranges[i].start, 4 * GIB), ranges[i].end))
			ranges[i].end = ranges[i].start;
	return true;
}

uint64_t memory_size(void)
{
	return total;
}

void *memory_take(size_t size)
{
	size = (size + 0xfff) & ~(size_t)0xfff;
	for (unsigned i = 0; i < range_count; i++) {
		uint8_t *taken = (uint8_t *)(uintptr_t)ranges[i].start;

		if (ranges[i].start >= 4 * GIB || ranges[i].end - ranges[i].start < size)
			continue;
		ranges[i].start += size;
		return memset(taken, 0, size);
	}
	return NULL;
}

uint8_t *memory_low_page(void)
{
	return low.end >= low.start + 0x1000 ? (uint8_t *)(uintptr_t)low.start : NULL;
}

bool memory_map_device(uint64_t address, uint64_t size)
{
	return size <= GIB && (address + size <= 4 * GIB || map(address, address + size));
}

uint64_t memory_free_pages(void)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < range_count; i++)
		pages += (ranges[i].end - ranges[i].start) / 4096;
	return pages;
}

uint8_t *memory_free_page(uint64_t n)
{
	for (unsigned i = 0; i < range_count; i++) {
		uint64_t pages = (ranges[i].end - ranges[i].start) / 4096;

		if (n < pages)
			return (uint8_t *)(uintptr_t)(ranges[i].start + n * 4096);
		n -= pages;
	}
	return NULL;
}

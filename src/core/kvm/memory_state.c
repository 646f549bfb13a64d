/*
 * Saving and loading guest RAM. A record a region: where it lies, which of its pages
 * hold anything, a bit each, and then those pages. The machine's I/O thread.
 */
#include "core/kvm/memory.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define VERSION 1
#define PAGE 4096u

struct region_head {
	uint64_t base;
	uint64_t size; /* bytes */
};

static uint64_t count_pages(const struct memory_region *region)
{
	return region->size / PAGE;
}

/* Bytes of the head and of the bits, one a page. */
static size_t head_size(const struct memory_region *region)
{
	return sizeof(struct region_head) + (count_pages(region) + 7) / 8;
}

static bool is_zero(const uint8_t *page)
{
	return !page[0] && !memcmp(page, page + 1, PAGE - 1);
}

static void record_name(char name[STATE_NAME_MAX], unsigned region)
{
	snprintf(name, STATE_NAME_MAX, "memory/%u", region);
}

/*
 * Whether a page of a region is worth saving. A look at one that a file does not hold would
 * have it held, so what is held is asked for first, a piece at a time: bits, of which the
 * first is that of page 0 and of its multiples of their number.
 */
#define LOOKED_AT 512u

static bool is_used(const struct guest_memory *memory, const struct memory_region *region,
		    uint64_t page, unsigned char held[LOOKED_AT])
{
	uint64_t left = count_pages(region) - page;

	if (memory->backing == MEMORY_ANON)
		return !is_zero(region->host + page * PAGE);
	if (page % LOOKED_AT == 0 &&
	    mincore(region->host + page * PAGE, (left < LOOKED_AT ? left : LOOKED_AT) * PAGE,
		    held) < 0)
		memset(held, 1, LOOKED_AT);
	return (held[page % LOOKED_AT] & 1) && !is_zero(region->host + page * PAGE);
}

static void save_region(const struct guest_memory *memory, const struct memory_region *region,
			const char *name, struct state_writer *writer)
{
	struct region_head head = { region->base, region->size };
	uint64_t pages = count_pages(region), used = 0;
	unsigned char held[LOOKED_AT];
	uint8_t *record, *bits;

	for (uint64_t i = 0; i < pages; i++)
		used += is_used(memory, region, i, held);
	record = state_add(writer, name, VERSION, head_size(region) + used * PAGE);
	if (!record)
		return;
	memcpy(record, &head, sizeof(head));
	bits = record + sizeof(head);
	record += head_size(region);
	for (uint64_t i = 0; i < pages; i++) {
		if (!is_used(memory, region, i, held))
			continue;
		bits[i / 8] |= (uint8_t)(1 << i % 8);
		memcpy(record, region->host + i * PAGE, PAGE);
		record += PAGE;
	}
}

void memory_save(const struct guest_memory *memory, struct state_writer *writer)
{
	char name[STATE_NAME_MAX];

	for (unsigned i = 0; i < memory->count; i++) {
		record_name(name, i);
		save_region(memory, &memory->regions[i], name, writer);
	}
}

/* A whole record that describes this region, or a cause. */
static int check_region(const struct memory_region *region, const char *name,
			const uint8_t *data, size_t size, struct cause *cause)
{
	uint64_t pages = count_pages(region), used = 0;
	struct region_head head;

	memcpy(&head, data, sizeof(head));
	if (head.base != region->base || head.size != region->size)
		return state_refuse(cause, name, "%" PRIu64 " KiB at 0x%" PRIx64 ", but the guest "
				    "has %" PRIu64 " KiB at 0x%" PRIx64, head.size >> 10, head.base,
				    region->size >> 10, region->base);
	for (size_t i = sizeof(head); i < head_size(region); i++)
		used += (unsigned)__builtin_popcount(data[i]);
	if (pages % 8 && data[head_size(region) - 1] >> pages % 8)
		return state_refuse(cause, name, "pages behind its end");
	if (size - head_size(region) != used * PAGE)
		return state_refuse(cause, name, "%" PRIu64 " pages in %zu bytes", used,
				    size - head_size(region));
	return 0;
}

int memory_load(struct guest_memory *memory, struct state_reader *reader, struct cause *cause)
{
	char name[STATE_NAME_MAX];

	memory_clear(memory);
	for (unsigned i = 0; i < memory->count; i++) {
		const struct memory_region *region = &memory->regions[i];
		size_t size, head = head_size(region);
		const uint8_t *data, *page;
		int err;

		record_name(name, i);
		err = state_find(reader, name, VERSION, head, head + region->size, &data, &size,
				 cause);
		if (!err)
			err = check_region(region, name, data, size, cause);
		if (err)
			return err;
		page = data + head;
		data += sizeof(struct region_head);
		for (uint64_t n = 0; n < count_pages(region); n++) {
			if (!(data[n / 8] >> n % 8 & 1))
				continue;
			memcpy(region->host + n * PAGE, page, PAGE);
			page += PAGE;
		}
	}
	return 0;
}

/*
 * Saving and loading guest RAM. A record a region: where it lies, which of its pages
 * hold anything, a bit each, and then those pages. The machine's I/O thread.
 */
#include "core/kvm/memory.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
 * Where what a region's file holds begins and ends, in pages, from a page on: to look at what it
 * does not hold would have it held. Other memory is one piece.
 */
static void find_held(const struct guest_memory *memory, unsigned region, uint64_t from,
		      uint64_t *first, uint64_t *end)
{
	uint64_t pages = count_pages(&memory->regions[region]);
	off_t start, data, hole;

	*first = from;
	*end = pages;
	if (memory->backing != MEMORY_MEMFD)
		return;
	start = (off_t)memory_file_offset(memory, region);
	data = lseek(memory->fd, start + (off_t)(from * PAGE), SEEK_DATA);
	*first = data < 0 ? pages : (uint64_t)(data - start) / PAGE;
	if (*first >= pages) {
		*first = pages;
		return;
	}
	hole = lseek(memory->fd, data, SEEK_HOLE);
	if (hole >= 0 && (uint64_t)(hole - start) < pages * PAGE)
		*end = ((uint64_t)(hole - start) + PAGE - 1) / PAGE;
}

/* Sets the bits of pages that hold anything; returns how many there are. */
static uint64_t mark_used(const struct guest_memory *memory, unsigned region, uint8_t *bits)
{
	const uint8_t *host = memory->regions[region].host;
	uint64_t pages = count_pages(&memory->regions[region]), used = 0, first, end;

	for (uint64_t from = 0; from < pages; from = end) {
		find_held(memory, region, from, &first, &end);
		for (uint64_t i = first; i < end; i++) {
			if (is_zero(host + i * PAGE))
				continue;
			bits[i / 8] |= (uint8_t)(1 << i % 8);
			used++;
		}
	}
	return used;
}

/* What is held may change while it is looked at, so it is looked at once. */
static void save_region(const struct guest_memory *memory, unsigned region, const char *name,
			struct state_writer *writer)
{
	const struct memory_region *from = &memory->regions[region];
	struct region_head head = { from->base, from->size };
	size_t size = head_size(from) - sizeof(head);
	uint8_t *bits = calloc(1, size), *record;
	uint64_t used = bits ? mark_used(memory, region, bits) : 0;

	/* Without memory for the bits there is none for the record, which says so. */
	record = state_add(writer, name, VERSION, bits ? head_size(from) + used * PAGE : SIZE_MAX / 2);
	if (record && bits) {
		memcpy(record, &head, sizeof(head));
		memcpy(record + sizeof(head), bits, size);
		record += head_size(from);
		for (uint64_t i = 0; i < count_pages(from); i++) {
			if (!(bits[i / 8] & 1 << i % 8))
				continue;
			memcpy(record, from->host + i * PAGE, PAGE);
			record += PAGE;
		}
	}
	free(bits);
}

void memory_save(const struct guest_memory *memory, struct state_writer *writer)
{
	char name[STATE_NAME_MAX];

	for (unsigned i = 0; i < memory->count; i++) {
		record_name(name, i);
		save_region(memory, i, name, writer);
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

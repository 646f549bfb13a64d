/*
 * Guest RAM. memory_at() from any thread; the rest from the thread that builds
 * and ends the machine.
 */
#include "core/kvm/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "base/checked.h"

#define PAGE 4096u
#define HUGE_PAGE (2ull << 20)

#define HUGE_FROM (64ull << 20) /* smaller RAM is not worth a huge page's clearing */

/*
 * Large RAM is aligned to a huge page, so that the guest's 2 MiB pages can be
 * the host's. What the alignment leaves over stays mapped, which costs
 * nothing, while giving it back would make KVM look at every machine of the
 * process. The first bytes of the lowest RAM keep pages of 4 KiB: at each start
 * a few of them are touched, and the first touch of a huge page clears all of it.
 */
static int add_region(struct guest_memory *memory, uint64_t base, uint64_t size,
		      struct cause *cause)
{
	struct memory_region *region = &memory->regions[memory->count];
	uint64_t slack = size >= HUGE_FROM ? HUGE_PAGE : 0, small = base ? 0 : HUGE_PAGE;
	uint8_t *mapping = mmap(NULL, size + slack, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mapping == MAP_FAILED)
		return cause_errno(cause, errno, "memory: cannot map %" PRIu64 " MiB", size >> 20);
	region->mapping = region->host = mapping;
	region->mapped = size + slack;
	madvise(mapping, size + slack, MADV_DONTDUMP);
	if (slack) {
		region->host = mapping + (align_up((uintptr_t)mapping, HUGE_PAGE) -
					  (uintptr_t)mapping);
		madvise(region->host + small, size - small, MADV_HUGEPAGE);
	}
	region->base = base;
	region->size = size;
	memory->count++;
	memory->size += size;
	return 0;
}

int memory_create(struct guest_memory *memory, uint64_t size, struct cause *cause)
{
	uint64_t low = size < MEMORY_LOW_MAX ? size : MEMORY_LOW_MAX;
	int err;

	memset(memory, 0, sizeof(*memory));
	if (!size || size % PAGE)
		return cause_set(cause, EINVAL,
				 "memory: %" PRIu64 " bytes is no multiple of a page", size);
	err = add_region(memory, 0, low, cause);
	if (!err && size > low)
		err = add_region(memory, MEMORY_HIGH_BASE, size - low, cause);
	if (err)
		memory_destroy(memory);
	return err;
}

static int set_slot(int vm_fd, unsigned slot, uint64_t base, void *host, uint64_t size,
		    uint32_t flags, struct cause *cause)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = base,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host,
	};

	if (ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return cause_errno(cause, errno, "memory: KVM refuses %" PRIu64 " KiB at 0x%" PRIx64,
				   size >> 10, base);
	return 0;
}

int memory_attach(const struct guest_memory *memory, int vm_fd, struct cause *cause)
{
	int err = 0;

	for (unsigned i = 0; !err && i < memory->count; i++) {
		const struct memory_region *region = &memory->regions[i];

		err = set_slot(vm_fd, i, region->base, region->host, region->size, 0, cause);
	}
	return err;
}

int memory_map(int vm_fd, enum memory_slot slot, uint64_t base, void *host, uint64_t size,
	       bool readonly, struct cause *cause)
{
	return set_slot(vm_fd, slot, base, host, size, readonly ? KVM_MEM_READONLY : 0, cause);
}

void memory_clear(struct guest_memory *memory)
{
	for (unsigned i = 0; i < memory->count; i++)
		madvise(memory->regions[i].host, memory->regions[i].size, MADV_DONTNEED);
}

void memory_give_back(void *host, uint64_t length)
{
	uintptr_t first = align_up((uintptr_t)host, PAGE);
	uintptr_t end = ((uintptr_t)host + length) & ~(uintptr_t)(PAGE - 1);

	if (first < end)
		madvise((void *)first, end - first, MADV_DONTNEED);
}

void memory_destroy(struct guest_memory *memory)
{
	for (unsigned i = 0; i < memory->count; i++)
		munmap(memory->regions[i].mapping, memory->regions[i].mapped);
	memset(memory, 0, sizeof(*memory));
}

void *memory_at(const struct guest_memory *memory, uint64_t address, uint64_t length)
{
	if (!length)
		return NULL;
	for (unsigned i = 0; i < memory->count; i++) {
		const struct memory_region *region = &memory->regions[i];

		if (address >= region->base &&
		    range_inside(address - region->base, length, region->size))
			return region->host + (address - region->base);
	}
	return NULL;
}

int memory_write(const struct guest_memory *memory, uint64_t address, const void *from,
		 size_t length)
{
	void *to = memory_at(memory, address, length);

	if (!to)
		return length ? -EFAULT : 0;
	memcpy(to, from, length);
	return 0;
}

static uint64_t region_chunks(const struct memory_region *region)
{
	return align_up(region->size, MEMORY_CHUNK) / MEMORY_CHUNK;
}

/* Pages of one chunk that the host holds; a chunk that does not exist has none. */
static unsigned chunk_pages(const struct guest_memory *memory, uint64_t chunk)
{
	unsigned char pages[MEMORY_CHUNK / PAGE];
	unsigned held = 0;

	for (unsigned i = 0; i < memory->count; i++) {
		const struct memory_region *region = &memory->regions[i];
		uint64_t chunks = region_chunks(region), left;
		size_t count;

		if (chunk >= chunks) {
			chunk -= chunks;
			continue;
		}
		left = (region->size - chunk * MEMORY_CHUNK) / PAGE;
		count = left < sizeof(pages) ? left : sizeof(pages);
		if (mincore(region->host + chunk * MEMORY_CHUNK, count * PAGE, pages) < 0)
			return 0;
		for (size_t n = 0; n < count; n++)
			held += pages[n] & 1;
		break;
	}
	return held;
}

uint64_t memory_resident(const struct guest_memory *memory, struct memory_survey *survey,
			 uint64_t limit)
{
	uint64_t count = limit / MEMORY_CHUNK ? limit / MEMORY_CHUNK : 1;

	if (!survey->held) {
		for (unsigned i = 0; i < memory->count; i++)
			survey->chunks += region_chunks(&memory->regions[i]);
		survey->held = calloc(survey->chunks ? survey->chunks : 1, sizeof(*survey->held));
		if (!survey->held) {
			survey->chunks = 0;
			return 0;
		}
	}
	if (count > survey->chunks)
		count = survey->chunks;
	while (count--) {
		unsigned now = chunk_pages(memory, survey->next);

		survey->pages = survey->pages - survey->held[survey->next] + now;
		survey->held[survey->next] = (uint16_t)now;
		survey->next = survey->next + 1 < survey->chunks ? survey->next + 1 : 0;
	}
	return survey->pages * PAGE;
}

void memory_survey_end(struct memory_survey *survey)
{
	free(survey->held);
	memset(survey, 0, sizeof(*survey));
}

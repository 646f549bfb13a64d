/*
 * Guest RAM. memory_at() from any thread; the rest from the thread that builds
 * and ends the machine.
 */
#include "core/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "base/checked.h"

#define PAGE 4096u
#define HUGE_PAGE (2ull << 20)

/*
 * Aligned to a huge page, so that the guest's 2 MiB pages can be the host's;
 * the slack around the region is given back at once. The first small bytes keep
 * pages of 4 KiB: at each start a few of them are touched, and the first touch
 * of a huge page clears all of it.
 */
static void *map_aligned(uint64_t size, uint64_t small)
{
	uint64_t slack = size >= HUGE_PAGE ? HUGE_PAGE : 0;
	uint8_t *base = mmap(NULL, size + slack, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t before;

	if (base == MAP_FAILED)
		return NULL;
	if (slack) {
		before = align_up((uintptr_t)base, HUGE_PAGE) - (uintptr_t)base;
		if (before)
			munmap(base, before);
		if (slack - before)
			munmap(base + before + size, slack - before);
		base += before;
		if (size > small)
			madvise(base + small, size - small, MADV_HUGEPAGE);
	}
	return base;
}

static int add_region(struct guest_memory *memory, uint64_t base, uint64_t size,
		      struct cause *cause)
{
	struct memory_region *region = &memory->regions[memory->count];

	/* Loader and firmware tables are at the beginning of the lowest RAM. */
	region->host = map_aligned(size, base ? 0 : HUGE_PAGE);
	if (!region->host)
		return cause_errno(cause, errno, "memory: cannot map %" PRIu64 " MiB", size >> 20);
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

int memory_attach(const struct guest_memory *memory, int vm_fd, struct cause *cause)
{
	for (unsigned i = 0; i < memory->count; i++) {
		const struct memory_region *region = &memory->regions[i];
		struct kvm_userspace_memory_region slot = {
			.slot = i,
			.guest_phys_addr = region->base,
			.memory_size = region->size,
			.userspace_addr = (uintptr_t)region->host,
		};

		if (ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &slot) < 0)
			return cause_errno(cause, errno, "memory: KVM refuses %" PRIu64 " MiB at 0x%"
					   PRIx64, region->size >> 20, region->base);
	}
	return 0;
}

void memory_clear(struct guest_memory *memory)
{
	for (unsigned i = 0; i < memory->count; i++)
		madvise(memory->regions[i].host, memory->regions[i].size, MADV_DONTNEED);
}

void memory_destroy(struct guest_memory *memory)
{
	for (unsigned i = 0; i < memory->count; i++)
		munmap(memory->regions[i].host, memory->regions[i].size);
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

int memory_read(const struct guest_memory *memory, uint64_t address, void *to, size_t length)
{
	const void *from = memory_at(memory, address, length);

	if (!from)
		return length ? -EFAULT : 0;
	memcpy(to, from, length);
	return 0;
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

uint64_t memory_resident(const struct guest_memory *memory)
{
	unsigned char pages[4096];
	uint64_t resident = 0;

	for (unsigned i = 0; i < memory->count; i++) {
		const struct memory_region *region = &memory->regions[i];

		for (uint64_t at = 0; at < region->size; at += sizeof(pages) * PAGE) {
			uint64_t left = (region->size - at) / PAGE;
			size_t count = left < sizeof(pages) ? left : sizeof(pages);

			if (mincore(region->host + at, count * PAGE, pages) < 0)
				continue;
			for (size_t n = 0; n < count; n++)
				resident += pages[n] & 1;
		}
	}
	return resident * PAGE;
}

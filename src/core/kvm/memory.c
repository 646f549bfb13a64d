/*
 * Guest RAM. memory_at() from any thread; the rest from the thread that builds
 * and ends the machine.
 */
#include "core/kvm/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <linux/memfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checked.h"

#define PAGE 4096u
#define HUGE_FROM (64ull << 20) /* smaller RAM is not worth a huge page's clearing */

/*
 * Large RAM is aligned to a huge page, so that the guest's 2 MiB pages can be
 * the host's. What the alignment leaves over stays mapped, which costs
 * nothing, while giving it back would make KVM look at every machine of the
 * process. The first bytes of the lowest RAM keep pages of 4 KiB: at each start
 * a few of them are touched, and the first touch of a huge page clears all of it.
 */
static uint8_t *map_anonymous(struct memory_region *region, uint64_t size, bool lowest)
{
	uint64_t slack = size >= HUGE_FROM ? MEMORY_HUGE_PAGE : 0;
	uint64_t small = lowest ? MEMORY_HUGE_PAGE : 0;
	uint8_t *mapping = mmap(NULL, size + slack, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mapping == MAP_FAILED)
		return NULL;
	region->mapping = region->host = mapping;
	region->mapped = size + slack;
	if (slack) {
		region->host = mapping + (align_up((uintptr_t)mapping, MEMORY_HUGE_PAGE) -
					  (uintptr_t)mapping);
		madvise(region->host + small, size - small, MADV_HUGEPAGE);
	}
	return mapping;
}

/* Huge pages are reserved now: one that is missing later would be a SIGBUS. */
static uint8_t *map_file(const struct guest_memory *memory, struct memory_region *region,
			 uint64_t size)
{
	int reserve = memory->backing == MEMORY_HUGETLB ? 0 : MAP_NORESERVE;
	uint8_t *mapping = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | reserve,
				memory->fd, (off_t)memory->size);

	if (mapping == MAP_FAILED)
		return NULL;
	region->mapping = region->host = mapping;
	region->mapped = size;
	return mapping;
}

static int add_region(struct guest_memory *memory, uint64_t base, uint64_t size,
		      struct cause *cause)
{
	struct memory_region *region = &memory->regions[memory->count];
	uint8_t *mapping = memory->backing == MEMORY_ANON ? map_anonymous(region, size, !base) :
							    map_file(memory, region, size);

	if (!mapping && memory->backing == MEMORY_HUGETLB && errno == ENOMEM)
		return cause_set(cause, ENOMEM, "backing: the host has not set aside %" PRIu64
				 " MiB of huge pages; raise vm.nr_hugepages, or remove "
				 "backing=hugetlb", size >> 20);
	if (!mapping)
		return cause_errno(cause, errno, "memory: cannot map %" PRIu64 " MiB", size >> 20);
	madvise(mapping, region->mapped, MADV_DONTDUMP);
	region->base = base;
	region->size = size;
	memory->count++;
	memory->size += size;
	return 0;
}

/* A file of that size that will never have another: nobody who maps it can be made to fault. */
static int open_file(struct guest_memory *memory, uint64_t size, struct cause *cause)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;

	if (memory->backing == MEMORY_HUGETLB)
		flags |= MFD_HUGETLB | MFD_HUGE_2MB;
	memory->fd = memfd_create("vmdeck-ram", flags);
	if (memory->fd < 0)
		return cause_errno(cause, errno, "memory: cannot make a file for it");
	if (ftruncate(memory->fd, (off_t)size) < 0)
		return cause_errno(cause, errno, "memory: %" PRIu64 " MiB", size >> 20);
	if (fcntl(memory->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return cause_errno(cause, errno, "memory: its file cannot be sealed");
	return 0;
}

int memory_create(struct guest_memory *memory, uint64_t size, struct cause *cause)
{
	return memory_create_backed(memory, size, MEMORY_ANON, cause);
}

int memory_create_backed(struct guest_memory *memory, uint64_t size, enum memory_backing backing,
			 struct cause *cause)
{
	uint64_t low = size < MEMORY_LOW_MAX ? size : MEMORY_LOW_MAX;
	int err = 0;

	*memory = (struct guest_memory){ .backing = backing, .fd = -1 };
	if (!size || size % PAGE)
		return cause_set(cause, EINVAL,
				 "memory: %" PRIu64 " bytes is no multiple of a page", size);
	if (backing == MEMORY_HUGETLB && size % MEMORY_HUGE_PAGE)
		return cause_set(cause, EINVAL, "backing: huge pages need memory= to be a multiple "
				 "of 2M, and it is %" PRIu64 "M", size >> 20);
	if (backing != MEMORY_ANON)
		err = open_file(memory, size, cause);
	if (!err)
		err = add_region(memory, 0, low, cause);
	if (!err && size > low)
		err = add_region(memory, MEMORY_HIGH_BASE, size - low, cause);
	if (err)
		memory_destroy(memory);
	return err;
}

uint64_t memory_file_offset(const struct guest_memory *memory, unsigned region)
{
	uint64_t offset = 0;

	while (region)
		offset += memory->regions[--region].size;
	return offset;
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

/*
 * Pages of a file are gone only when the file no longer has them. A huge page that was set
 * aside stays: whoever touches it again must find one, and there may be none any more.
 */
static void give_back(const struct guest_memory *memory, void *host, uint64_t size)
{
	if (memory->backing != MEMORY_HUGETLB)
		madvise(host, size, memory->backing == MEMORY_ANON ? MADV_DONTNEED : MADV_REMOVE);
}

void memory_clear(struct guest_memory *memory)
{
	for (unsigned i = 0; i < memory->count; i++) {
		const struct memory_region *region = &memory->regions[i];

		if (memory->backing == MEMORY_HUGETLB)
			memset(region->host, 0, region->size);
		else
			give_back(memory, region->host, region->size);
	}
}

void memory_give_back(const struct guest_memory *memory, void *host, uint64_t length)
{
	uintptr_t first = align_up((uintptr_t)host, PAGE);
	uintptr_t end = ((uintptr_t)host + length) & ~(uintptr_t)(PAGE - 1);

	if (first < end)
		give_back(memory, (void *)first, end - first);
}

void memory_destroy(struct guest_memory *memory)
{
	for (unsigned i = 0; i < memory->count; i++)
		munmap(memory->regions[i].mapping, memory->regions[i].mapped);
	if (memory->backing != MEMORY_ANON && memory->fd >= 0)
		close(memory->fd);
	*memory = (struct guest_memory){ .fd = -1 };
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

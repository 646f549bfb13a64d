/*
 * Guest RAM: reached as (address, length) only, with overflow checks.
 *
 * Layout: RAM from 0 up to 2 GiB, the rest from 4 GiB on. The map does not
 * change while the machine lives, so any thread may read it.
 */
#ifndef CORE_KVM_MEMORY_H
#define CORE_KVM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/state.h"

#define MEMORY_LOW_MAX 0x80000000ull
#define MEMORY_HIGH_BASE 0x100000000ull
#define MEMORY_REGIONS 2

struct memory_region {
	uint64_t base; /* guest-physical */
	uint64_t size; /* bytes */
	uint8_t *host;
	void *mapping; /* host lies in it */
	uint64_t mapped; /* bytes */
};

/* Where the bytes are: of this process alone, or in a file that others can map (memfd_create(2)). */
enum memory_backing { MEMORY_ANON, MEMORY_MEMFD, MEMORY_HUGETLB };

#define MEMORY_HUGE_PAGE (2ull << 20) /* bytes; RAM of MEMORY_HUGETLB is a multiple of it */

struct guest_memory {
	struct memory_region regions[MEMORY_REGIONS];
	unsigned count;
	enum memory_backing backing;
	/*
	 * Of a file: sealed against shrinking and growing, the regions one behind the other.
	 * Whoever is given it can read and write all RAM. Not of MEMORY_ANON.
	 */
	int fd;
	uint64_t size; /* of all regions, bytes */
};

/* Maps size bytes (a multiple of 4096) of zeroed anonymous memory. */
int memory_create(struct guest_memory *memory, uint64_t size, struct cause *cause);

/*
 * The same of any backing. -ENOMEM with a cause that says what to do when the host has not
 * set aside as many huge pages, -EINVAL when size is not a multiple of one.
 */
int memory_create_backed(struct guest_memory *memory, uint64_t size, enum memory_backing backing,
			 struct cause *cause);

/* Where a region of a file begins in it, bytes. */
uint64_t memory_file_offset(const struct guest_memory *memory, unsigned region);

/* Registers the regions as slots 0.. of a KVM virtual machine; call it before KVM_CREATE_IRQCHIP. */
int memory_attach(const struct guest_memory *memory, int vm_fd, struct cause *cause);

/* Memory that a KVM virtual machine has beside the RAM, each a slot of its own. */
enum memory_slot {
	MEMORY_SLOT_ROM = MEMORY_REGIONS, /* firmware */
	MEMORY_SLOT_VARIABLES,		  /* of UEFI firmware */
};

/*
 * Registers size bytes at host, whole pages that stay until the machine ends, at base; a
 * write to what is read-only is an MMIO exit. Before KVM_CREATE_IRQCHIP it is fast; later it can
 * take milliseconds. A negative errno with a cause.
 */
int memory_map(int vm_fd, enum memory_slot slot, uint64_t base, void *host, uint64_t size,
	       bool readonly, struct cause *cause);

/*
 * Makes the RAM all zeroes again and gives the pages back to the host, but for huge ones that
 * are set aside. No vCPU may run.
 */
void memory_clear(struct guest_memory *memory);

/*
 * Gives the whole pages in [host, host + length), which memory_at() has returned, back to the
 * host: they are zeroes from then on. Of huge pages that are set aside nothing is given back,
 * and they stay as they are. Any thread.
 */
void memory_give_back(const struct guest_memory *memory, void *host, uint64_t length);

void memory_destroy(struct guest_memory *memory);

/*
 * The host address of [address, address + length) if all of it is RAM of one
 * region, else NULL. length 0 is NULL. Any thread.
 */
void *memory_at(const struct guest_memory *memory, uint64_t address, uint64_t length);

/* Copies into the guest; 0, or -EFAULT when not all of it is RAM. */
int memory_write(const struct guest_memory *memory, uint64_t address, const void *from,
		 size_t length);

/*
 * Saves the RAM, as a record a region; pages that are all zero cost a bit. No vCPU and no
 * device writes to it.
 */
void memory_save(const struct guest_memory *memory, struct state_writer *writer);

/*
 * Makes the RAM what was saved of one of the same size. No vCPU may run. -EINVAL with a
 * cause; RAM is then partly what it was, partly the new one.
 */
int memory_load(struct guest_memory *memory, struct state_reader *reader, struct cause *cause);

#define MEMORY_CHUNK (16ull << 20) /* as much as mincore() does in one go */

/* What is known of which pages the host holds, chunk by chunk. All zeroes at first. */
struct memory_survey {
	uint16_t *held; /* pages of each chunk; NULL before the first look */
	uint64_t chunks, next; /* next: where to go on */
	uint64_t pages; /* the sum of all */
};

/*
 * Bytes of the RAM that the host holds in memory (mincore). Looks at no more than limit
 * bytes of it, at least one chunk, going on where the last call ended and round; of the
 * rest it knows what it was at the last look. 0 when there is no memory to remember it.
 */
uint64_t memory_resident(const struct guest_memory *memory, struct memory_survey *survey,
			 uint64_t limit);

/* Forgets what is known: the memory is another. */
void memory_survey_end(struct memory_survey *survey);

#endif

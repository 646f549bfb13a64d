/*
 * An address space of a machine: one for I/O ports, one for MMIO.
 *
 * Ranges are added while the machine is built, by one thread; afterwards they
 * can be moved (a PCI BAR) by any vCPU thread while others dispatch, without
 * a lock. A handler gets the offset within its range and need not know its
 * address. What nobody claims reads as all ones and swallows writes.
 */
#ifndef CORE_BUS_BUS_H
#define CORE_BUS_BUS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/checked.h"
#include "core/bus/exit_path.h"

#define BUS_RANGES_NEAR 24 /* ranges that lie in the bus itself */
#define BUS_NOWHERE UINT64_MAX /* a base: the range is switched off */

struct bus_ops {
	const char *name;
	/*
	 * length is 1 to 8, any of them: an access across a page comes in two parts.
	 * offset + length lies within the range. vCPU thread.
	 */
	void (*read)(void *device, uint64_t offset, void *data, unsigned length);
	void (*write)(void *device, uint64_t offset, const void *data, unsigned length);
};

struct bus_range {
	_Atomic uint64_t base;
	uint64_t size;
	struct bus_ops ops; /* a copy: what an exit needs lies together */
	void *device;
};

/* All zero at first. */
struct bus {
	unsigned count; /* of ranges here */
	struct bus_range ranges[BUS_RANGES_NEAR];
	struct bus *more; /* those that found no room here, or NULL */
};

/* Frees what many ranges took. Nobody dispatches any more. */
void bus_destroy(struct bus *bus);

/*
 * Claims [base, base + size), or reserves a range that is off with base
 * BUS_NOWHERE. Returns its number for bus_move(), or -EEXIST with a cause that
 * names both when it overlaps another, -ENOMEM.
 */
int bus_add(struct bus *bus, uint64_t base, uint64_t size, const struct bus_ops *ops,
	    void *device, struct cause *cause);

/*
 * As bus_add(), but the range may lie around others that are there: what lies
 * within one of those goes on being its.
 */
int bus_add_around(struct bus *bus, uint64_t base, uint64_t size, const struct bus_ops *ops,
		   void *device, struct cause *cause);

/* Moves a range, or switches it off with BUS_NOWHERE. Where ranges overlap the older one answers. */
void bus_move(struct bus *bus, int range, uint64_t base);

/* The range that takes [address, address + length), and the offset in it; NULL if none. */
static inline const struct bus_range *bus_find(struct bus *bus, uint64_t address, unsigned length,
					       uint64_t *offset)
{
	do {
		for (unsigned i = 0; i < bus->count; i++) {
			const struct bus_range *range = &bus->ranges[i];
			uint64_t base = atomic_load_explicit(&range->base, memory_order_relaxed);

			/* A base above address, BUS_NOWHERE too, gives an offset out of range. */
			*offset = address - base;
			if (address >= base && range_inside(*offset, length, range->size))
				return range;
		}
		bus = bus->more;
	} while (unlikely(bus));
	return NULL;
}

/* What a read finds where no range is; for bus_read(). */
void bus_read_nobody(void *data, unsigned length);

/* An access of length 1 to 8 bytes. vCPU thread. */
static inline void bus_read(struct bus *bus, uint64_t address, void *data, unsigned length)
{
	uint64_t offset;
	const struct bus_range *range = bus_find(bus, address, length, &offset);

	if (likely(range))
		range->ops.read(range->device, offset, data, length);
	else
		bus_read_nobody(data, length);
}

static inline void bus_write(struct bus *bus, uint64_t address, const void *data, unsigned length)
{
	uint64_t offset;
	const struct bus_range *range = bus_find(bus, address, length, &offset);

	if (likely(range))
		range->ops.write(range->device, offset, data, length);
}

#endif

/*
 * Port and MMIO dispatch. Reads and writes on vCPU threads, without a lock: a
 * range's base is one atomic, and a range that has been added stays.
 */
#include "core/bus.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"

int bus_add(struct bus *bus, uint64_t base, uint64_t size, const struct bus_ops *ops,
	    void *device, struct cause *cause)
{
	struct bus_range *range;

	if (bus->count == BUS_RANGES_MAX)
		return cause_set(cause, ENOSPC, "%s: the bus has no room for another device",
				 ops->name);
	for (unsigned i = 0; base != BUS_NOWHERE && i < bus->count; i++) {
		uint64_t other = atomic_load(&bus->ranges[i].base);

		if (other != BUS_NOWHERE &&
		    range_overlap(base, size, other, bus->ranges[i].size))
			return cause_set(cause, EEXIST, "%s: 0x%" PRIx64 " overlaps %s at 0x%" PRIx64,
					 ops->name, base, bus->ranges[i].ops.name, other);
	}
	range = &bus->ranges[bus->count];
	range->size = size;
	range->ops = *ops;
	range->device = device;
	atomic_store(&range->base, base);
	return (int)bus->count++;
}

void bus_move(struct bus *bus, int range, uint64_t base)
{
	atomic_store_explicit(&bus->ranges[range].base, base, memory_order_relaxed);
}

/* The range that takes [address, address + length), and the offset in it; NULL if none. */
static inline const struct bus_range *find(struct bus *bus, uint64_t address, unsigned length,
					   uint64_t *offset)
{
	for (unsigned i = 0; i < bus->count; i++) {
		const struct bus_range *range = &bus->ranges[i];
		uint64_t base = atomic_load_explicit(&range->base, memory_order_relaxed);

		/* A base above address, BUS_NOWHERE too, gives an offset that is out of range. */
		*offset = address - base;
		if (address >= base && range_inside(*offset, length, range->size))
			return range;
	}
	atomic_fetch_add_explicit(&bus->unclaimed, 1, memory_order_relaxed);
	return NULL;
}

void bus_read(struct bus *bus, uint64_t address, void *data, unsigned length)
{
	uint64_t offset;
	const struct bus_range *range = find(bus, address, length, &offset);

	if (range)
		range->ops.read(range->device, offset, data, length);
	else
		memset(data, 0xff, length);
}

void bus_write(struct bus *bus, uint64_t address, const void *data, unsigned length)
{
	uint64_t offset;
	const struct bus_range *range = find(bus, address, length, &offset);

	if (range)
		range->ops.write(range->device, offset, data, length);
}

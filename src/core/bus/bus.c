/*
 * What claims an address space. A range that has been added stays, and its base
 * is one atomic, so that dispatch needs no lock. The thread that builds the
 * machine; bus_move() on any vCPU's.
 */
#include "core/bus/bus.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

/* -EEXIST with a cause if the range overlaps one of these, around which it may not lie. */
static int look_for_overlap(const struct bus *bus, uint64_t base, uint64_t size, const char *name,
			    bool around, struct cause *cause)
{
	for (unsigned i = 0; base != BUS_NOWHERE && i < bus->count; i++) {
		uint64_t other = atomic_load(&bus->ranges[i].base);

		if (other == BUS_NOWHERE ||
		    !range_overlap(base, size, other, bus->ranges[i].size))
			continue;
		if (!around || !range_inside(other - base, bus->ranges[i].size, size))
			return cause_set(cause, EEXIST, "%s: 0x%" PRIx64 " overlaps %s at 0x%" PRIx64,
					 name, base, bus->ranges[i].ops.name, other);
	}
	return 0;
}

static int add(struct bus *bus, uint64_t base, uint64_t size, const struct bus_ops *ops,
	       void *device, bool around, struct cause *cause)
{
	struct bus_range *range;
	int err, before = 0;

	while (!(err = look_for_overlap(bus, base, size, ops->name, around, cause)) && bus->more) {
		before += BUS_RANGES_NEAR;
		bus = bus->more;
	}
	if (err)
		return err;
	if (bus->count == BUS_RANGES_NEAR) {
		bus->more = calloc(1, sizeof(*bus));
		if (!bus->more)
			return cause_errno(cause, ENOMEM, "%s", ops->name);
		before += BUS_RANGES_NEAR;
		bus = bus->more;
	}
	range = &bus->ranges[bus->count];
	range->size = size;
	range->ops = *ops;
	range->device = device;
	atomic_store(&range->base, base);
	return before + (int)bus->count++;
}

void bus_destroy(struct bus *bus)
{
	struct bus *more = bus->more;

	bus->more = NULL;
	while (more) {
		struct bus *next = more->more;

		free(more);
		more = next;
	}
}

int bus_add(struct bus *bus, uint64_t base, uint64_t size, const struct bus_ops *ops,
	    void *device, struct cause *cause)
{
	return add(bus, base, size, ops, device, false, cause);
}

int bus_add_around(struct bus *bus, uint64_t base, uint64_t size, const struct bus_ops *ops,
		   void *device, struct cause *cause)
{
	return add(bus, base, size, ops, device, true, cause);
}

void bus_move(struct bus *bus, int range, uint64_t base)
{
	for (; range >= (int)BUS_RANGES_NEAR; range -= (int)BUS_RANGES_NEAR)
		bus = bus->more;
	atomic_store_explicit(&bus->ranges[range].base, base, memory_order_relaxed);
}

void bus_read_nobody(void *data, unsigned length)
{
	memset(data, 0xff, length);
}

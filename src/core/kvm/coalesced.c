/* The ring of writes that KVM keeps. Any thread. */
#include "core/kvm/coalesced.h"

#include <sys/ioctl.h>

#include "base/checked.h"

void coalesced_add(struct coalesced *coalesced, uint64_t port, uint64_t size,
		   coalesced_write *write, void *device)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = port, .size = (uint32_t)size, .pio = 1 };

	if (!coalesced || coalesced->vm_fd < 0 || coalesced->count == COALESCED_ZONES ||
	    ioctl(coalesced->vm_fd, KVM_REGISTER_COALESCED_MMIO, &zone) < 0)
		return;
	coalesced->zones[coalesced->count++] =
		(struct coalesced_zone){ port, size, write, device };
}

static void apply(const struct coalesced *coalesced, const struct kvm_coalesced_mmio *entry)
{
	for (unsigned i = 0; i < coalesced->count; i++) {
		const struct coalesced_zone *zone = &coalesced->zones[i];
		uint64_t offset = entry->phys_addr - zone->port;

		if (entry->phys_addr < zone->port || !range_inside(offset, entry->len, zone->size))
			continue;
		if (zone->write)
			zone->write(zone->device, offset, entry->data, entry->len);
		return;
	}
}

/* As far as the ring reaches now: other vCPUs may go on writing. */
void coalesced_drain_ring(struct coalesced *coalesced)
{
	struct kvm_coalesced_mmio_ring *ring = coalesced->ring;
	uint32_t at, end;

	mutex_lock(&coalesced->lock);
	end = __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE);
	for (at = ring->first; at != end;
	     __atomic_store_n(&ring->first, at, __ATOMIC_RELEASE)) {
		apply(coalesced, &ring->coalesced_mmio[at]);
		at = (at + 1) % COALESCED_ENTRIES;
	}
	mutex_unlock(&coalesced->lock);
}

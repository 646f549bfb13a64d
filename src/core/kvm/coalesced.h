/*
 * Writes to ports that KVM keeps in a ring until somebody asks for them, so that they
 * make no exit. KVM api.rst §4.116, and KVM_CAP_COALESCED_PIO.
 *
 * For registers whose writes do nothing that is seen before their own device is asked
 * next: an index, a palette. That device has done what waits, by coalesced_drain(),
 * before it serves an access or is looked at; other exits know nothing of the ring.
 * KVM keeps the writes of all vCPUs in their order. One leaves the ring when it has
 * been done and not before, so who finds the ring empty finds the registers right,
 * also while another thread drains it.
 */
#ifndef CORE_KVM_COALESCED_H
#define CORE_KVM_COALESCED_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mutex.h"

#define COALESCED_ZONES 8
#define COALESCED_ENTRIES                                        \
	((4096 - sizeof(struct kvm_coalesced_mmio_ring)) /       \
	 sizeof(struct kvm_coalesced_mmio))

/* What is done with a write to a zone; NULL: nothing. As in struct bus_ops, but on any thread. */
typedef void coalesced_write(void *device, uint64_t offset, const void *data, unsigned length);

struct coalesced_zone {
	uint64_t port, size;
	coalesced_write *write;
	void *device;
};

/* Of a machine. All zero but for vm_fd at first. */
struct coalesced {
	int vm_fd; /* -1: this KVM keeps no writes to ports */
	struct kvm_coalesced_mmio_ring *ring; /* in the first vCPU's pages, while there is one */
	struct mutex lock; /* of who drains; held while write() is called */
	unsigned count;
	struct coalesced_zone zones[COALESCED_ZONES];
};

/*
 * KVM keeps writes that lie within [port, port + size) from now on; where it cannot, they go
 * on being exits. NULL is valid. The thread that builds the machine, before it has a vCPU.
 */
void coalesced_add(struct coalesced *coalesced, uint64_t port, uint64_t size,
		   coalesced_write *write, void *device);

/* For coalesced_drain(). */
void coalesced_drain_ring(struct coalesced *coalesced);

/*
 * Does what waits: every write before the caller's own access. NULL is valid. Any thread, with no
 * lock held that a zone's write() takes.
 */
static inline void coalesced_drain(struct coalesced *coalesced)
{
	const struct kvm_coalesced_mmio_ring *ring = coalesced ? coalesced->ring : NULL;

	if (ring && __atomic_load_n(&ring->first, __ATOMIC_ACQUIRE) !=
			    __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE))
		coalesced_drain_ring(coalesced);
}

#endif

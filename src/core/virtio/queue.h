/*
 * A split virtqueue, seen from the device. virtio 1.2 §2.7.
 *
 * The driver is hostile: ring addresses, indices, chains and lengths are
 * checked, every walk is bounded, and a descriptor is copied before it is
 * looked at. A queue that breaks the rules stays broken (virtq_pop() returns
 * -EINVAL) until the device is reset. A queue is used by one thread at a time.
 */
#ifndef CORE_VIRTIO_QUEUE_H
#define CORE_VIRTIO_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "core/kvm/memory.h"

#define VIRTQ_SIZE_MAX 4096 /* descriptors */
#define VIRTQ_CHAIN_MAX 256 /* descriptors of the longest chain */

struct virtq {
	/* Set up by the transport while the queue is off. */
	const struct guest_memory *memory;
	uint16_t size; /* a power of two, 1..VIRTQ_SIZE_MAX */
	bool event_idx; /* VIRTIO_F_EVENT_IDX was negotiated */
	bool enabled;
	uint64_t descriptor_address, driver_address, device_address;

	/* Valid while enabled. */
	const struct virtq_descriptor *descriptors;
	uint8_t *driver; /* available ring */
	uint8_t *device; /* used ring */
	uint16_t next_available; /* index of the next entry to pop */
	uint16_t next_used;	 /* index that virtq_push() fills next */
	uint16_t published;	 /* used index that the driver has seen */
	bool broken;
};

/* One buffer taken from the queue. iov points into guest memory. */
struct virtq_chain {
	uint16_t head;	     /* for virtq_push() */
	unsigned read_count; /* iovecs that the device reads, first in the array */
	unsigned write_count; /* iovecs that the device writes, after them */
	uint32_t read_size, write_size; /* bytes in all */
};

/* What is saved of a queue. */
struct __attribute__((packed)) virtq_registers {
	uint64_t descriptor_address, driver_address, device_address;
	uint16_t size;
	uint8_t enabled, event_idx, broken; /* 0 or 1 */
	uint16_t next_available, next_used, published;
};

/* Checks size and addresses and maps the rings. 0, or -EINVAL: the queue stays off. */
int virtq_enable(struct virtq *queue);
void virtq_disable(struct virtq *queue);

/*
 * Takes the next available buffer. 1 and a chain with at most room iovecs; 0
 * when there is none; -EINVAL for a broken ring, also one with more segments
 * than room. A descriptor of length 0 is left out of iov.
 */
int virtq_pop(struct virtq *queue, struct virtq_chain *chain, struct iovec *iov, unsigned room);

/*
 * What was popped breaks the rules of the device's type: nothing more comes from
 * this queue until a reset. -EINVAL, as virtq_pop() from now on.
 */
int virtq_break(struct virtq *queue);

/* Puts the last popped buffer back, as if it had not been popped. */
void virtq_unpop(struct virtq *queue);

/* Returns a buffer of which written bytes were filled. Seen by the driver after virtq_publish(). */
void virtq_push(struct virtq *queue, uint16_t head, uint32_t written);

/* Shows the pushed buffers to the driver. True when it wants an interrupt for them. */
bool virtq_publish(struct virtq *queue);

/*
 * Somebody else serves the rings of an enabled queue, and has stopped before entry next of the
 * available ring. True when all that was taken has been returned; then the queue goes on there.
 */
bool virtq_take_over(struct virtq *queue, uint16_t next);

/*
 * After that one's sudden end: the queue goes on behind what has been returned. What was taken
 * before that is to be taken again first, whatever else there is.
 */
void virtq_recover(struct virtq *queue);

/* The used index in the ring: so many chains have been returned, modulo 2^16. */
uint16_t virtq_returned(const struct virtq *queue);

/* How many chains are available or taken: 0..size, or -EINVAL: the rings are broken. */
int virtq_unreturned(const struct virtq *queue);

/*
 * As virtq_pop() for a chain that somebody else has taken, whose head is below size. 0 or
 * -EINVAL.
 */
int virtq_retake(struct virtq *queue, uint16_t head, struct virtq_chain *chain, struct iovec *iov,
		 unsigned room);

/* Everything that was popped has been pushed, unless the queue is broken. */
void virtq_save(const struct virtq *queue, struct virtq_registers *registers);

/*
 * Takes over what was saved; memory is set, the queue is off. size_max: the largest that
 * the device offers. NULL, or what of it cannot be so.
 */
const char *virtq_load(struct virtq *queue, const struct virtq_registers *registers,
		       uint16_t size_max);

/* Whether a buffer is available now. */
bool virtq_pending(const struct virtq *queue);

/* How many are, of an enabled queue. The driver says so: more than there can be is broken. */
uint16_t virtq_available(const struct virtq *queue);

/*
 * Asks for, or asks not to be given, notifications of new buffers. After
 * asking for them the caller looks once more: virtq_pending().
 */
void virtq_want_kicks(struct virtq *queue, bool want);

#endif

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
#include <string.h>
#include <sys/uio.h>

#include "core/kvm/memory.h"

#define VIRTQ_SIZE_MAX 4096 /* descriptors */
#define VIRTQ_CHAIN_MAX 256 /* descriptors of the longest chain */

#define VIRTQ_WRITE 2u /* flag of a descriptor: the device writes to it, §2.7.5 */

struct virtq_descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags;
	uint16_t next;
};

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

/*
 * How far the available ring is filled, for virtq_pop_single(): loaded once for many of them. As
 * far as has been popped if that cannot be, or the queue is broken or off.
 */
uint16_t virtq_filled(const struct virtq *queue);

/*
 * The same as virtq_pop() of a buffer of one descriptor with exactly these flags, 0 or VIRTQ_WRITE,
 * and length bytes, but quicker. NULL: the next one is none of those, or there is none; nothing was
 * popped, and virtq_pop() tells.
 */
static inline uint8_t *virtq_pop_single(struct virtq *queue, uint16_t filled, uint16_t flags,
					uint16_t *head, uint32_t *length)
{
	struct virtq_descriptor descriptor;
	const uint16_t *entries;
	uint8_t *host;

	if (queue->next_available == filled) /* also of a queue that is off, without rings */
		return NULL;
	entries = (const uint16_t *)(const void *)(queue->driver + 4);
	*head = __atomic_load_n(&entries[queue->next_available & (queue->size - 1u)],
				__ATOMIC_RELAXED);
	if (*head >= queue->size)
		return NULL;
	memcpy(&descriptor, queue->descriptors + *head, sizeof(descriptor));
	__atomic_signal_fence(__ATOMIC_SEQ_CST); /* what is looked at is the copy */
	if (descriptor.flags != flags)
		return NULL;
	host = memory_at(queue->memory, descriptor.address, descriptor.length);
	if (!host)
		return NULL;
	*length = descriptor.length;
	queue->next_available++;
	return host;
}

/* Looks again at a chain that was popped, whose head is below the queue's size. 0 or -EINVAL. */
int virtq_look(struct virtq *queue, uint16_t head, struct virtq_chain *chain, struct iovec *iov,
	       unsigned room);

/* Puts the last popped buffer back, as if it had not been popped. */
static inline void virtq_unpop(struct virtq *queue)
{
	queue->next_available--;
}

/* Returns a buffer of which written bytes were filled. Seen by the driver after virtq_publish(). */
static inline void virtq_push(struct virtq *queue, uint16_t head, uint32_t written)
{
	const uint64_t used = head | (uint64_t)written << 32; /* struct virtq_used_elem, §2.7.8 */

	memcpy(queue->device + 4 + 8u * (queue->next_used & (queue->size - 1u)), &used, sizeof(used));
	queue->next_used++;
}

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

/*
 * Asks for one when so many more buffers have been made available than there are now, if the driver
 * can be asked for that, else at the next. The caller looks at virtq_filled() once more.
 */
void virtq_want_kick_after(struct virtq *queue, uint16_t more);

#endif

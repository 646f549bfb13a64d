/*
 * Virtio over PCI, from the driver's side: transport and split queues.
 */
#ifndef DEMO_VIRTIO_H
#define DEMO_VIRTIO_H

#include "lib.h"

#define VIRTIO_NET 1
#define VIRTIO_BLOCK 2
#define VIRTIO_CONSOLE 3
#define VIRTIO_ENTROPY 4
#define VIRTIO_BALLOON 5
#define VIRTIO_VSOCK 19

#define VIRTIO_F_EVENT_IDX (1ull << 29)
#define VIRTIO_F_VERSION_1 (1ull << 32)

/* In the common structure */
#define VIRTIO_STATUS 0x14
#define VIRTIO_COMMON_SIZE 0x38

#define DESCRIPTOR_NEXT 1
#define DESCRIPTOR_WRITE 2 /* by the device */

struct virtio {
	unsigned type;
	uint8_t devfn;
	uintptr_t common, notify, isr, config; /* addresses */
	uint32_t notify_size, notify_multiplier, config_size;
	uintptr_t msix;
	unsigned msix_entries;
	uint64_t features;
};

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

struct queue {
	uint16_t size, index;
	uint16_t available; /* entries made available so far */
	uint16_t published; /* of these, the device knows */
	uint16_t used;      /* entries taken back so far */
	bool event_idx;
	uintptr_t notify;
	struct descriptor *descriptors;
	volatile uint16_t *ring;      /* flags, index, entries..., used_event */
	volatile uint16_t *used_ring; /* flags, index, then pairs of 32 bits, avail_event */
};

/*
 * Finds the first device of that type, resets it and agrees on features:
 * those of wanted that it offers; VERSION_1 always. False without one.
 */
bool virtio_open(struct virtio *device, unsigned type, uint64_t wanted);

/* Sets queue n up with at most size descriptors, a power of two; its interrupt is a vector of CPU
 * 0. */
bool virtio_queue(struct virtio *device, struct queue *queue, unsigned n, unsigned size,
		  unsigned vector);

/* DRIVER_OK */
void virtio_start(struct virtio *device);

void virtio_reset(struct virtio *device);

/* 8 bits of the device's configuration. */
uint8_t virtio_config(const struct virtio *device, unsigned offset);

/* Makes a chain that begins with that descriptor available; the device sees it after
 * queue_publish(). */
static inline __attribute__((always_inline)) void queue_add(struct queue *queue, uint16_t head)
{
	queue->ring[2 + (queue->available++ & (queue->size - 1))] = head;
}

void queue_publish(struct queue *queue);

/* Takes back a chain; false when there is none. A broken entry has head >= size. */
static inline __attribute__((always_inline)) bool queue_take(struct queue *queue, uint32_t *head,
							     uint32_t *length)
{
	volatile uint32_t *entry;

	if (queue->used_ring[1] == queue->used)
		return false;
	entry = (volatile uint32_t *)(queue->used_ring + 2) +
		2 * (queue->used++ & (queue->size - 1));
	*head = entry[0];
	*length = entry[1];
	return true;
}

/* Asks for an interrupt when the device has used `after` more chains, or for none (0). */
void queue_interrupt(struct queue *queue, unsigned after);

static inline bool queue_has_used(const struct queue *queue)
{
	return queue->used_ring[1] != queue->used;
}

#endif

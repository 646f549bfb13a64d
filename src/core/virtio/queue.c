/*
 * Split virtqueues. virtio 1.2 §2.7. One thread at a time for each queue.
 *
 * The rings lie in guest memory that a vCPU may be writing now. Every value is
 * loaded once, by a relaxed atomic, and then checked; the barriers are those
 * of §2.7.13 and §2.7.14.
 */
#include "core/virtio/queue.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>


#define DESCRIPTOR_NEXT 1u
#define DESCRIPTOR_INDIRECT 4u

#define AVAILABLE_NO_INTERRUPT 1u
#define USED_NO_NOTIFY 1u

/* Both rings begin with flags and index; used elements have 8 bytes, available ones 2. */
#define RING_FLAGS 0
#define RING_INDEX 2
#define RING_ENTRIES 4

static uint16_t load16(const uint8_t *at)
{
	return __atomic_load_n((const uint16_t *)(const void *)at, __ATOMIC_RELAXED);
}

static void store16(uint8_t *at, uint16_t value)
{
	__atomic_store_n((uint16_t *)(void *)at, value, __ATOMIC_RELAXED);
}

static uint16_t ring_index(const uint8_t *ring)
{
	return __atomic_load_n((const uint16_t *)(const void *)(ring + RING_INDEX),
			       __ATOMIC_ACQUIRE);
}

/* Behind the available ring: the used index that the driver wants an interrupt at. */
static const uint8_t *used_event(const struct virtq *queue)
{
	return queue->driver + RING_ENTRIES + 2u * queue->size;
}

/* Behind the used ring: the available index that we want a notification at. */
static uint8_t *available_event(const struct virtq *queue)
{
	return queue->device + RING_ENTRIES + 8u * queue->size;
}

static bool is_size(uint64_t size, uint64_t max)
{
	return size && size <= max && !(size & (size - 1));
}

int virtq_enable(struct virtq *queue)
{
	uint64_t size = queue->size;

	if (!is_size(size, VIRTQ_SIZE_MAX))
		return -EINVAL;
	if (queue->descriptor_address % 16 || queue->driver_address % 2 ||
	    queue->device_address % 4)
		return -EINVAL;
	queue->descriptors = memory_at(queue->memory, queue->descriptor_address, 16 * size);
	queue->driver = memory_at(queue->memory, queue->driver_address, 6 + 2 * size);
	queue->device = memory_at(queue->memory, queue->device_address, 6 + 8 * size);
	if (!queue->descriptors || !queue->driver || !queue->device)
		return -EINVAL;
	queue->next_available = queue->next_used = queue->published = 0;
	queue->broken = false;
	queue->enabled = true;
	return 0;
}

void virtq_disable(struct virtq *queue)
{
	queue->enabled = false;
	queue->descriptors = NULL;
	queue->driver = queue->device = NULL;
	queue->size = 0;
	queue->descriptor_address = queue->driver_address = queue->device_address = 0;
}

void virtq_save(const struct virtq *queue, struct virtq_registers *registers)
{
	*registers = (struct virtq_registers){
		.descriptor_address = queue->descriptor_address,
		.driver_address = queue->driver_address,
		.device_address = queue->device_address,
		.size = queue->size,
		.enabled = queue->enabled,
	};
	/* What a queue that is off has of an earlier driver means nothing. */
	if (!queue->enabled)
		return;
	registers->event_idx = queue->event_idx;
	registers->broken = queue->broken;
	registers->next_available = queue->next_available;
	registers->next_used = queue->next_used;
	registers->published = queue->published;
}

const char *virtq_load(struct virtq *queue, const struct virtq_registers *registers,
		       uint16_t size_max)
{
	if (!is_size(registers->size, size_max))
		return "queue size";
	if (registers->enabled > 1 || registers->event_idx > registers->enabled ||
	    registers->broken > registers->enabled)
		return "queue flags";
	queue->size = registers->size;
	queue->descriptor_address = registers->descriptor_address;
	queue->driver_address = registers->driver_address;
	queue->device_address = registers->device_address;
	if (!registers->enabled)
		return registers->next_available || registers->next_used || registers->published ?
			       "queue indices" : NULL;
	if ((!registers->broken && registers->next_available != registers->next_used) ||
	    (uint16_t)(registers->next_used - registers->published) > registers->size)
		return "queue indices";
	if (virtq_enable(queue) < 0)
		return "queue addresses";
	queue->event_idx = registers->event_idx;
	queue->broken = registers->broken;
	queue->next_available = registers->next_available;
	queue->next_used = registers->next_used;
	queue->published = registers->published;
	return NULL;
}

int virtq_break(struct virtq *queue)
{
	queue->broken = true;
	return -EINVAL;
}

/* An indirect table may lie at any address, so this is a copy of bytes; the barrier keeps it one. */
static struct virtq_descriptor copy_descriptor(const uint8_t *from)
{
	struct virtq_descriptor copy;

	memcpy(&copy, from, sizeof(copy));
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return copy;
}

/* Adds one descriptor's buffer to the chain. */
static int add_segment(struct virtq *queue, const struct virtq_descriptor *descriptor,
		       struct virtq_chain *chain, struct iovec *iov, unsigned room)
{
	unsigned at = chain->read_count + chain->write_count;
	bool write = descriptor->flags & VIRTQ_WRITE;
	uint32_t *total = write ? &chain->write_size : &chain->read_size;

	/* Everything the device reads comes before what it writes, §2.7.4.2. */
	if (!write && chain->write_size)
		return -EINVAL;
	if (!descriptor->length)
		return 0;
	if (at == room || __builtin_add_overflow(*total, descriptor->length, total))
		return -EINVAL;
	iov[at].iov_base = memory_at(queue->memory, descriptor->address, descriptor->length);
	iov[at].iov_len = descriptor->length;
	if (!iov[at].iov_base)
		return -EINVAL;
	if (write)
		chain->write_count++;
	else
		chain->read_count++;
	return 0;
}

/* Walks a chain; a table is entered at most once, and no walk is longer than that or a chain. */
static int walk(struct virtq *queue, struct virtq_chain *chain, struct iovec *iov, unsigned room)
{
	const uint8_t *table = (const uint8_t *)queue->descriptors;
	uint32_t size = queue->size, at = chain->head, steps = 0;
	bool indirect = false;

	for (;;) {
		struct virtq_descriptor descriptor;

		if (at >= size || steps == size || steps++ == VIRTQ_CHAIN_MAX)
			return -EINVAL;
		descriptor = copy_descriptor(table + at * sizeof(descriptor));
		if (descriptor.flags & DESCRIPTOR_INDIRECT) {
			if (indirect || (descriptor.flags & DESCRIPTOR_NEXT) ||
			    descriptor.length % sizeof(descriptor))
				return -EINVAL;
			size = descriptor.length / (uint32_t)sizeof(descriptor);
			table = memory_at(queue->memory, descriptor.address, descriptor.length);
			if (!table || size > queue->size)
				return -EINVAL;
			indirect = true;
			at = steps = 0;
			continue;
		}
		if (add_segment(queue, &descriptor, chain, iov, room) < 0)
			return -EINVAL;
		if (!(descriptor.flags & DESCRIPTOR_NEXT))
			return 0;
		at = descriptor.next;
	}
}

int virtq_pop(struct virtq *queue, struct virtq_chain *chain, struct iovec *iov, unsigned room)
{
	uint16_t available, head;

	if (!queue->enabled || queue->broken)
		return queue->broken ? -EINVAL : 0;
	/* What the index announces is read after it. */
	available = ring_index(queue->driver);
	if (available == queue->next_available)
		return 0;
	if ((uint16_t)(available - queue->next_available) > queue->size)
		return virtq_break(queue);
	head = load16(queue->driver + RING_ENTRIES +
		      2u * (queue->next_available & (queue->size - 1u)));
	if (head >= queue->size)
		return virtq_break(queue);
	*chain = (struct virtq_chain){ .head = head };
	if (walk(queue, chain, iov, room) < 0)
		return virtq_break(queue);
	queue->next_available++;
	return 1;
}

uint16_t virtq_filled(const struct virtq *queue)
{
	uint16_t filled;

	if (!queue->enabled || queue->broken)
		return queue->next_available;
	/* What the index announces is read after it. */
	filled = ring_index(queue->driver);
	return (uint16_t)(filled - queue->next_available) > queue->size ? queue->next_available :
									   filled;
}

int virtq_look(struct virtq *queue, uint16_t head, struct virtq_chain *chain, struct iovec *iov,
	       unsigned room)
{
	*chain = (struct virtq_chain){ .head = head };
	if (queue->broken || walk(queue, chain, iov, room) < 0)
		return virtq_break(queue);
	return 0;
}

bool virtq_publish(struct virtq *queue)
{
	uint16_t before = queue->published, now = queue->next_used, event;

	if (before == now)
		return false;
	__atomic_store_n((uint16_t *)(void *)(queue->device + RING_INDEX), now, __ATOMIC_RELEASE);
	queue->published = now;
	/* The index must be visible before we read what the driver asks for, §2.7.7.2. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!queue->event_idx)
		return !(load16(queue->driver + RING_FLAGS) & AVAILABLE_NO_INTERRUPT);
	event = load16(used_event(queue));
	return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

bool virtq_pending(const struct virtq *queue)
{
	return queue->enabled && !queue->broken &&
	       load16(queue->driver + RING_INDEX) != queue->next_available;
}

uint16_t virtq_available(const struct virtq *queue)
{
	return (uint16_t)(load16(queue->driver + RING_INDEX) - queue->next_available);
}

void virtq_want_kicks(struct virtq *queue, bool want)
{
	if (!queue->enabled)
		return;
	if (queue->event_idx) {
		/* Without a request the event index stays behind and no notification comes. */
		if (want)
			store16(available_event(queue), queue->next_available);
	} else {
		store16(queue->device + RING_FLAGS, want ? 0 : USED_NO_NOTIFY);
	}
	if (want)
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void virtq_want_kick_after(struct virtq *queue, uint16_t more)
{
	if (!queue->enabled)
		return;
	if (queue->event_idx)
		store16(available_event(queue),
			(uint16_t)(load16(queue->driver + RING_INDEX) + more - 1));
	else
		store16(queue->device + RING_FLAGS, 0);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* --- rings that somebody else serves --- */

bool virtq_take_over(struct virtq *queue, uint16_t next)
{
	if (ring_index(queue->device) != next)
		return false;
	queue->next_available = queue->next_used = queue->published = next;
	return true;
}

uint16_t virtq_returned(const struct virtq *queue)
{
	return ring_index(queue->device);
}

int virtq_unreturned(const struct virtq *queue)
{
	uint16_t count = (uint16_t)(ring_index(queue->driver) - ring_index(queue->device));

	return count <= queue->size ? count : -EINVAL;
}

void virtq_recover(struct virtq *queue)
{
	queue->next_available = queue->next_used = queue->published = ring_index(queue->device);
}

int virtq_retake(struct virtq *queue, uint16_t head, struct virtq_chain *chain, struct iovec *iov,
		 unsigned room)
{
	int err = virtq_look(queue, head, chain, iov, room);

	queue->next_available += !err;
	return err;
}

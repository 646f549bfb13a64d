/*
 * virtio-net driver, virtio 1.2 §5.1; offloads are for floods alone. Transmit
 * buffers are taken back when the next is wanted, without an interrupt; a quarter
 * of them is for protocols, the rest for floods. CPU 0.
 */
#include "nic.h"

#include "clock.h"
#include "machine.h"
#include "memory.h"
#include "net.h"
#include "task.h"
#include "virtio.h"

#define F_CSUM (1ull << 0)
#define F_MAC (1ull << 5)
#define F_HOST_TSO4 (1ull << 11)
#define HEADER 12u /* struct virtio_net_hdr of VERSION_1 */
#define BUFFER 2048u
#define QUEUE_MAX 1024
#define BURST 256
#define TCP_HEADERS 54 /* Ethernet, IPv4 and TCP without options */

struct nic_counters nic_counters;
uint8_t nic_mac[6];

static struct virtio device;
static struct queue receive, transmit;
static uint8_t *receive_buffers, *transmit_buffers;
static uint16_t free_ids[QUEUE_MAX]; /* protocol's descriptors */
static unsigned free_count, own_count;
static uint16_t flood_ids[QUEUE_MAX];
static unsigned flood_free, flood_count;
static uint8_t *flood_buffer, *jumbo_buffer; /* the latter from the first such flood on */
static unsigned flood_length;
static uint16_t current; /* descriptor that nic_frame() gave */
static bool present;

static bool setup_buffers(void)
{
	own_count = transmit.size / 4;
	flood_count = transmit.size - own_count;
	receive_buffers = memory_take(receive.size * BUFFER);
	transmit_buffers = memory_take((own_count + 1) * BUFFER);
	if (receive_buffers == NULL || transmit_buffers == NULL)
		return false;
	flood_buffer = transmit_buffers + own_count * BUFFER;
	for (unsigned i = 0; i < receive.size; i++) {
		receive.descriptors[i] =
			(struct descriptor){ (uintptr_t)receive_buffers + i * BUFFER, BUFFER,
					     DESCRIPTOR_WRITE, 0 };
		queue_add(&receive, i);
	}
	for (unsigned i = 0; i < transmit.size; i++) {
		uint8_t *buffer = i < own_count ? transmit_buffers + i * BUFFER : flood_buffer;

		transmit.descriptors[i] = (struct descriptor){ (uintptr_t)buffer, 0, 0, 0 };
		if (i < own_count)
			free_ids[free_count++] = i;
		else
			flood_ids[flood_free++] = i;
	}
	return true;
}

bool nic_setup(void)
{
	if (!virtio_open(&device, VIRTIO_NET, F_MAC | F_CSUM | F_HOST_TSO4 | VIRTIO_F_EVENT_IDX) ||
	    !virtio_queue(&device, &receive, 0, QUEUE_MAX, VECTOR_RECEIVE) ||
	    !virtio_queue(&device, &transmit, 1, QUEUE_MAX, VECTOR_TRANSMIT) || !setup_buffers())
		return false;
	for (unsigned i = 0; i < 6; i++)
		nic_mac[i] = device.features & F_MAC ? virtio_config(&device, i) : 0x52 + i * 0x10;
	nic_mac[0] &= ~1;
	virtio_start(&device);
	queue_interrupt(&transmit, 0);
	queue_interrupt(&receive, 1);
	queue_publish(&receive);
	present = true;
	return true;
}

bool nic_present(void)
{
	return present;
}

struct virtio *nic_device(void)
{
	return &device;
}

void nic_give_up(void)
{
	present = false;
}

bool nic_poll(void)
{
	uint32_t id, length;
	unsigned count = 0;

	if (!present)
		return false;
	while (count < BURST && queue_take(&receive, &id, &length)) {
		count++;
		if (id >= receive.size)
			continue;
		if (length > HEADER && length <= HEADER + FRAME_MAX) {
			nic_counters.received++;
			nic_counters.received_bytes += length - HEADER;
			net_input(receive_buffers + id * BUFFER + HEADER, length - HEADER);
		}
		queue_add(&receive, id);
	}
	if (count > 0) {
		queue_publish(&receive);
		task_event();
	}
	return count == BURST;
}

/* Sorts the used descriptors to their owners. */
static void reclaim(void)
{
	uint32_t id, length;

	while (queue_take(&transmit, &id, &length)) {
		if (id < own_count && free_count < own_count)
			free_ids[free_count++] = id;
		else if (id >= own_count && id < transmit.size && flood_free < flood_count)
			flood_ids[flood_free++] = id;
	}
}

bool nic_room(void)
{
	if (present && free_count == 0)
		reclaim();
	return present && free_count > 0;
}

uint8_t *nic_frame(void)
{
	if (!nic_room()) {
		nic_counters.dropped += present;
		return NULL;
	}
	current = free_ids[--free_count];
	return transmit_buffers + current * BUFFER + HEADER;
}

void nic_send(unsigned length)
{
	uint8_t *frame = transmit_buffers + current * BUFFER + HEADER;

	if (length < FRAME_MIN) {
		memset(frame + length, 0, FRAME_MIN - length);
		length = FRAME_MIN;
	}
	transmit.descriptors[current].length = HEADER + length;
	queue_add(&transmit, current);
	nic_counters.sent++;
	nic_counters.sent_bytes += length;
}

void nic_flush(void)
{
	if (present)
		queue_publish(&transmit);
}

bool nic_rest(void)
{
	if (!present)
		return true;
	queue_interrupt(&receive, 1);
	return !queue_has_used(&receive);
}

/* struct virtio_net_hdr, §5.1.6: a checksum that is to be filled in, and segments. */
static void set_offload(uint8_t *header, unsigned tso_size)
{
	memset(header, 0, HEADER);
	if (tso_size == 0)
		return;
	header[0] = 1; /* NEEDS_CSUM */
	header[1] = 1; /* TCPV4 */
	header[2] = TCP_HEADERS;
	header[4] = tso_size;
	header[5] = tso_size >> 8;
	header[6] = 34;
	header[8] = 16;
}

bool nic_flood_frame(const uint8_t *frame, unsigned length, unsigned tso_size)
{
	uint8_t *buffer = flood_buffer;

	nic_flood_end();
	if (!present || flood_free < flood_count || length > JUMBO_MAX ||
	    (tso_size != 0 && !(device.features & F_HOST_TSO4)))
		return false;
	if (length > FRAME_MAX) {
		if (jumbo_buffer == NULL)
			jumbo_buffer = memory_take(HEADER + JUMBO_MAX);
		if (jumbo_buffer == NULL)
			return false;
		buffer = jumbo_buffer;
	}
	set_offload(buffer, tso_size);
	memcpy(buffer + HEADER, frame, length);
	flood_length = length;
	for (unsigned i = own_count; i < transmit.size; i++) {
		transmit.descriptors[i].address = (uintptr_t)buffer;
		transmit.descriptors[i].length = HEADER + length;
	}
	return true;
}

unsigned nic_flood(unsigned limit)
{
	unsigned count;

	if (flood_free < flood_count / 2)
		reclaim();
	count = minimum(flood_free, limit);
	for (unsigned i = 0; i < count; i++)
		queue_add(&transmit, flood_ids[--flood_free]);
	queue_publish(&transmit);
	nic_counters.sent += count;
	nic_counters.sent_bytes += (uint64_t)count * flood_length;
	return count;
}

void nic_flood_wait(void)
{
	uint64_t limit = clock_now() + MILLISECOND;

	queue_interrupt(&transmit, flood_count / 2);
	if ((uint16_t)(transmit.used_ring[1] - transmit.used) < flood_count / 2)
		task_wait(limit);
	queue_interrupt(&transmit, 0);
}

void nic_flood_end(void)
{
	uint64_t limit = clock_now() + SECOND;

	for (reclaim(); flood_free < flood_count && clock_now() < limit; reclaim())
		task_sleep(MILLISECOND);
}

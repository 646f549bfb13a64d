/*
 * Virtio 1.2: PCI transport (§4.1), modern only, and the driver's side of
 * split virtqueues (§2.7). What the device says is checked. CPU 0.
 */
#include "virtio.h"

#include "machine.h"
#include "memory.h"
#include "pci.h"

#define VENDOR 0x1af4
#define CAPABILITY_VENDOR 9

/* Capability types */
#define TYPE_COMMON 1
#define TYPE_NOTIFY 2
#define TYPE_ISR 3
#define TYPE_DEVICE 4

/* The common structure */
#define DEVICE_FEATURE_SELECT 0x00
#define DEVICE_FEATURE 0x04
#define DRIVER_FEATURE_SELECT 0x08
#define DRIVER_FEATURE 0x0c
#define CONFIG_VECTOR 0x10
#define QUEUES 0x12
#define QUEUE_SELECT 0x16
#define QUEUE_SIZE 0x18
#define QUEUE_VECTOR 0x1a
#define QUEUE_ENABLE 0x1c
#define QUEUE_NOTIFY 0x1e
#define QUEUE_ADDRESSES 0x20

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER 2
#define STATUS_DRIVER_OK 4
#define STATUS_FEATURES_OK 8
#define NO_VECTOR 0xffff

static bool read_capability(struct virtio *device, unsigned at)
{
	unsigned type = pci_read(device->devfn, at) >> 24;
	uint64_t bar = pci_bar(device->devfn, pci_read(device->devfn, at + 4) & 0xff);
	uint32_t offset = pci_read(device->devfn, at + 8), size = pci_read(device->devfn, at + 12);
	uintptr_t address = bar + offset;

	if (bar == 0 || size == 0 || offset + size < size ||
	    !memory_map_device(bar, (uint64_t)offset + size))
		return false;
	if (type == TYPE_COMMON && device->common == 0 && size >= VIRTIO_COMMON_SIZE) {
		device->common = address;
	} else if (type == TYPE_NOTIFY && device->notify == 0) {
		device->notify = address;
		device->notify_size = size;
		device->notify_multiplier = pci_read(device->devfn, at + 16);
	} else if (type == TYPE_ISR && device->isr == 0) {
		device->isr = address;
	} else if (type == TYPE_DEVICE && device->config == 0) {
		device->config = address;
		device->config_size = size;
	}
	return true;
}

static bool find(struct virtio *device, unsigned type)
{
	for (unsigned i = 0; i < pci_count; i++) {
		unsigned at = 0;

		if (pci_functions[i].vendor != VENDOR || pci_functions[i].device != 0x1040 + type)
			continue;
		*device = (struct virtio){ .type = type, .devfn = pci_functions[i].devfn };
		for (unsigned n = 0; n < 16; n++) {
			at = pci_capability(device->devfn, at, CAPABILITY_VENDOR);
			if (at == 0)
				break;
			if ((pci_read(device->devfn, at) >> 24) <= TYPE_DEVICE)
				read_capability(device, at);
		}
		if (device->common != 0 && device->notify != 0 && device->config != 0)
			return true;
	}
	return false;
}

void virtio_reset(struct virtio *device)
{
	mmio_write8(device->common + VIRTIO_STATUS, 0);
	for (unsigned n = 0; n < 10000 && mmio_read8(device->common + VIRTIO_STATUS) != 0; n++)
		relax();
}

bool virtio_open(struct virtio *device, unsigned type, uint64_t wanted)
{
	const uint8_t status = STATUS_ACKNOWLEDGE | STATUS_DRIVER;
	uint64_t offered = 0;

	if (!find(device, type))
		return false;
	pci_write(device->devfn, PCI_COMMAND,
		  (pci_read(device->devfn, PCI_COMMAND) & 0xffff) | PCI_COMMAND_MEMORY |
			  PCI_COMMAND_MASTER);
	virtio_reset(device);
	mmio_write8(device->common + VIRTIO_STATUS, status);
	for (unsigned half = 0; half < 2; half++) {
		mmio_write32(device->common + DEVICE_FEATURE_SELECT, half);
		offered |= (uint64_t)mmio_read32(device->common + DEVICE_FEATURE) << 32 * half;
	}
	device->features = offered & (wanted | VIRTIO_F_VERSION_1);
	for (unsigned half = 0; half < 2; half++) {
		mmio_write32(device->common + DRIVER_FEATURE_SELECT, half);
		mmio_write32(device->common + DRIVER_FEATURE, device->features >> 32 * half);
	}
	mmio_write8(device->common + VIRTIO_STATUS, status | STATUS_FEATURES_OK);
	if (!(device->features & VIRTIO_F_VERSION_1) ||
	    !(mmio_read8(device->common + VIRTIO_STATUS) & STATUS_FEATURES_OK))
		return false;
	device->msix = pci_msix(device->devfn, &device->msix_entries);
	if (device->msix == 0)
		return false;
	mmio_write16(device->common + CONFIG_VECTOR, NO_VECTOR);
	return true;
}

bool virtio_queue(struct virtio *device, struct queue *queue, unsigned n, unsigned size,
		  unsigned vector)
{
	uint64_t offset;
	uint8_t *parts[3]; /* descriptors, the available and the used ring */
	unsigned most;

	if (n >= mmio_read16(device->common + QUEUES) || n >= device->msix_entries)
		return false;
	mmio_write16(device->common + QUEUE_SELECT, n);
	most = mmio_read16(device->common + QUEUE_SIZE);
	while (size > most)
		size /= 2;
	offset = (uint64_t)mmio_read16(device->common + QUEUE_NOTIFY) * device->notify_multiplier;
	if (size < 8 || offset + 2 > device->notify_size)
		return false;
	parts[0] = memory_take(16 * size);
	parts[1] = memory_take(6 + 2 * size);
	parts[2] = memory_take(6 + 8 * size);
	if (parts[0] == NULL || parts[1] == NULL || parts[2] == NULL)
		return false;
	*queue = (struct queue){
		.size = size,
		.index = n,
		.event_idx = device->features & VIRTIO_F_EVENT_IDX,
		.notify = device->notify + offset,
		.descriptors = (struct descriptor *)parts[0],
		.ring = (uint16_t *)parts[1],
		.used_ring = (uint16_t *)parts[2],
	};
	pci_msix_set(device->msix, n, vector);
	mmio_write16(device->common + QUEUE_SIZE, size);
	mmio_write16(device->common + QUEUE_VECTOR, n);
	for (unsigned i = 0; i < 3; i++) {
		uint64_t address = (uintptr_t)parts[i];

		mmio_write32(device->common + QUEUE_ADDRESSES + i * 8, address);
		mmio_write32(device->common + QUEUE_ADDRESSES + i * 8 + 4, address >> 32);
	}
	mmio_write16(device->common + QUEUE_ENABLE, 1);
	return mmio_read16(device->common + QUEUE_VECTOR) == n;
}

void virtio_start(struct virtio *device)
{
	mmio_write8(device->common + VIRTIO_STATUS,
		    STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
}

uint8_t virtio_config(const struct virtio *device, unsigned offset)
{
	return offset < device->config_size ? mmio_read8(device->config + offset) : 0;
}

void queue_publish(struct queue *queue)
{
	uint16_t before = queue->published, now = queue->available, event;

	if (before == now)
		return;
	barrier();
	queue->ring[1] = now;
	queue->published = now;
	full_barrier();
	if (queue->event_idx) {
		event = queue->used_ring[2 + 4 * queue->size];
		if ((uint16_t)(now - event - 1) >= (uint16_t)(now - before))
			return;
	} else if (queue->used_ring[0] & 1) {
		return;
	}
	mmio_write16(queue->notify, queue->index);
}

void queue_interrupt(struct queue *queue, unsigned after)
{
	if (queue->event_idx)
		queue->ring[2 + queue->size] = queue->used + after - 1;
	else
		queue->ring[0] = after == 0;
	full_barrier();
}

/*
 * The registers of the common configuration, and the device's status with what
 * it sets off: negotiation, start and reset. virtio 1.2 §2.1, §3.1.1, §4.1.4.3.
 * vCPU threads, but the end of a reset may come on the guest's I/O thread; the
 * device's lock is held.
 */
#include "core/virtio/pci_private.h"

#define FEATURE_INDIRECT_DESC (1ull << 28)
#define FEATURE_EVENT_IDX (1ull << 29)
#define FEATURE_VERSION_1 (1ull << 32)
#define TRANSPORT_FEATURES (FEATURE_INDIRECT_DESC | FEATURE_EVENT_IDX | FEATURE_VERSION_1)

/* struct virtio_pci_common_cfg, §4.1.4.3 */
enum common {
	COMMON_DEVICE_FEATURE_SELECT = 0x00,
	COMMON_DEVICE_FEATURE = 0x04,
	COMMON_DRIVER_FEATURE_SELECT = 0x08,
	COMMON_DRIVER_FEATURE = 0x0c,
	COMMON_CONFIG_VECTOR = 0x10,
	COMMON_NUM_QUEUES = 0x12,
	COMMON_STATUS = 0x14,
	COMMON_GENERATION = 0x15,
	COMMON_QUEUE_SELECT = 0x16,
	COMMON_QUEUE_SIZE = 0x18,
	COMMON_QUEUE_VECTOR = 0x1a,
	COMMON_QUEUE_ENABLE = 0x1c,
	COMMON_QUEUE_NOTIFY_OFF = 0x1e,
	COMMON_QUEUE_DESC = 0x20,
	COMMON_QUEUE_DRIVER = 0x28,
	COMMON_QUEUE_DEVICE = 0x30
};

static uint64_t offered_features(const struct virtio_pci *transport)
{
	const struct virtio_ops *ops = transport->device->ops;

	return TRANSPORT_FEATURES | (ops->features ? ops->features(transport->device) : 0);
}

bool virtio_pci_serves(uint64_t features)
{
	return (features & TRANSPORT_FEATURES) == TRANSPORT_FEATURES;
}

bool virtio_pci_may_negotiate(const struct virtio_pci *transport, uint64_t features)
{
	return !(features & ~offered_features(transport)) && (features & FEATURE_VERSION_1);
}

/* --- status --- */

void virtio_broken(struct virtio *device, const char *why)
{
	struct virtio_pci *transport = device->transport;

	if (transport->status & VIRTIO_STATUS_NEEDS_RESET)
		return;
	transport->broken_why = why;
	transport->status |= VIRTIO_STATUS_NEEDS_RESET;
	if (transport->status & VIRTIO_STATUS_DRIVER_OK)
		virtio_config_changed(device);
}

bool virtio_pci_driver_ready(const struct virtio_pci *transport)
{
	const uint8_t ready = VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK;

	return (transport->status & ready) == ready && !transport->resetting;
}

void virtio_pci_update_running(struct virtio_pci *transport)
{
	struct virtio *device = transport->device;
	bool running = virtio_pci_driver_ready(transport) && transport->master;

	if (running == device->running)
		return;
	device->running = running;
	virtio_pci_place_doorbells(transport);
	if (!running) {
		if (device->ops->stop)
			device->ops->stop(device);
		return;
	}
	if (device->ops->start)
		device->ops->start(device);
	/* The driver may have filled queues and rung before the device could look at them. */
	for (unsigned n = 0; n < device->queue_count; n++)
		virtio_pci_ring(&transport->queues[n]);
}

/* The second half of a reset, when nothing is in flight any more. */
static void finish_reset(struct virtio_pci *transport)
{
	struct virtio *device = transport->device;

	for (unsigned n = 0; n < device->queue_count; n++) {
		virtq_disable(&device->queues[n]);
		device->queues[n].size = device->queue_size;
		atomic_store(&transport->queues[n].vector, VIRTIO_NO_VECTOR);
	}
	device->features = transport->driver_features = 0;
	transport->queue_select = 0;
	transport->device_feature_select = transport->driver_feature_select = 0;
	atomic_store(&transport->config_vector, VIRTIO_NO_VECTOR);
	virtio_pci_take_isr(transport);
	transport->resetting = false;
	transport->broken_why = NULL;
	transport->status = 0;
}

void virtio_reset_done(struct virtio *device)
{
	if (device->transport->resetting)
		finish_reset(device->transport);
}

void virtio_pci_reset(struct virtio_pci *transport)
{
	struct virtio *device = transport->device;
	bool was_ready = virtio_pci_driver_ready(transport);

	if (transport->resetting)
		return;
	device->running = false;
	virtio_pci_place_doorbells(transport);
	if (was_ready && device->ops->reset && !device->ops->reset(device)) {
		transport->resetting = true;
		return;
	}
	finish_reset(transport);
}

static void write_status(struct virtio_pci *transport, uint8_t value)
{
	uint8_t before = transport->status;

	if (!value) {
		virtio_pci_reset(transport);
		return;
	}
	if (transport->resetting)
		return;
	/* NEEDS_RESET is the device's to set, and nothing but a reset clears a bit, §2.1.1. */
	value = (uint8_t)((value & ~VIRTIO_STATUS_NEEDS_RESET) | before);
	/* Features that were not offered, or a driver older than virtio 1.0: refused, §3.1.1. */
	if ((value & VIRTIO_STATUS_FEATURES_OK) && !(before & VIRTIO_STATUS_FEATURES_OK)) {
		if (virtio_pci_may_negotiate(transport, transport->driver_features))
			transport->device->features = transport->driver_features;
		else
			value &= (uint8_t)~VIRTIO_STATUS_FEATURES_OK;
	}
	transport->status = value;
	virtio_pci_update_running(transport);
}

static void enable_queue(struct virtio_pci *transport, struct virtq *queue)
{
	queue->memory = transport->memory;
	queue->event_idx = transport->device->features & FEATURE_EVENT_IDX;
	if (virtq_enable(queue) < 0)
		virtio_broken(transport->device, "a queue's rings are not in RAM or not aligned");
}

/* --- the common configuration --- */

static uint32_t feature_word(uint64_t features, uint32_t select)
{
	return select < 2 ? (uint32_t)(features >> (32 * select)) : 0;
}

uint64_t virtio_pci_common_read(struct virtio_pci *transport, unsigned offset)
{
	const struct virtio *device = transport->device;
	unsigned n = transport->queue_select;
	const struct virtq *queue = n < device->queue_count ? &device->queues[n] : NULL;

	switch (offset) {
	case COMMON_DEVICE_FEATURE_SELECT:
		return transport->device_feature_select;
	case COMMON_DEVICE_FEATURE:
		return feature_word(offered_features(transport),
				    transport->device_feature_select);
	case COMMON_DRIVER_FEATURE_SELECT:
		return transport->driver_feature_select;
	case COMMON_DRIVER_FEATURE:
		return feature_word(transport->driver_features, transport->driver_feature_select);
	case COMMON_CONFIG_VECTOR:
		return atomic_load(&transport->config_vector);
	case COMMON_NUM_QUEUES:
		return device->queue_count;
	case COMMON_STATUS:
		return transport->status;
	case COMMON_GENERATION:
		return atomic_load(&transport->generation);
	case COMMON_QUEUE_SELECT:
		return n;
	case COMMON_QUEUE_SIZE:
		return queue ? queue->size : 0;
	case COMMON_QUEUE_VECTOR:
		return queue ? atomic_load(&transport->queues[n].vector) : VIRTIO_NO_VECTOR;
	case COMMON_QUEUE_ENABLE:
		return queue && queue->enabled;
	case COMMON_QUEUE_NOTIFY_OFF:
		return n;
	case COMMON_QUEUE_DESC:
		return queue ? queue->descriptor_address : 0;
	case COMMON_QUEUE_DESC + 4:
		return queue ? queue->descriptor_address >> 32 : 0;
	case COMMON_QUEUE_DRIVER:
		return queue ? queue->driver_address : 0;
	case COMMON_QUEUE_DRIVER + 4:
		return queue ? queue->driver_address >> 32 : 0;
	case COMMON_QUEUE_DEVICE:
		return queue ? queue->device_address : 0;
	case COMMON_QUEUE_DEVICE + 4:
		return queue ? queue->device_address >> 32 : 0;
	default:
		return 0;
	}
}

static uint16_t checked_vector(struct virtio_pci *transport, uint64_t value)
{
	return value < transport->function.msix_count ? (uint16_t)value : VIRTIO_NO_VECTOR;
}

/* One half of a 64-bit ring address, or all of it. */
static void set_address(uint64_t *address, bool high, uint64_t value, unsigned length)
{
	if (length == 8)
		*address = value;
	else if (high)
		*address = (*address & 0xffffffffull) | value << 32;
	else
		*address = (*address & ~0xffffffffull) | (uint32_t)value;
}

static void write_queue(struct virtio_pci *transport, unsigned offset, uint64_t value,
			unsigned length)
{
	unsigned n = transport->queue_select;
	struct virtio *device = transport->device;
	struct virtq *queue;

	if (n >= device->queue_count)
		return;
	queue = &device->queues[n];
	if (offset == COMMON_QUEUE_VECTOR) {
		atomic_store(&transport->queues[n].vector, checked_vector(transport, value));
		return;
	}
	/* Set-up ends when the queue is enabled, and all of it when the driver is ready. */
	if (queue->enabled || virtio_pci_driver_ready(transport) || transport->resetting)
		return;
	switch (offset) {
	case COMMON_QUEUE_SIZE:
		if (value && value <= device->queue_size && !(value & (value - 1)))
			queue->size = (uint16_t)value;
		break;
	case COMMON_QUEUE_ENABLE:
		if (value == 1)
			enable_queue(transport, queue);
		break;
	case COMMON_QUEUE_DESC:
	case COMMON_QUEUE_DESC + 4:
		set_address(&queue->descriptor_address, offset & 4, value, length);
		break;
	case COMMON_QUEUE_DRIVER:
	case COMMON_QUEUE_DRIVER + 4:
		set_address(&queue->driver_address, offset & 4, value, length);
		break;
	case COMMON_QUEUE_DEVICE:
	case COMMON_QUEUE_DEVICE + 4:
		set_address(&queue->device_address, offset & 4, value, length);
		break;
	default:
		break;
	}
}

void virtio_pci_common_write(struct virtio_pci *transport, unsigned offset, uint64_t value,
			     unsigned length)
{
	uint32_t select = transport->driver_feature_select;

	switch (offset) {
	case COMMON_DEVICE_FEATURE_SELECT:
		transport->device_feature_select = (uint32_t)value;
		break;
	case COMMON_DRIVER_FEATURE_SELECT:
		transport->driver_feature_select = (uint32_t)value;
		break;
	case COMMON_DRIVER_FEATURE:
		if (select < 2 && !(transport->status & VIRTIO_STATUS_FEATURES_OK)) {
			transport->driver_features &= ~(0xffffffffull << (32 * select));
			transport->driver_features |= (value & 0xffffffffull) << (32 * select);
		}
		break;
	case COMMON_CONFIG_VECTOR:
		atomic_store(&transport->config_vector, checked_vector(transport, value));
		break;
	case COMMON_STATUS:
		write_status(transport, (uint8_t)value);
		break;
	case COMMON_QUEUE_SELECT:
		transport->queue_select = (uint16_t)value;
		break;
	default:
		write_queue(transport, offset, value, length);
		break;
	}
}

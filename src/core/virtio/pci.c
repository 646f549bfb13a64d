/*
 * The virtio PCI transport. virtio 1.2 §4.1. Registers on vCPU threads, kicks
 * on the guest's I/O thread, interrupts from any thread.
 */
#include "core/virtio/pci.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/checked.h"

/* Layout of BAR 0 */
#define BAR_SIZE 0x4000u
#define BAR_COMMON 0x0000u
#define BAR_ISR 0x0400u
#define BAR_DEVICE 0x0800u
#define BAR_DEVICE_SIZE 0x0800u
#define BAR_NOTIFY 0x1000u
#define BAR_MSIX 0x2000u
#define BAR_PENDING 0x3000u
#define NOTIFY_STEP 4u

#define VENDOR_VIRTIO 0x1af4
#define DEVICE_ID_BASE 0x1040
#define CAPABILITY_VENDOR 0x09
#define VIRTIO_NO_VECTOR 0xffff

/* cfg_type, §4.1.4 */
enum { CAP_COMMON = 1, CAP_NOTIFY, CAP_ISR, CAP_DEVICE, CAP_PCI };

#define STATUS_FEATURES_OK 0x08
#define STATUS_DRIVER_OK 0x04
#define STATUS_NEEDS_RESET 0x40

#define FEATURE_INDIRECT_DESC (1ull << 28)
#define FEATURE_EVENT_IDX (1ull << 29)
#define FEATURE_VERSION_1 (1ull << 32)
#define TRANSPORT_FEATURES (FEATURE_INDIRECT_DESC | FEATURE_EVENT_IDX | FEATURE_VERSION_1)

#define ISR_QUEUE 1
#define ISR_CONFIG 2

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
	COMMON_QUEUE_DEVICE = 0x30,
	COMMON_SIZE = 0x38
};

static struct virtio_pci *transport_of(struct pci_function *function)
{
	return container_of(function, struct virtio_pci, function);
}

static uint64_t offered_features(struct virtio_pci *transport)
{
	return TRANSPORT_FEATURES | transport->device->ops->features(transport->device);
}

/* --- interrupts --- */

/* Sets or takes the ISR bits: INTA# is high as long as there are any. */
static void set_isr(struct virtio_pci *transport, uint8_t bits)
{
	pthread_mutex_lock(&transport->isr_lock);
	transport->isr |= bits;
	pci_intx(&transport->function, true);
	pthread_mutex_unlock(&transport->isr_lock);
}

static uint8_t take_isr(struct virtio_pci *transport)
{
	uint8_t bits;

	pthread_mutex_lock(&transport->isr_lock);
	bits = transport->isr;
	transport->isr = 0;
	pci_intx(&transport->function, false);
	pthread_mutex_unlock(&transport->isr_lock);
	return bits;
}

static void raise(struct virtio_pci *transport, uint16_t vector, uint8_t isr)
{
	if (atomic_load_explicit(&transport->function.msix_enabled, memory_order_relaxed)) {
		if (vector != VIRTIO_NO_VECTOR)
			pci_msix_raise(&transport->function, vector);
		return;
	}
	set_isr(transport, isr);
}

void virtio_interrupt(struct virtio *device, unsigned n)
{
	struct virtio_pci *transport = device->transport;

	raise(transport,
	      atomic_load_explicit(&transport->queues[n].vector, memory_order_relaxed), ISR_QUEUE);
}

void virtio_config_changed(struct virtio *device)
{
	struct virtio_pci *transport = device->transport;

	raise(transport, atomic_load(&transport->config_vector), ISR_CONFIG);
}

/* --- doorbells --- */

static int ioeventfd(struct virtio_pci_queue *queue, uint64_t address, uint32_t flags)
{
	struct kvm_ioeventfd request = { .addr = address, .fd = queue->kick_fd, .flags = flags };

	return ioctl(queue->transport->vm_fd, KVM_IOEVENTFD, &request) < 0 ? -errno : 0;
}

/*
 * Attaches the ioeventfds where the BAR is now, if the driver is ready. Without
 * one, as when KVM refuses, the doorbell is an MMIO exit and works all the same.
 */
static void place_doorbells(struct virtio_pci *transport)
{
	uint64_t base = transport->function.bar_base;

	for (unsigned n = 0; n < transport->device->ops->queues; n++) {
		struct virtio_pci_queue *queue = &transport->queues[n];
		uint64_t address = BUS_NOWHERE;

		if (transport->device->running && base != BUS_NOWHERE)
			address = base + BAR_NOTIFY + n * NOTIFY_STEP;
		if (address == queue->doorbell)
			continue;
		if (queue->doorbell != BUS_NOWHERE)
			ioeventfd(queue, queue->doorbell, KVM_IOEVENTFD_FLAG_DEASSIGN);
		queue->doorbell = BUS_NOWHERE;
		if (address != BUS_NOWHERE && ioeventfd(queue, address, 0) == 0)
			queue->doorbell = address;
	}
}

static void ring_doorbell(struct virtio_pci_queue *queue)
{
	uint64_t one = 1;
	ssize_t n = write(queue->kick_fd, &one, sizeof(one));

	(void)n; /* a full counter means that a kick is due already */
}

static void kicked(void *arg, uint32_t events)
{
	struct virtio_pci_queue *queue = arg;
	struct virtio_pci *transport = queue->transport;
	struct virtio *device = transport->device;
	uint64_t count;
	ssize_t got;

	(void)events;
	got = read(queue->kick_fd, &count, sizeof(count));
	(void)got;
	pthread_mutex_lock(&device->lock);
	if (device->running && !(transport->status & STATUS_NEEDS_RESET))
		device->ops->kick(device, (unsigned)(queue - transport->queues));
	pthread_mutex_unlock(&device->lock);
}

void virtio_kick_again(struct virtio *device, unsigned n)
{
	ring_doorbell(&device->transport->queues[n]);
}

/* --- status --- */

void virtio_broken(struct virtio *device, const char *why)
{
	struct virtio_pci *transport = device->transport;

	if (transport->status & STATUS_NEEDS_RESET)
		return;
	transport->broken_why = why;
	transport->status |= STATUS_NEEDS_RESET;
	if (transport->status & STATUS_DRIVER_OK)
		virtio_config_changed(device);
}

/* The second half of a reset, when nothing is in flight any more. */
static void finish_reset(struct virtio_pci *transport)
{
	struct virtio *device = transport->device;

	for (unsigned n = 0; n < device->ops->queues; n++) {
		virtq_disable(&device->queues[n]);
		device->queues[n].size = device->ops->queue_size;
		atomic_store(&transport->queues[n].vector, VIRTIO_NO_VECTOR);
	}
	device->features = transport->driver_features = 0;
	transport->queue_select = 0;
	transport->device_feature_select = transport->driver_feature_select = 0;
	atomic_store(&transport->config_vector, VIRTIO_NO_VECTOR);
	take_isr(transport);
	transport->resetting = false;
	transport->broken_why = NULL;
	transport->status = 0;
}

void virtio_reset_done(struct virtio *device)
{
	if (device->transport->resetting)
		finish_reset(device->transport);
}

static void reset(struct virtio_pci *transport)
{
	struct virtio *device = transport->device;
	bool was_running = device->running;

	if (transport->resetting)
		return;
	device->running = false;
	place_doorbells(transport);
	if (was_running && !device->ops->reset(device)) {
		transport->resetting = true;
		return;
	}
	finish_reset(transport);
}

static void write_status(struct virtio_pci *transport, uint8_t value)
{
	struct virtio *device = transport->device;
	uint8_t before = transport->status;

	if (!value) {
		reset(transport);
		return;
	}
	if (transport->resetting)
		return;
	/* NEEDS_RESET is the device's to set, and nothing but a reset clears a bit, §2.1.1. */
	value = (uint8_t)((value & ~STATUS_NEEDS_RESET) | before);
	if ((value & STATUS_FEATURES_OK) && !(before & STATUS_FEATURES_OK)) {
		uint64_t wanted = transport->driver_features;

		/* Features that were not offered, or a driver older than virtio 1.0: refused, §3.1.1. */
		if ((wanted & ~offered_features(transport)) || !(wanted & FEATURE_VERSION_1))
			value &= (uint8_t)~STATUS_FEATURES_OK;
		else
			device->features = wanted;
	}
	transport->status = value;
	if ((value & STATUS_DRIVER_OK) && (value & STATUS_FEATURES_OK) && !device->running) {
		device->running = true;
		place_doorbells(transport);
		device->ops->start(device);
		/* The driver may have filled queues and rung before it was ready. */
		for (unsigned n = 0; n < device->ops->queues; n++)
			ring_doorbell(&transport->queues[n]);
	}
}

static void enable_queue(struct virtio_pci *transport, struct virtq *queue)
{
	queue->memory = transport->memory;
	queue->event_idx = transport->device->features & FEATURE_EVENT_IDX;
	if (virtq_enable(queue) < 0)
		virtio_broken(transport->device, "a queue's rings are not in RAM or not aligned");
}

/* --- the common configuration --- */

static void load(void *data, unsigned length, uint64_t value)
{
	memcpy(data, &value, length);
}

static uint32_t feature_word(uint64_t features, uint32_t select)
{
	return select < 2 ? (uint32_t)(features >> (32 * select)) : 0;
}

static uint64_t common_value(struct virtio_pci *transport, unsigned offset)
{
	const struct virtio *device = transport->device;
	unsigned n = transport->queue_select;
	const struct virtq *queue = n < device->ops->queues ? &device->queues[n] : NULL;

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
		return device->ops->queues;
	case COMMON_STATUS:
		return transport->status;
	case COMMON_GENERATION: /* no device changes its configuration while it runs */
		return 0;
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

	if (n >= device->ops->queues)
		return;
	queue = &device->queues[n];
	if (offset == COMMON_QUEUE_VECTOR) {
		atomic_store(&transport->queues[n].vector, checked_vector(transport, value));
		return;
	}
	/* Set-up ends when the queue is enabled, and all of it when the device runs. */
	if (queue->enabled || device->running || transport->resetting)
		return;
	switch (offset) {
	case COMMON_QUEUE_SIZE:
		if (value && value <= device->ops->queue_size && !(value & (value - 1)))
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

static void write_common(struct virtio_pci *transport, unsigned offset, uint64_t value,
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
		if (select < 2 && !(transport->status & STATUS_FEATURES_OK)) {
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

/* --- the BAR --- */

static void bar_read(struct pci_function *function, uint64_t offset, void *data, unsigned length)
{
	struct virtio_pci *transport = transport_of(function);
	struct virtio *device = transport->device;

	memset(data, 0, length);
	if (offset == BAR_ISR) {
		*(uint8_t *)data = take_isr(transport);
		return;
	}
	pthread_mutex_lock(&device->lock);
	if (offset < BAR_COMMON + COMMON_SIZE)
		load(data, length, common_value(transport, (unsigned)offset));
	else if (offset >= BAR_DEVICE &&
		 range_inside(offset - BAR_DEVICE, length, device->ops->config_size))
		device->ops->config_read(device, (uint32_t)(offset - BAR_DEVICE), data, length);
	pthread_mutex_unlock(&device->lock);
}

static void bar_write(struct pci_function *function, uint64_t offset, const void *data,
		      unsigned length)
{
	struct virtio_pci *transport = transport_of(function);
	struct virtio *device = transport->device;
	uint64_t value = 0;

	memcpy(&value, data, length);
	if (offset >= BAR_NOTIFY && offset < BAR_NOTIFY + NOTIFY_STEP * device->ops->queues) {
		ring_doorbell(&transport->queues[(offset - BAR_NOTIFY) / NOTIFY_STEP]);
		return;
	}
	if (offset >= BAR_COMMON + COMMON_SIZE)
		return;
	pthread_mutex_lock(&device->lock);
	write_common(transport, (unsigned)offset, value, length);
	pthread_mutex_unlock(&device->lock);
}

static void bar_moved(struct pci_function *function, uint64_t base)
{
	struct virtio_pci *transport = transport_of(function);

	(void)base;
	pthread_mutex_lock(&transport->device->lock);
	place_doorbells(transport);
	pthread_mutex_unlock(&transport->device->lock);
}

/* --- capabilities --- */

static unsigned add_capability(struct virtio_pci *transport, uint8_t type, uint32_t offset,
			       uint32_t size, unsigned extra)
{
	unsigned length = 16 + extra;
	unsigned at = pci_add_capability(&transport->function, CAPABILITY_VENDOR, length);
	uint8_t *config = transport->function.config + at;

	config[2] = (uint8_t)length;
	config[3] = type;
	memcpy(config + 8, &offset, 4);
	memcpy(config + 12, &size, 4);
	return at;
}

/*
 * The window through which BAR 0 can be reached from configuration space,
 * §4.1.4.9. True and the range in the BAR when the window is set well.
 */
static bool access_window(struct pci_function *function, uint32_t *offset, uint32_t *length)
{
	const uint8_t *capability = function->config + transport_of(function)->access;

	memcpy(offset, capability + 8, 4);
	memcpy(length, capability + 12, 4);
	return capability[4] == 0 && (*length == 1 || *length == 2 || *length == 4) &&
	       *offset % *length == 0 && range_inside(*offset, *length, BAR_MSIX);
}

static void config_read(struct pci_function *function, unsigned offset, unsigned length)
{
	unsigned data = transport_of(function)->access + 16;
	uint32_t at, size;

	if (range_overlap(offset, length, data, 4) && access_window(function, &at, &size))
		bar_read(function, at, function->config + data, size);
}

static void config_written(struct pci_function *function, unsigned offset, unsigned length)
{
	unsigned data = transport_of(function)->access + 16;
	uint32_t at, size;

	if (range_overlap(offset, length, data, 4) && access_window(function, &at, &size))
		bar_write(function, at, function->config + data, size);
}

static void add_capabilities(struct virtio_pci *transport)
{
	struct pci_function *function = &transport->function;
	uint32_t step = NOTIFY_STEP;
	unsigned at;

	add_capability(transport, CAP_COMMON, BAR_COMMON, COMMON_SIZE, 0);
	add_capability(transport, CAP_ISR, BAR_ISR, 1, 0);
	add_capability(transport, CAP_DEVICE, BAR_DEVICE, BAR_DEVICE_SIZE, 0);
	at = add_capability(transport, CAP_NOTIFY, BAR_NOTIFY,
			    NOTIFY_STEP * transport->device->ops->queues, 4);
	memcpy(function->config + at + 16, &step, sizeof(step));
	at = add_capability(transport, CAP_PCI, 0, 0, 4);
	transport->access = at;
	function->writable[at + 4] = 0xff;
	memset(function->writable + at + 8, 0xff, 12);
	pci_add_msix(function, transport->device->ops->queues + 1, BAR_MSIX, BAR_PENDING);
}

static const struct pci_function_ops function_ops = {
	.name = "virtio",
	.bar_read = bar_read,
	.bar_write = bar_write,
	.bar_moved = bar_moved,
	.config_read = config_read,
	.config_written = config_written,
};

int virtio_pci_create(struct virtio_pci *transport, struct virtio *device, struct pci *pci,
		      unsigned slot, const struct guest_memory *memory, struct loop *loop,
		      int vm_fd, struct cause *cause)
{
	struct pci_function *function = &transport->function;
	const struct virtio_ops *ops = device->ops;
	int err;

	memset(transport, 0, sizeof(*transport));
	transport->device = device;
	transport->memory = memory;
	transport->loop = loop;
	transport->vm_fd = vm_fd;
	pthread_mutex_init(&device->lock, NULL);
	pthread_mutex_init(&transport->isr_lock, NULL);
	device->transport = transport;
	for (unsigned n = 0; n < VIRTIO_QUEUES_MAX; n++) {
		transport->queues[n].kick_fd = -1;
		transport->queues[n].doorbell = BUS_NOWHERE;
		transport->queues[n].transport = transport;
	}
	pci_function_init(function, &function_ops, VENDOR_VIRTIO,
			  (uint16_t)(DEVICE_ID_BASE + ops->id), ops->class_code);
	function->config[PCI_REVISION] = 1;
	memcpy(function->config + PCI_SUBSYSTEM_VENDOR, function->config + PCI_VENDOR_ID, 4);
	add_capabilities(transport);
	for (unsigned n = 0; n < ops->queues; n++) {
		struct virtio_pci_queue *queue = &transport->queues[n];

		queue->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (queue->kick_fd < 0)
			return cause_errno(cause, errno, "%s: no doorbell", ops->name);
		err = loop_add(loop, &queue->source, queue->kick_fd, EPOLLIN, kicked, queue);
		if (err < 0)
			return cause_errno(cause, -err, "%s: no doorbell", ops->name);
	}
	err = pci_add(pci, function, slot, BAR_SIZE, cause);
	if (err == 0)
		finish_reset(transport);
	return err;
}

void virtio_pci_destroy(struct virtio_pci *transport)
{
	struct virtio *device = transport->device;

	if (!device)
		return;
	if (device->running)
		virtio_pci_quiesce(transport);
	for (unsigned n = 0; n < device->ops->queues; n++) {
		struct virtio_pci_queue *queue = &transport->queues[n];

		loop_remove(transport->loop, &queue->source);
		if (queue->kick_fd >= 0)
			close(queue->kick_fd);
	}
	pci_remove(&transport->function);
	pthread_mutex_destroy(&device->lock);
	pthread_mutex_destroy(&transport->isr_lock);
	transport->device = NULL;
}

bool virtio_pci_quiesce(struct virtio_pci *transport)
{
	bool done;

	if (!transport->device)
		return true;
	pthread_mutex_lock(&transport->device->lock);
	reset(transport);
	done = !transport->resetting;
	pthread_mutex_unlock(&transport->device->lock);
	return done;
}

void virtio_pci_describe(struct virtio_pci *transport, char *text, size_t size)
{
	pthread_mutex_lock(&transport->device->lock);
	if (transport->status & STATUS_NEEDS_RESET)
		snprintf(text, size, "needs reset: %s", transport->broken_why);
	else
		snprintf(text, size, "%s", transport->device->running ? "running" : "idle");
	pthread_mutex_unlock(&transport->device->lock);
}

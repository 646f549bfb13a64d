/*
 * The virtio PCI transport: its BAR, its capabilities, and its life. virtio 1.2
 * §4.1.2 (identity), §4.1.4 (layout), §4.1.4.9 (access by configuration space).
 * Accesses on vCPU threads; the registers behind them are in pci_common.c,
 * doorbells and interrupts in pci_queue.c.
 */
#include "core/virtio/pci_private.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "core/bus/pci_msix.h"

/* Layout of BAR 0, beside the doorbells */
#define BAR_SIZE 0x4000u
#define BAR_COMMON 0x0000u
#define BAR_ISR 0x0400u
#define BAR_DEVICE 0x0800u
#define BAR_DEVICE_SIZE 0x0800u
#define BAR_MSIX 0x2000u
#define BAR_PENDING 0x3000u

#define VENDOR_VIRTIO 0x1af4
#define DEVICE_ID_BASE 0x1040
#define CAPABILITY_VENDOR 0x09

/* cfg_type, §4.1.4 */
enum { CAP_COMMON = 1, CAP_NOTIFY, CAP_ISR, CAP_DEVICE, CAP_PCI };

static struct virtio_pci *transport_of(struct pci_function *function)
{
	return container_of(function, struct virtio_pci, function);
}

/* --- the BAR --- */

static bool is_config(const struct virtio *device, uint64_t offset, unsigned length)
{
	return offset >= BAR_DEVICE &&
	       range_inside(offset - BAR_DEVICE, length, device->ops->config_size);
}

static void bar_read(struct pci_function *function, unsigned bar, uint64_t offset, void *data,
		     unsigned length)
{
	struct virtio_pci *transport = transport_of(function);
	struct virtio *device = transport->device;
	uint64_t value;

	(void)bar;
	memset(data, 0, length);
	if (offset == BAR_ISR) {
		*(uint8_t *)data = virtio_pci_take_isr(transport);
		return;
	}
	pthread_mutex_lock(&device->lock);
	if (offset < BAR_COMMON + COMMON_SIZE) {
		value = virtio_pci_common_read(transport, (unsigned)offset);
		memcpy(data, &value, length);
	} else if (is_config(device, offset, length)) {
		device->ops->config_read(device, (uint32_t)(offset - BAR_DEVICE), data, length);
	}
	pthread_mutex_unlock(&device->lock);
}

static void bar_write(struct pci_function *function, unsigned bar, uint64_t offset,
		      const void *data, unsigned length)
{
	struct virtio_pci *transport = transport_of(function);
	struct virtio *device = transport->device;
	uint64_t value = 0;

	(void)bar;
	memcpy(&value, data, length);
	if (offset >= BAR_NOTIFY && offset < BAR_NOTIFY + NOTIFY_STEP * device->queue_count) {
		virtio_pci_ring(&transport->queues[(offset - BAR_NOTIFY) / NOTIFY_STEP]);
		return;
	}
	pthread_mutex_lock(&device->lock);
	if (offset < BAR_COMMON + COMMON_SIZE)
		virtio_pci_common_write(transport, (unsigned)offset, value, length);
	else if (device->ops->config_write && is_config(device, offset, length))
		device->ops->config_write(device, (uint32_t)(offset - BAR_DEVICE), data, length);
	pthread_mutex_unlock(&device->lock);
}

static void bar_moved(struct pci_function *function, unsigned bar, uint64_t base)
{
	struct virtio_pci *transport = transport_of(function);

	(void)bar;
	(void)base;
	pthread_mutex_lock(&transport->device->lock);
	virtio_pci_place_doorbells(transport);
	pthread_mutex_unlock(&transport->device->lock);
}

static void master_changed(struct pci_function *function, bool master)
{
	struct virtio_pci *transport = transport_of(function);

	pthread_mutex_lock(&transport->device->lock);
	transport->master = master;
	virtio_pci_update_running(transport);
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
		bar_read(function, 0, at, function->config + data, size);
}

static void config_written(struct pci_function *function, unsigned offset, unsigned length)
{
	unsigned data = transport_of(function)->access + 16;
	uint32_t at, size;

	if (range_overlap(offset, length, data, 4) && access_window(function, &at, &size))
		bar_write(function, 0, at, function->config + data, size);
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
			    NOTIFY_STEP * transport->device->queue_count, 4);
	memcpy(function->config + at + 16, &step, sizeof(step));
	at = add_capability(transport, CAP_PCI, 0, 0, 4);
	transport->access = at;
	function->writable[at + 4] = 0xff;
	memset(function->writable + at + 8, 0xff, 12);
	pci_add_msix(function, transport->device->queue_count + 1, 0, BAR_MSIX,
		     BAR_PENDING);
}

static const struct pci_function_ops function_ops = {
	.name = "virtio",
	.bar_read = bar_read,
	.bar_write = bar_write,
	.bar_moved = bar_moved,
	.master_changed = master_changed,
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
	device->transport = transport;
	if (!device->queue_count)
		device->queue_count = ops->queues;
	if (!device->queue_size)
		device->queue_size = ops->queue_size;
	pci_function_init(function, &function_ops, VENDOR_VIRTIO,
			  (uint16_t)(DEVICE_ID_BASE + ops->id), ops->class_code);
	function->config[PCI_REVISION] = 1;
	memcpy(function->config + PCI_SUBSYSTEM_VENDOR, function->config + PCI_VENDOR_ID, 4);
	add_capabilities(transport);
	virtio_pci_open_queues(transport);
	pci_add_bar(function, 0, PCI_BAR_MEMORY, BAR_SIZE);
	err = pci_add(pci, function, slot, cause);
	if (err == 0)
		virtio_pci_reset(transport);
	return err;
}

void virtio_pci_destroy(struct virtio_pci *transport)
{
	struct virtio *device = transport->device;

	if (!device)
		return;
	if (virtio_pci_driver_ready(transport))
		virtio_pci_quiesce(transport);
	virtio_pci_close_queues(transport);
	pci_remove(&transport->function);
	pthread_mutex_destroy(&device->lock);
	transport->device = NULL;
}

bool virtio_pci_quiesce(struct virtio_pci *transport)
{
	bool done;

	if (!transport->device)
		return true;
	pthread_mutex_lock(&transport->device->lock);
	virtio_pci_reset(transport);
	done = !transport->resetting;
	pthread_mutex_unlock(&transport->device->lock);
	return done;
}

void virtio_pci_describe(struct virtio_pci *transport, char *text, size_t size)
{
	const char *broken_why = transport->broken_why;

	if (broken_why)
		snprintf(text, size, "needs reset: %s", broken_why);
	else if (transport->device->running)
		snprintf(text, size, "running");
	else if (virtio_pci_driver_ready(transport))
		snprintf(text, size, "idle, no bus master");
	else
		snprintf(text, size, "idle");
}

/* The transport's part of a virtio device's life. Threads: as device.h says. */
#include "core/virtio/pci_device.h"

int virtio_device_create(struct device *device, struct virtio *virtio, struct cause *cause)
{
	const struct device_host *host = device->host;
	int err = virtio_pci_create(device->state, virtio, host->pci, device->slot, host->memory,
				    host->loop, host->vm_fd, cause);

	if (!err)
		virtio_pci_pause(device->state, true);
	return err;
}

void virtio_device_start(struct device *device)
{
	virtio_pci_pause(device->state, false);
}

bool virtio_device_stop(struct device *device)
{
	virtio_pci_pause(device->state, true);
	return true;
}

bool virtio_device_reset(struct device *device)
{
	return virtio_pci_quiesce(device->state);
}

void virtio_device_describe(struct device *device, char *text, size_t size)
{
	virtio_pci_describe(device->state, text, size);
}

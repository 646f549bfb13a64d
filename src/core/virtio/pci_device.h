/*
 * What the rows of virtio devices have in common. The state of such a device begins
 * with its transport, a struct virtio_pci.
 */
#ifndef CORE_VIRTIO_PCI_DEVICE_H
#define CORE_VIRTIO_PCI_DEVICE_H

#include "core/bus/device.h"
#include "core/virtio/pci.h"

/* Puts virtio, whose ops are set, at the device's PCI device number; it is paused. */
int virtio_device_create(struct device *device, struct virtio *virtio, struct cause *cause);

/* Functions for a row; a device that has more to do there calls them. */
void virtio_device_start(struct device *device);
bool virtio_device_stop(struct device *device); /* true: what is in flight is its caller's to know */
bool virtio_device_reset(struct device *device);
void virtio_device_describe(struct device *device, char *text, size_t size);

#endif

/*
 * A guest's disks as devices of its machine: the io_uring that serves them, and
 * [disk0], [disk1], ... of its profile.
 */
#ifndef CORE_VIRTIO_BLK_DEVICE_H
#define CORE_VIRTIO_BLK_DEVICE_H

#include "core/bus/device.h"

extern const struct device_type disk_ring_device; /* stands before the disks */
extern const struct device_type blk_device;

#endif

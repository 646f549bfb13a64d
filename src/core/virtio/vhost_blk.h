/* Disks that another program serves, as rows of the device table. */
#ifndef CORE_VIRTIO_VHOST_BLK_H
#define CORE_VIRTIO_VHOST_BLK_H

#include "core/bus/device.h"

/* Behind that of the disks that this program serves, whose PCI device numbers it shares. */
extern const struct device_type vhost_blk_device;

#endif

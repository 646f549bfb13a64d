/* The virtio disks of a guest as devices of its machine: [disk0], [disk1], ... of its profile. */
#ifndef CORE_VIRTIO_BLK_DEVICE_H
#define CORE_VIRTIO_BLK_DEVICE_H

#include "core/bus/device.h"

extern const struct device_type blk_device;
extern const struct device_type seed_device; /* of [cloud]; stands behind them */

#endif

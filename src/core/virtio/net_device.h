/* A guest's NICs as devices of its machine: [net0], [net1], ... of its profile. */
#ifndef CORE_VIRTIO_NET_DEVICE_H
#define CORE_VIRTIO_NET_DEVICE_H

#include "core/bus/device.h"

extern const struct device_type net_device;

#endif

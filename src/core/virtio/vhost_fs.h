/* Folders of the host that a guest can mount, as rows of the device table. */
#ifndef CORE_VIRTIO_VHOST_FS_H
#define CORE_VIRTIO_VHOST_FS_H

#include "core/bus/device.h"

extern const struct device_type vhost_fs_device;

#endif

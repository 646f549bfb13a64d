/*
 * The virtio console: a guest's /dev/hvc0, with the size of the window that it is shown in.
 * virtio 1.2 §5.3.
 */
#ifndef CORE_VIRTIO_CONSOLE_H
#define CORE_VIRTIO_CONSOLE_H

#include "core/bus/device.h"

#define VIRTIO_CONSOLE_INPUT 1024u /* typed bytes that wait for the guest at most */

extern const struct device_type virtio_console_device;

#endif

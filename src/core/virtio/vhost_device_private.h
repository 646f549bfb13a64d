/*
 * Answering a driver with errors, in the place of a program that has ended. The guest's I/O
 * thread, device lock held.
 */
#ifndef CORE_VIRTIO_VHOST_DEVICE_PRIVATE_H
#define CORE_VIRTIO_VHOST_DEVICE_PRIVATE_H

#include "core/virtio/vhost_device.h"

/*
 * Nobody serves the driver's queues, and it is not to wait for them: answers what the program had
 * taken and what is available, and hears the doorbells from there on.
 */
void vhost_begin_refusing(struct vhost_device *vhost);

/* A next program is about to be there; also when it has not begun. */
void vhost_end_refusing(struct vhost_device *vhost);

/* Answers what is available in queue n, so much that the loop gets on with other things. */
void vhost_refuse(struct vhost_device *vhost, unsigned n);

#endif

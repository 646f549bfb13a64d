/*
 * What a backend has taken from a device's queues and not returned yet, as it notes it down
 * in a file in memory that outlives it: vhost-user.rst, "Inflight I/O tracking", split virtqueues.
 *
 * The rings alone do not say it of a backend that has ended: requests are returned in any
 * order, and the entry of one that takes long is overwritten when as many as the ring has room
 * for have come after it. A new backend that is given the notes does again what they name, before
 * all else.
 *
 * Notes are taken by libvhost-user for whatever device is built on it. Whether it says so
 * (VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD) it leaves to the device, and qemu-storage-daemon does not,
 * since who has libvhost-user make the file needs memfd_create(2) with seals. We make the file
 * ourselves, ask for notes all the same, and see whether they are taken: the backend
 * writes the number of descriptors when it is given the file.
 *
 * The backend is not trusted: what it wrote is looked at when it is gone.
 */
#ifndef CORE_VIRTIO_VHOST_INFLIGHT_H
#define CORE_VIRTIO_VHOST_INFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/virtio/queue.h"

struct vhost_inflight {
	int fd; /* whose size nobody can change; -1: there are no notes */
	uint8_t *notes;
	size_t size;
	uint16_t queues, queue_size; /* the largest that a driver can set up */
};

/* Makes an empty one. 0 or a negative errno. */
int vhost_inflight_create(struct vhost_inflight *inflight, unsigned queues, uint16_t queue_size);
void vhost_inflight_destroy(struct vhost_inflight *inflight); /* also of a zeroed one */

#define VHOST_QUEUE_SIZE 128 /* of all backends' queues */

/* So many bytes have a bit for each descriptor of a queue: set for a head that is taken. */
#define VHOST_INFLIGHT_BYTES (VHOST_QUEUE_SIZE / 8)

/*
 * Notes these heads of an enabled queue for a backend that is about to serve it, and no others.
 * 0, or -EINVAL: its rings do not have so many.
 */
int vhost_inflight_write(struct vhost_inflight *inflight, unsigned n, const struct virtq *queue,
			 const uint8_t heads[VHOST_INFLIGHT_BYTES]);

/* Whether a backend has begun to take notes of queue n since that. */
bool vhost_inflight_begun(const struct vhost_inflight *inflight, unsigned n);

/*
 * Reads what is noted of an enabled queue. How many heads there are, or -EINVAL: that and the rings
 * do not agree.
 */
int vhost_inflight_read(const struct vhost_inflight *inflight, unsigned n,
			const struct virtq *queue, uint8_t heads[VHOST_INFLIGHT_BYTES]);

#endif

/*
 * The virtio block device: a disk image as the guest sees it. virtio 1.2 §5.2.
 *
 * All requests are served on the guest's I/O thread. Memory for requests is
 * reserved once and touched only as far as requests were ever in flight.
 */
#ifndef CORE_VIRTIO_BLK_H
#define CORE_VIRTIO_BLK_H

#include "core/disk/disk.h"
#include "core/virtio/virtio.h"

#define VIRTIO_BLK_QUEUE_SIZE 128
#define VIRTIO_BLK_REQUESTS 64 /* in flight at once; further ones wait in the guest's ring */
#define VIRTIO_BLK_SERIAL 20   /* bytes, not terminated when all are used */
#define VIRTIO_BLK_QUEUES_MAX 4 /* all are served by one thread */

struct blk_memory;
struct blk_request;

struct virtio_blk {
	struct virtio device;
	struct disk *disk;
	char serial[VIRTIO_BLK_SERIAL];
	/* The rest is guarded by the device's lock. */
	struct blk_memory *memory;
	uint8_t unused[VIRTIO_BLK_REQUESTS]; /* stack of the requests that are not in flight */
	unsigned unused_count;
	unsigned unused_tables; /* bit n: table n of iovecs is free */
	bool stable;		/* the driver does not flush: every write has to be stable */
	uint32_t stalled;	/* bit n: queue n has requests that wait until others complete */
	unsigned turn;		/* the queue that is served first of these */
	bool resetting;		/* a reset waits for what is in flight */
	struct blk_request *held; /* done while the device was stopped; answered when it runs */
	struct blk_request *finished; /* done, not told to the driver; I/O thread only */
};

/*
 * Before virtio_pci_create(). The disk stays the caller's and must outlive the
 * device; serial (cut to 20 bytes) is what the guest reads as the disk's
 * identity; it has 1 to VIRTIO_BLK_QUEUES_MAX queues. 0, or -ENOMEM with a cause.
 */
int virtio_blk_init(struct virtio_blk *blk, struct disk *disk, const char *serial,
		    unsigned queues, struct cause *cause);

/* Has the disk grow, as disk_grow(), and tells the driver. Any thread. */
int virtio_blk_grow(struct virtio_blk *blk, const struct disk_growth *growth, struct cause *cause);

/* Whether no request is in flight. I/O thread. */
bool virtio_blk_is_idle(struct virtio_blk *blk);

/* Nothing may be in flight: see virtio_pci_quiesce(). Valid on a zeroed one. */
void virtio_blk_destroy(struct virtio_blk *blk);

#endif

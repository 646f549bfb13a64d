/*
 * Disk images: requests in, completions on the guest's I/O thread.
 *
 * A ring (io_uring) serves all disks of one guest, on that guest's loop. Data
 * goes straight between image and guest memory. All calls are for the I/O
 * thread of the guest, except disk_get_counters().
 */
#ifndef CORE_DISK_DISK_H
#define CORE_DISK_DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/cause.h"
#include "base/loop.h"

#define DISK_SECTOR 512u

struct disk_ring; /* io_uring of one guest */
struct disk;

enum disk_operation { DISK_READ, DISK_WRITE, DISK_FLUSH, DISK_DISCARD, DISK_WRITE_ZEROES };

struct disk_config {
	char name[16];	  /* "disk0", for messages */
	const char *path;
	bool readonly;
};

/* One request, embedded in its owner; the iovecs are needed until disk_submit() returns. */
struct disk_request {
	enum disk_operation operation;
	uint64_t offset; /* bytes */
	uint64_t length; /* bytes; the sum of iov where there is one */
	const struct iovec *iov;
	unsigned iov_count;
	/* result: 0 or a negative errno. Called from the guest's loop, never from disk_queue(). */
	void (*done)(struct disk_request *request, int result);
	struct disk *disk;   /* the rest is the disk's */
	uint64_t done_bytes;
	struct disk_request *next;
};

struct disk_counters {
	uint64_t read_bytes, read_requests;
	uint64_t write_bytes, write_requests;
	uint64_t flushes, errors;
};

int disk_ring_create(struct disk_ring **out, struct loop *loop, struct cause *cause);
void disk_ring_destroy(struct disk_ring *ring); /* no request may be in flight */

/*
 * Opens a raw image and takes QEMU's locks on it (OFD byte ranges), so that
 * qemu-img and a second guest are refused: shared for readonly, exclusive
 * otherwise. -ENOENT, -EACCES, -EBUSY (locked), -EINVAL (not a regular file or
 * block device, or a size that is no multiple of 512), each with a cause.
 */
int disk_open(struct disk **out, struct disk_ring *ring, const struct disk_config *config,
	      struct cause *cause);
void disk_close(struct disk *disk); /* no request may be in flight; NULL is valid */

uint64_t disk_size(const struct disk *disk); /* bytes, a multiple of 512 */
bool disk_is_readonly(const struct disk *disk);

/*
 * Queues a request; bounds are checked here too (-EINVAL and no done()).
 * -EBUSY when the ring is full: call disk_submit() and try again.
 */
int disk_queue(struct disk *disk, struct disk_request *request);

/* Hands what is queued to the kernel: one system call a burst. */
void disk_submit(struct disk_ring *ring);

void disk_get_counters(const struct disk *disk, struct disk_counters *out);

#endif

/*
 * Disk images: requests in, completions on the guest's I/O thread.
 *
 * A ring (io_uring, or threads where that is refused) serves all disks of one guest,
 * on that guest's loop. Data goes straight between image and guest memory. All calls
 * are for the I/O thread of the guest, except disk_get_counters(); creating, opening,
 * closing and destroying may also happen on another thread while the loop is not run.
 */
#ifndef CORE_DISK_DISK_H
#define CORE_DISK_DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/cause.h"
#include "base/loop.h"

#define DISK_SECTOR 512u
#define DISK_RING_DISKS 8 /* disks of one ring */
#define DISK_IOV_MAX 1024 /* iovecs of one request */

struct disk_ring; /* of one guest */
struct disk;
struct disk_growth;

enum disk_operation { DISK_READ, DISK_WRITE, DISK_FLUSH, DISK_DISCARD, DISK_WRITE_ZEROES };

struct disk_config {
	char name[16];	  /* "disk0", for messages */
	const char *path;  /* the disk keeps a copy */
	const char *guest; /* whose it is, or NULL; the same */
	bool readonly;
	bool raw; /* whatever its content looks like: somebody has said so */
	bool cdrom; /* it is the medium of a drive */
	bool direct; /* past the page cache */
	bool at_once; /* whoever has it in use is not waited for, though he may be about to end */
};

/* One request, embedded in its owner; it and its iovecs must stay until done(). */
struct disk_request {
	enum disk_operation operation;
	bool stable;	 /* on stable storage before done(), without a flush */
	bool unmap;	 /* of DISK_WRITE_ZEROES: the space may be given back */
	uint64_t offset; /* bytes */
	uint64_t length; /* bytes; the sum of iov where there is one */
	const struct iovec *iov;
	unsigned iov_count;
	/* result: 0 or a negative errno. From the guest's loop or disk_give_up(), on its thread. */
	void (*done)(struct disk_request *request, int result);
	struct disk *disk;   /* the rest is the disk's */
	uint64_t done_bytes;
	uint8_t step, retries;
	uint8_t *bounce; /* what is moved in place of iov, or NULL */
	struct disk_request *next;
};

struct disk_counters {
	uint64_t read_bytes, read_requests;
	uint64_t write_bytes, write_requests;
	uint64_t flushes, errors;
};

/* A ring without disks; the io_uring itself is made for the first disk. -ENOMEM with a cause. */
int disk_ring_create(struct disk_ring **out, struct loop *loop, struct cause *cause);

/* Disks may come and go while requests are served; before the first one. Else -EBUSY. */
void disk_ring_exchanges(struct disk_ring *ring);

void disk_ring_destroy(struct disk_ring *ring); /* its disks are closed; NULL is valid */

/*
 * Whether threads serve the disks that were opened, because io_uring is refused: why, as a
 * part of a sentence.
 */
bool disk_ring_is_refused(const struct disk_ring *ring, struct cause *why);

/* Whether guests' disks can be served by io_uring here. Any thread; why as above. */
bool disk_ring_probe(struct cause *why);

/*
 * Opens a raw image and takes QEMU's locks on it (OFD byte ranges), so that
 * qemu-img and a second guest are refused: shared for readonly, exclusive
 * otherwise. -ENOENT, -EACCES, -EBUSY (locked, or see disk_ring_exchanges()), -EROFS (a device that nobody may write
 * to), -EINVAL (not a regular file or block device, a size that is no multiple of 512, or
 * an image of another format), each with a cause that begins with the disk's name. With 0
 * *cause is a warning of the same kind, or "".
 */
int disk_open(struct disk **out, struct disk_ring *ring, const struct disk_config *config,
	      struct cause *cause);

/*
 * The same in two halves: the image is opened and locked on any thread, and served by the ring
 * from the second call on, which is the I/O thread's. One that no ring serves is closed on any.
 */
int disk_prepare(struct disk **out, const struct disk_config *config, struct cause *cause);
int disk_join(struct disk *disk, struct disk_ring *ring, struct cause *cause);

void disk_close(struct disk *disk); /* no request may be in flight; NULL is valid */

uint64_t disk_size(const struct disk *disk); /* bytes, a multiple of 512; any thread */

/*
 * A file that is made larger, for a disk which is in use and may be closed meanwhile. Any thread;
 * disk_growth_run(), once, and disk_growth_free() wait for the file system. Each fails with a cause
 * that does not name the disk. disk_growth_new(): -EINVAL, -ERANGE (it would be smaller), -EROFS,
 * -EBUSY (somebody is at it). disk_growth_run(): -ERANGE of a device, which has to be large enough,
 * or what the file system says.
 */
int disk_growth_new(struct disk_growth **out, const struct disk *disk, uint64_t bytes,
		    struct cause *cause);
int disk_growth_run(struct disk_growth *growth, struct cause *cause);
void disk_growth_free(struct disk_growth *growth); /* NULL is valid */

/*
 * The disk has the size that its file has been given. Any thread. -ECANCELED of another image,
 * or as disk_growth_new().
 */
int disk_grow(struct disk *disk, const struct disk_growth *growth, struct cause *cause);

const char *disk_name(const struct disk *disk); /* as in its config */
const char *disk_path(const struct disk *disk);
bool disk_is_readonly(const struct disk *disk);
struct disk_ring *disk_get_ring(const struct disk *disk);

/* Has batch(arg) called after each run of done() calls: what can be told once is told there. */
void disk_on_batch(struct disk *disk, void (*batch)(void *arg), void *arg);

/*
 * Queues a request of any size; what the ring has no room for waits in line.
 * Refused without done(): -EINVAL for a range outside the disk or iovecs that
 * do not add up, -EROFS for a change to a readonly disk, -ENOMEM of one past the page cache.
 */
int disk_queue(struct disk *disk, struct disk_request *request);

/* Hands what is queued to the kernel: one system call a burst. */
void disk_submit(struct disk_ring *ring);

/*
 * From now on a change for which the file system has no room (ENOSPC, EDQUOT) is held instead of
 * failing. full(arg, disk, error) is called from the loop, after the run of done() calls, when
 * the first one is held; error is a negative errno. Flushes are never held: once one has failed,
 * another one succeeds without the data.
 */
void disk_on_full(struct disk_ring *ring,
		  void (*full)(void *arg, const struct disk *disk, int error), void *arg);

/* Submits what is held again, in the order in which it came to be held. */
void disk_retry(struct disk_ring *ring);

/* Ends what is held with -ENOSPC, through done(); from now on nothing is held. */
void disk_give_up(struct disk_ring *ring);

/* Any thread. */
void disk_get_counters(const struct disk *disk, struct disk_counters *out);

#endif

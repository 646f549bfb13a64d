/*
 * What the files of this folder share: the ring and an open image.
 */
#ifndef CORE_DISK_IMAGE_H
#define CORE_DISK_IMAGE_H

#include <liburing.h>

#include "base/counter.h"
#include "core/disk/disk.h"
#include "core/disk/file.h"

#define RING_ENTRIES 64

struct disk_pool;
struct image_claim;
struct image_lock;

/* What a request needs of the system next. */
enum disk_call {
	DISK_CALL_READ, DISK_CALL_WRITE, DISK_CALL_SYNC, DISK_CALL_ALLOCATE,
	DISK_CALL_DISCARD /* of a block device */
};

struct disk_step {
	enum disk_call call;
	int flags;		 /* RWF_... of DISK_CALL_WRITE, FALLOC_FL_... of DISK_CALL_ALLOCATE */
	uint64_t offset, length; /* bytes; of all but data, which has iov */
	const struct iovec *iov; /* stays until the step is done, unless it is &one */
	unsigned count;
	struct iovec one;
};

/*
 * Who makes the calls: io_uring, or threads where that is refused. Thread: as of disk.h. A step
 * that is prepared is carried out from submit() on, in any order and beside others; then
 * ring_step_done() is called on the loop's thread, and ring_batch_done() after a run of these.
 */
struct disk_engine {
	int (*create)(struct disk_ring *ring);	 /* 0, or a negative errno and nothing is left */
	void (*destroy)(struct disk_ring *ring); /* nothing is in flight */
	int (*add)(struct disk_ring *ring, const struct disk *disk); /* NULL: nothing to do */
	void (*remove)(struct disk_ring *ring, const struct disk *disk);
	/* At most RING_ENTRIES are in flight. */
	void (*prepare)(struct disk_ring *ring, struct disk_request *request);
	bool (*submit)(struct disk_ring *ring); /* false: it has to be called again */
};

extern const struct disk_engine uring_engine, pool_engine;

struct disk_ring {
	const struct disk_engine *engine; /* NULL before the first disk */
	int refused;		   /* errno of the io_uring that was not to be had, or 0 */
	struct io_uring uring;
	uint8_t *pages;		   /* where its rings lie, or NULL: liburing mapped them */
	struct loop_source source; /* its descriptor */
	struct loop_task reap;	   /* it has completions already */
	struct disk_pool *pool;
	struct loop *loop;
	struct loop_timer again; /* submit() has to be called */
	bool exchanges;		 /* disks come and go */
	bool begun;		 /* requests were submitted: unless they do, disks are final */
	unsigned in_flight;	   /* prepared or with the kernel */
	struct disk_request *waiting, **waiting_end; /* no room in the ring yet */
	struct disk *disks[DISK_RING_DISKS];	     /* by number of the fixed file */
	struct disk_request *held, **held_end;	     /* the file system had no room for them */
	void (*full)(void *arg, const struct disk *disk, int error); /* or NULL: nothing is held */
	void *full_arg;
	const struct disk *full_disk; /* of the first one held, until full() is told */
	int full_error;
};

struct disk {
	struct disk_ring *ring;
	struct disk_config config;
	struct disk_file file;
	_Atomic uint64_t size; /* as requests are checked against it */
	struct image_claim *claim;
	struct image_lock *lock;
	int slot; /* number of the fixed file, or -1 */
	bool discards;		      /* it is a block device, and can */
	bool no_punch, no_zero_range; /* the file system said that it cannot */
	bool finished;		      /* requests of this run are done */
	void (*batch)(void *arg);
	void *batch_arg;
	/* Written by the I/O thread only. */
	struct counter read_bytes, read_requests;
	struct counter write_bytes, write_requests;
	struct counter flushes, errors;
	char texts[]; /* of config: its path, and its guest */
};

/* What the request needs next; it does not change before ring_step_done(). Any thread. */
void ring_step(const struct disk_request *request, struct disk_step *step);

/* result: that of the system call, or a negative errno. */
void ring_step_done(struct disk_ring *ring, struct disk_request *request, int result);
void ring_batch_done(struct disk_ring *ring);

/* Gives the image a place in its ring. 0, or a negative errno with a cause. */
int ring_add_disk(struct disk_ring *ring, struct disk *disk, struct cause *cause);
void ring_remove_disk(struct disk_ring *ring, struct disk *disk);

#endif

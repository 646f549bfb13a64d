/*
 * What the files of this folder share: the ring, an open image, its locks.
 */
#ifndef CORE_DISK_IMAGE_H
#define CORE_DISK_IMAGE_H

#include <liburing.h>
#include <sys/stat.h>

#include "base/counter.h"
#include "core/disk/disk.h"

#define RING_ENTRIES 64

struct image_lock;

struct disk_ring {
	struct io_uring uring; /* ring_fd is -1 without one */
	uint8_t *pages;	       /* where its rings lie, or NULL: liburing mapped them */
	struct loop *loop;
	struct loop_source source; /* the ring's own descriptor */
	struct loop_timer again;   /* the kernel could not take what is queued */
	bool enabled;		   /* restrictions are in force, disks are final */
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
	int fd;
	struct image_lock *lock;
	int slot; /* number of the fixed file, or -1 */
	bool no_punch, no_zero_range; /* the file system said that it cannot */
	bool finished;		      /* requests of this run are done */
	uint64_t size;
	void (*batch)(void *arg);
	void *batch_arg;
	/* Written by the I/O thread only. */
	struct counter read_bytes, read_requests;
	struct counter write_bytes, write_requests;
	struct counter flushes, errors;
};

/*
 * The io_uring, disabled, with its restrictions and an empty table of fixed files. 0, or a negative
 * errno and no io_uring. Destroying needs that nothing is in flight: the kernel writes completions
 * into the pages.
 */
int uring_create(struct disk_ring *ring);
int uring_enable(struct disk_ring *ring); /* 0 or a negative errno */
void uring_destroy(struct disk_ring *ring);

/* Gives the image a fixed file of its ring. 0, or a negative errno with a cause. */
int ring_add_disk(struct disk_ring *ring, struct disk *disk, const struct disk_config *config,
		  struct cause *cause);
void ring_remove_disk(struct disk_ring *ring, struct disk *disk);

/*
 * Takes QEMU's locks for a reader or a writer of an open file, whose stat() is st. 0, or a negative
 * errno with a cause and *out NULL. The file stays open until they are given back.
 */
int image_lock(struct image_lock **out, int fd, const struct stat *st,
	       const struct disk_config *config, struct cause *cause);
void image_unlock(struct image_lock *lock); /* NULL is valid */

#endif

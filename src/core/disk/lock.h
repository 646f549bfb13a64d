/* Locks on images, seen by QEMU and by other decks. Any thread. */
#ifndef CORE_DISK_LOCK_H
#define CORE_DISK_LOCK_H

#include "core/disk/disk.h"
#include "core/disk/file.h"

struct image_lock;

/*
 * Takes QEMU's locks for a reader or a writer of an open file, which this process has claimed.
 * For those of a process that has just been killed it waits up to 2 s. 0, or a negative errno with
 * a cause that says who has it, and *out NULL. The file stays until they are given back.
 */
int image_lock(struct image_lock **out, const struct disk_file *file,
	       const struct disk_config *config, struct cause *cause);
void image_unlock(struct image_lock *lock); /* NULL is valid */

/* Closes a file of an image, with locks or without, and sees to the marks: see holder.h. */
void disk_file_close(struct disk_file *file);

#endif

/*
 * Opening images, with all checks of them but the locks, in one order for a start and
 * for "vmdeck check". Any thread.
 */
#ifndef CORE_DISK_OPEN_H
#define CORE_DISK_OPEN_H

#include "core/disk/disk.h"
#include "core/disk/file.h"

/*
 * 0, or a negative errno as of disk_open() with a cause that begins with the path, and
 * no file. With 0 *cause is a warning of the same kind about the file, or "", and the file
 * is to be closed by disk_file_close().
 */
int disk_file_open(struct disk_file *file, const struct disk_config *config, struct cause *cause);

/* The same without a look at its content, whatever its size is. */
int disk_file_open_as_it_is(struct disk_file *file, const struct disk_config *config,
			    struct cause *cause);

/* Whether a guest could have a file as a raw image to read: 0, or as disk_file_open(). */
int disk_look(const char *path, struct cause *cause);

#endif

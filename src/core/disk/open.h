/*
 * Opening images, with all checks of them but the locks, in one order for a start and
 * for "vmdeck check". Any thread.
 */
#ifndef CORE_DISK_OPEN_H
#define CORE_DISK_OPEN_H

#include <sys/stat.h>

#include "core/disk/disk.h"

struct disk_file {
	int fd; /* the caller's to close; -1 without one */
	struct stat st;
	uint64_t size; /* bytes, a multiple of 512 */
};

/*
 * 0, or a negative errno as of disk_open() with a cause that begins with the path, and
 * no file. *warning is a sentence of the same kind about a file that was opened, or "".
 */
int disk_file_open(struct disk_file *file, const struct disk_config *config, struct cause *warning,
	       struct cause *cause);

/* Whether two of them are one file or device, by whatever paths they were opened. */
bool disk_file_same(const struct stat *one, const struct stat *other);

#endif

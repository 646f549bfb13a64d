/*
 * The header of a qcow2 image: what it is based on, and how large it says it is. QEMU's
 * docs/interop/qcow2.rst. Files are hostile: numbers are checked before they are used. Any
 * thread.
 */
#ifndef CORE_DISK_QCOW2_H
#define CORE_DISK_QCOW2_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"
#include "core/disk/file.h"

#define QCOW2_NAME_MAX 1023 /* bytes of a backing file's name */
#define QCOW2_CHAIN_MAX 64  /* images that are based on each other */

struct qcow2_header {
	uint64_t size; /* of the disk, bytes */
	bool has_data_file;
	/* As they stand there; "" if none. */
	char backing[QCOW2_NAME_MAX + 1], data_file[QCOW2_NAME_MAX + 1];
};

/* 0, or -EINVAL with a cause that begins with the path, which is only named. */
int qcow2_read(struct qcow2_header *out, int fd, const char *path, struct cause *cause);

/*
 * Makes an image of size bytes in an empty file, which is based on backing, a path, of that
 * format. 0 or a negative errno: -EFBIG for one that is too large, -ENAMETOOLONG.
 */
int qcow2_create(int fd, uint64_t size, const char *backing, const char *backing_format);

/*
 * Follows what an open image names, as far as that is qcow2: tells found() of each file, by a path
 * that is absolute if path is. 0, or a negative errno with a cause as above: -ELOOP for one that
 * comes back to itself, -EINVAL also for what is no file but an address, -ENOENT for what is
 * missing.
 */
int qcow2_follow(const struct qcow2_header *header, const struct disk_file *file, const char *path,
		 void (*found)(void *arg, const char *path, bool data), void *arg,
		 struct cause *cause);

#endif

/*
 * A layer over an image that stays as it is: a qcow2 image with what a guest writes, which is
 * forgotten when the guest stops, or kept in the state folder under the guest's name. Any thread.
 */
#ifndef CORE_DISK_OVERLAY_H
#define CORE_DISK_OVERLAY_H

#include <limits.h>
#include <stdint.h>

#include "base/cause.h"
#include "core/profile/profile.h"

struct overlay {
	int fd;		     /* of a file without a name; -1: it has one, or there is none */
	char path[PATH_MAX]; /* "" without a name */
};

/*
 * That of a disk of the profile, whose image has size bytes: makes it, unless one is kept. 0 or a
 * negative errno with a cause that begins with a path. fd is the caller's, to be closed.
 */
int overlay_open(struct overlay *overlay, const struct profile *profile, unsigned number,
		 uint64_t size, struct cause *cause);

/* Whether one that is kept fits; nothing is made. 0 or as above. */
int overlay_check(const struct profile *profile, unsigned number, uint64_t size,
		  struct cause *cause);

#endif

/*
 * What the disks of this process's guests are made of: each claims its files before they are
 * opened, whoever serves it. The files decide, by whatever paths they are named. Any thread.
 *
 * Several may read a file; who writes to it has it alone. That is also so of what an image is
 * based on, and of an image that has a layer over it.
 */
#ifndef CORE_DISK_CLAIM_H
#define CORE_DISK_CLAIM_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/cause.h"

struct image_claim;

/*
 * Of a disk, "disk0", and of its guest, or NULL; both are copied. No file is claimed so far. NULL:
 * no memory.
 */
struct image_claim *image_claim_new(const char *guest, const char *disk);

/* What is to be claimed: a file or a device, whose path is copied. 0, or -ENOMEM. */
enum image_part {
	IMAGE_ITSELF, /* of the disk */
	IMAGE_BELOW,  /* what that is based on, or it itself when a layer is over it; only read */
};
int image_claim_add(struct image_claim *claim, const char *path, const struct stat *st,
		    enum image_part part, bool written);

/*
 * Whether two may be there at a time: 0, or -EBUSY with a cause that begins with a path of the
 * first one's.
 */
int image_claim_clash(const struct image_claim *claim, const struct image_claim *other,
		      struct cause *cause);

/* Claims all of them, beside what others have claimed: 0, or -EBUSY with such a cause. */
int image_claim_take(struct image_claim *claim, struct cause *cause);

/* And gives up what it has taken; NULL is valid. */
void image_claim_free(struct image_claim *claim);

#endif

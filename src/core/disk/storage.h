/*
 * Disks that QEMU's storage daemon serves: images of other formats than raw, and storage
 * that is no file. What of them can be looked at beforehand, and the daemon's arguments.
 * Any thread.
 *
 * QEMU's docs/interop/qcow2.rst; qemu-storage-daemon(1); the NBD URI specification.
 */
#ifndef CORE_DISK_STORAGE_H
#define CORE_DISK_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "core/disk/claim.h"
#include "core/profile/profile.h"
#include "sandbox/program.h"

/* Whether a disk of the profile is one of them. */
bool storage_serves(const struct profile_disk *disk);

/* Whom the daemon connects to for it. */
enum program_network storage_network(const struct profile_disk *disk);

/* The daemon's name of the format of one of them; else NULL. */
const char *storage_driver(const struct profile_disk *disk);

/* What is known of a disk without the daemon. */
struct storage {
	uint64_t size; /* bytes of the disk; 0: only the daemon knows */
	/* What the daemon opens, with the layer, in text. */
	struct program_file files[PROGRAM_FILES_MAX + 1]; /* ends without a path */
	unsigned count;
	char text[12288];
	size_t used;
	bool full; /* something did not fit */
};

/* Paths that the profile does not name, by which the daemon opens what a disk needs. */
struct storage_paths {
	const char *layer;  /* over the image, if the profile wants one; or NULL */
	const char *secret; /* the passphrase, if that has been typed; NULL: secret_file */
};

/*
 * Looks whether its file is there, of that format, and names no others unless it may; and whether
 * the daemon is there. 0, or a negative errno with a cause that begins with the path or a key.
 */
int storage_check(struct storage *out, const struct profile_disk *disk,
		  const struct storage_paths *paths, struct cause *cause);

/*
 * What it has found that images are made of, also with a mistake behind that, becomes part of a
 * claim. 0, or -ENOMEM.
 */
int storage_claim(struct image_claim *claim, const struct storage *storage,
		  const struct profile_disk *disk);

/*
 * Whether other processes let the daemon have what has been claimed so, by their locks; none is
 * kept. For those of one that has been killed it waits a moment. 0, or a negative errno with a
 * cause that says who has what, as the daemon cannot.
 */
int storage_try(const struct storage *storage, const struct profile_disk *disk,
		struct cause *cause);

/* Arguments, each of them in text. */
struct storage_arguments {
	const char *list[16]; /* ends with NULL */
	unsigned count;
	char text[12288];
	size_t used;
	bool full; /* something did not fit */
};

/*
 * The daemon's, to serve the disk to who connects to its descriptor fd, a number. 0, or
 * -ENAMETOOLONG or -EINVAL with a cause as above. Only of one that storage_check() has passed.
 */
int storage_arguments(struct storage_arguments *out, const struct profile_disk *disk,
		      const char *fd, const struct storage_paths *paths, struct cause *cause);

#endif

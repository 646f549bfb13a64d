/*
 * Passphrases of encrypted disks that somebody has typed, kept for as long as their guest is
 * wanted: in memory that is neither swapped nor dumped. One is of an image, and no other that
 * comes in its place is given it. Changed on the deck thread while the guest has no machine, read
 * by its I/O thread.
 */
#ifndef CORE_DISK_SECRETS_H
#define CORE_DISK_SECRETS_H

#include <stdbool.h>

#include "base/cause.h"
#include "core/profile/profile.h"

#define SECRET_MAX 480 /* bytes of one, with its NUL */

struct secrets;

/*
 * Keeps a passphrase of disk number, whose image is at path, in place of one before it; *secrets
 * is NULL before the first. 0, or -EINVAL or -ENOMEM with a cause that begins with "its
 * passphrase".
 */
int secrets_put(struct secrets **secrets, unsigned number, const char *path, const char *text,
		struct cause *cause);

/* Wipes those of images that the profile has no more at their disks; both may be NULL. */
void secrets_keep_for(struct secrets *secrets, const struct profile *profile);

/* Wipes them. */
void secrets_free(struct secrets **secrets);

/* Whether disk number of the profile is encrypted, and there is no passphrase of it yet. */
bool secrets_lack(const struct secrets *secrets, const struct profile *profile, unsigned number);

/*
 * A file in memory, to be read from its beginning, that holds the passphrase of disk number, whose
 * image is at path: *fd is its descriptor, the caller's to close, or -1 if there is none. 0 or a
 * negative errno.
 */
int secrets_open(const struct secrets *secrets, unsigned number, const char *path, int *fd);

#endif

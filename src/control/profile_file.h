/*
 * Profiles of guests as files: copied, renamed and removed, as their texts are, with comments and
 * order. What a guest has besides, such as the images of its disks, is left alone. Any thread.
 */
#ifndef CONTROL_PROFILE_FILE_H
#define CONTROL_PROFILE_FILE_H

#include <limits.h>

#include "base/cause.h"

/*
 * Copies a profile to that of a guest with another name, beside it, whose path is in out; without
 * what only one guest can have: its name, and its cards' MAC addresses, addresses and ports of
 * the host. 0, or a negative errno with a cause: -EINVAL for a name that is none, -EEXIST if
 * there is such a profile, and what opening, reading and writing give.
 */
int profile_file_copy(const char *path, const char *name, char out[PATH_MAX], struct cause *cause);

/* Gives it another name, which goes before one in the profile. The same. */
int profile_file_rename(const char *path, const char *name, char out[PATH_MAX],
			struct cause *cause);

int profile_file_remove(const char *path, struct cause *cause);

#endif

/*
 * Profiles as files of a folder. Any thread.
 */
#ifndef CORE_PROFILE_FOLDER_H
#define CORE_PROFILE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"

#define PROFILE_FOLDER_MAX 4096u /* profiles in a folder; the protocol lists as many */

/*
 * Calls read() with the path of each profile of a folder, a file that ends in ".ini" and
 * is not hidden, by name. A folder that does not exist has none and is no failure.
 * -EACCES, -ENOTDIR and so on with a cause; -E2BIG beyond PROFILE_FOLDER_MAX, with none read.
 */
int profile_folder_read(const char *folder, void (*read)(void *arg, const char *path), void *arg,
			struct cause *cause);

/* Whether a file of that name is a profile to profile_folder_read(). */
bool profile_file_is(const char *name);

/* Which content of which file was read: while it is the same, so is what was read. */
struct profile_stamp {
	uint64_t device, inode, size;
	int64_t modified, changed; /* ns; changed 0: nothing is known */
};

/*
 * To be taken before the file is read. One that cannot be told from what may be written in
 * the next moment, since the file has changed just now, is equal to no other.
 */
struct profile_stamp profile_stamp_take(const char *path);
bool profile_stamp_equal(const struct profile_stamp *a, const struct profile_stamp *b);

/* What a profile's file is called, without folder and ".ini": where that begins, and its length. */
const char *profile_file_name(const char *path, size_t *length);

#endif

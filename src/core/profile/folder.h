/*
 * Profiles as files of a folder. Any thread.
 */
#ifndef CORE_PROFILE_FOLDER_H
#define CORE_PROFILE_FOLDER_H

#include <stddef.h>

#include "base/cause.h"

/*
 * Calls read() with the path of each profile of a folder, a file that ends in ".ini" and
 * is not hidden, by name. A folder that does not exist has none and is no failure.
 * -EACCES, -ENOTDIR and so on with a cause.
 */
int profile_folder_read(const char *folder, void (*read)(void *arg, const char *path), void *arg,
			struct cause *cause);

/* What a profile's file is called, without folder and ".ini": where that begins, and its length. */
const char *profile_file_name(const char *path, size_t *length);

#endif

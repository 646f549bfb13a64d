/*
 * Profiles as files of a folder. Any thread.
 */
#include "core/profile/folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "control/names.h"

#define STAMP_AGE (2 * NS_PER_S) /* a file system's clock may tick that slowly */

static bool has_suffix(const char *name, size_t *length)
{
	static const char suffix[] = NAME_FILE_SUFFIX;
	size_t size = sizeof(suffix) - 1;

	*length = strlen(name);
	if (*length <= size || strcmp(name + *length - size, suffix))
		return false;
	*length -= size;
	return true;
}

bool profile_file_is(const char *name)
{
	size_t length;

	return name[0] != '.' && has_suffix(name, &length);
}

static int by_name(const void *a, const void *b)
{
	return name_order(*(char *const *)a, *(char *const *)b);
}

/* Adds the names of the profiles in dir to names, which has room for PROFILE_FOLDER_MAX. */
static int list_names(DIR *dir, const char *folder, char **names, size_t *count,
		      struct cause *cause)
{
	struct dirent *entry;

	errno = 0;
	for (; (entry = readdir(dir)); errno = 0) {
		if (!profile_file_is(entry->d_name))
			continue;
		if (*count == PROFILE_FOLDER_MAX)
			return cause_set(cause, E2BIG, "%s: holds more than %u profiles; move some "
					 "of them away", folder, PROFILE_FOLDER_MAX);
		names[*count] = strdup(entry->d_name);
		if (!names[*count])
			return cause_errno(cause, ENOMEM, "%s", folder);
		++*count;
	}
	return errno ? cause_errno(cause, errno, "%s", folder) : 0;
}

int profile_folder_read(const char *folder, void (*read)(void *arg, const char *path), void *arg,
			struct cause *cause)
{
	DIR *dir = opendir(folder);
	char **names, path[PATH_MAX];
	size_t count = 0;
	int error;

	if (!dir)
		return errno == ENOENT ? 0 : cause_errno(cause, errno, "%s", folder);
	names = calloc(PROFILE_FOLDER_MAX, sizeof(*names));
	error = names ? list_names(dir, folder, names, &count, cause) :
			cause_errno(cause, ENOMEM, "%s", folder);
	closedir(dir);
	if (error == 0 && count)
		qsort(names, count, sizeof(*names), by_name);
	for (size_t i = 0; i < count; i++) {
		if (error == 0 && (size_t)snprintf(path, sizeof(path), "%s/%s", folder,
						   names[i]) < sizeof(path))
			read(arg, path);
		free(names[i]);
	}
	free(names);
	return error;
}

static int64_t nanoseconds(struct timespec time)
{
	return (int64_t)time.tv_sec * (int64_t)NS_PER_S + time.tv_nsec;
}

struct profile_stamp profile_stamp_take(const char *path)
{
	int64_t settled = (int64_t)clock_wall() - (int64_t)STAMP_AGE;
	struct stat st;

	if (stat(path, &st) || nanoseconds(st.st_ctim) > settled)
		return (struct profile_stamp){ 0 };
	return (struct profile_stamp){ .device = st.st_dev, .inode = st.st_ino,
				       .size = (uint64_t)st.st_size,
				       .modified = nanoseconds(st.st_mtim),
				       .changed = nanoseconds(st.st_ctim) };
}

bool profile_stamp_equal(const struct profile_stamp *a, const struct profile_stamp *b)
{
	return a->changed && a->device == b->device && a->inode == b->inode &&
	       a->size == b->size && a->modified == b->modified && a->changed == b->changed;
}

const char *profile_file_name(const char *path, size_t *length)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	has_suffix(name, length);
	return name;
}

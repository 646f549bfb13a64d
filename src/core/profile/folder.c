/*
 * Profiles as files of a folder. Any thread.
 */
#include "core/profile/folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/names.h"

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

static int is_profile(const struct dirent *entry)
{
	size_t length;

	return entry->d_name[0] != '.' && has_suffix(entry->d_name, &length);
}

int profile_folder_read(const char *folder, void (*read)(void *arg, const char *path), void *arg,
			struct cause *cause)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int n = scandir(folder, &entries, is_profile, alphasort);

	if (n < 0)
		return errno == ENOENT ? 0 : cause_errno(cause, errno, "%s", folder);
	for (int i = 0; i < n; i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name) <
		    sizeof(path))
			read(arg, path);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

const char *profile_file_name(const char *path, size_t *length)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	has_suffix(name, length);
	return name;
}

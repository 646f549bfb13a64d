/* See capture_files.h. */
#include "cli/capture_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/capture_limits.h"

int capture_files_init(struct capture_files *files, const char *name, unsigned keep)
{
	memset(files, 0, sizeof(*files));
	files->name = name;
	files->keep = keep;
	if (!keep)
		return 0;
	files->kept = calloc(keep, sizeof(*files->kept));
	return files->kept ? 0 : -ENOMEM;
}

void capture_files_destroy(struct capture_files *files)
{
	for (unsigned i = 0; files->kept && i < files->keep; i++)
		free(files->kept[i]);
	free(files->kept);
	files->kept = NULL;
}

/* Where the name's ending begins, or its end. */
static const char *ending(const char *name)
{
	const char *slash = strrchr(name, '/'), *dot = strrchr(name, '.');

	return dot && (!slash || dot > slash + 1) && dot != name ? dot : name + strlen(name);
}

static int make_name(struct capture_files *files)
{
	const char *end = ending(files->name);
	time_t now = time(NULL);
	char stamp[32];
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%d%H%M%S", &tm);
	if ((size_t)snprintf(files->path, sizeof(files->path), "%.*s_%05u_%s%s",
			     (int)(end - files->name), files->name,
			     files->count % (CAPTURE_FILES_MAX + 1), stamp, end) >=
	    sizeof(files->path))
		return -ENAMETOOLONG;
	return 0;
}

int capture_files_next(struct capture_files *files)
{
	char **place = files->keep ? &files->kept[files->count % files->keep] : NULL;
	int error;

	files->count++;
	error = make_name(files);
	if (error || !place)
		return error;
	if (*place)
		unlink(*place);
	free(*place);
	*place = strdup(files->path);
	return *place ? 0 : -ENOMEM;
}

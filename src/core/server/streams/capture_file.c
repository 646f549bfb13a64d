/* Where captures are kept. The helper thread. */
#include "core/server/streams/capture_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/paths.h"

#define SAME_SECOND_MAX 100

static int create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? -errno : fd;
}

static int captures_folder(char *path, size_t size, struct cause *cause)
{
	char state[PATH_MAX];
	int error = paths_state(state, cause);

	if (error < 0)
		return error;
	if ((size_t)snprintf(path, size, "%s/captures", state) >= size)
		return cause_set(cause, ENAMETOOLONG, "%s: too long a name for the folder of "
				 "captures; name a file", state);
	return paths_make(path, cause);
}

/* "20260131-120000-web-net0" */
static void stamp(char *text, size_t size, const char *const *ports)
{
	time_t now = time(NULL);
	struct tm tm;
	size_t n;

	localtime_r(&now, &tm);
	n = strftime(text, size, "%Y%m%d-%H%M%S", &tm);
	if (ports && ports[0])
		snprintf(text + n, size - n, "-%s", ports[0]);
	for (; *text; text++)
		if (*text == '/')
			*text = '-';
}

static int create_stamped(char **path, const char *const *ports, struct cause *cause)
{
	char folder[PATH_MAX - 160], name[128], full[PATH_MAX];
	int fd = captures_folder(folder, sizeof(folder), cause);

	if (fd < 0)
		return fd;
	stamp(name, sizeof(name), ports);
	fd = -EEXIST;
	for (unsigned i = 1; fd == -EEXIST && i < SAME_SECOND_MAX; i++) {
		if (i == 1)
			snprintf(full, sizeof(full), "%s/%s.pcapng", folder, name);
		else
			snprintf(full, sizeof(full), "%s/%s-%u.pcapng", folder, name, i);
		fd = create(full);
	}
	if (fd < 0)
		return cause_errno(cause, -fd, "%s", full);
	*path = strdup(full);
	if (*path)
		return fd;
	close(fd);
	unlink(full);
	return cause_errno(cause, ENOMEM, "%s", full);
}

int capture_file_create(char **path, const char *const *ports, struct cause *cause)
{
	int fd;

	if (!*path)
		return create_stamped(path, ports, cause);
	fd = create(*path);
	if (fd == -EEXIST)
		return cause_set(cause, EEXIST, "%s: the file exists; name another", *path);
	return fd < 0 ? cause_errno(cause, -fd, "%s", *path) : fd;
}

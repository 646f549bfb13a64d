/* See host_memory.h. Any thread. */
#include "base/host_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"

#define STALL "some 150000 2000000" /* us of us: the shortest window that is not for root alone */

/* Bytes of a line "Name:   123 kB" of text, or 0. */
static uint64_t find_size(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtoull(line + strlen(name), NULL, 10) << 10 : 0;
}

static void take_limit(struct host_memory *out, const char *path)
{
	char text[64], *end;
	uint64_t limit;

	if (!files_read_start(path, text, sizeof(text)))
		return;
	limit = strtoull(text, &end, 10);
	if (end == text || (out->limit && limit >= out->limit)) /* "max" */
		return;
	out->limit = limit;
	out->grouped = true;
}

/* A group's limit, and those of the groups that it is in. name ends at its newline. */
static void take_group(struct host_memory *out, const char *folder, const char *name,
		       const char *file)
{
	char path[PATH_MAX];
	size_t length = strcspn(name, "\n");

	for (;;) {
		while (length && name[length - 1] == '/')
			length--;
		if ((size_t)snprintf(path, sizeof(path), "%s%.*s/%s", folder, (int)length, name,
				     file) < sizeof(path))
			take_limit(out, path);
		if (!length)
			return;
		while (length && name[length - 1] != '/')
			length--;
	}
}

/* Whether a list "cpu,memory" has memory in it. */
static bool has_memory(const char *list, size_t size)
{
	static const char memory[] = "memory";
	const char *end = list + size, *comma;

	for (; list < end; list = comma + 1) {
		comma = memchr(list, ',', (size_t)(end - list));
		comma = comma ? comma : end;
		if ((size_t)(comma - list) == sizeof(memory) - 1 &&
		    memcmp(list, memory, sizeof(memory) - 1) == 0)
			return true;
	}
	return false;
}

/* Each line is "hierarchy:controllers:group"; version 2 has no controllers. */
static void take_groups(struct host_memory *out, const char *root, const char *groups)
{
	char folder[PATH_MAX];
	const char *line, *next, *controllers, *name;

	for (line = groups; line && *line; line = next) {
		next = strchr(line, '\n');
		next = next ? next + 1 : NULL;
		controllers = strchr(line, ':');
		name = controllers ? strchr(++controllers, ':') : NULL;
		if (!name || (next && name > next))
			continue;
		if (name == controllers) {
			snprintf(folder, sizeof(folder), "%s/sys/fs/cgroup", root);
			take_group(out, folder, name + 1, "memory.max");
		} else if (has_memory(controllers, (size_t)(name - controllers))) {
			snprintf(folder, sizeof(folder), "%s/sys/fs/cgroup/memory", root);
			take_group(out, folder, name + 1, "memory.limit_in_bytes");
		}
	}
}

void host_memory_read(struct host_memory *out, const char *root)
{
	char path[PATH_MAX], text[4096];

	*out = (struct host_memory){ 0 };
	snprintf(path, sizeof(path), "%s/proc/meminfo", root);
	if (files_read_start(path, text, sizeof(text))) {
		out->total = out->limit = find_size(text, "MemTotal:");
		out->available = find_size(text, "MemAvailable:");
	}
	snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	if (files_read_start(path, text, sizeof(text)))
		take_groups(out, root, text);
}

int host_memory_watch(void)
{
	int fd = open("/proc/pressure/memory", O_RDWR | O_NONBLOCK | O_CLOEXEC), error;

	if (fd < 0)
		return -errno;
	/* With its zero: the kernel puts one in the place of the last byte. */
	if (write(fd, STALL, sizeof(STALL)) == (ssize_t)sizeof(STALL))
		return fd;
	error = errno;
	close(fd);
	return -error;
}

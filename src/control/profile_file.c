/* See profile_file.h. */
#include "control/profile_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/files.h"
#include "base/ini.h"
#include "control/names.h"

/* What a copy does not have, and what has not the name of another. */
static const struct {
	const char *section;
	bool numbered; /* "net" is [net0] and so on */
	const char *key;
	bool renamed; /* nor has one that is renamed */
} own[] = {
	{ "guest", false, "name", true },
	{ "net", true, "mac", false },
	{ "net", true, "address", false },
	{ "net", true, "forward", false },
};

struct text {
	char *bytes;
	size_t size;
};

static int read_text(const char *path, struct text *text, struct cause *cause)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), error = 0;
	struct stat info;
	ssize_t n;

	if (fd < 0)
		return cause_errno(cause, errno, "%s", path);
	text->bytes = malloc(INI_FILE_MAX + 1);
	text->size = 0;
	if (!text->bytes)
		error = ENOMEM;
	else if (fstat(fd, &info) < 0)
		error = errno;
	else if (!S_ISREG(info.st_mode))
		error = EINVAL;
	while (!error &&
	       (n = read(fd, text->bytes + text->size, INI_FILE_MAX + 1 - text->size)) != 0) {
		if (n < 0 && errno != EINTR)
			error = errno;
		text->size += n > 0 ? (size_t)n : 0;
		if (text->size > INI_FILE_MAX)
			error = EFBIG;
	}
	close(fd);
	if (!error)
		return 0;
	free(text->bytes);
	return cause_errno(cause, error, "%s", path);
}

/* --- lines --- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The words between two places, without blanks around them, cut to fit. */
static void take_word(char out[64], const char *from, const char *end)
{
	size_t n;

	while (from < end && is_space(*from))
		from++;
	while (end > from && is_space(end[-1]))
		end--;
	n = (size_t)(end - from) < 63 ? (size_t)(end - from) : 63;
	memcpy(out, from, n);
	out[n] = '\0';
}

static bool is_section(const char *section, const char *wanted, bool numbered)
{
	size_t n = strlen(wanted);

	return strncasecmp(section, wanted, n) == 0 &&
	       (numbered ? section[n] >= '0' && section[n] <= '9' : !section[n]);
}

/* Whether a line, in a section, is one that the new text has not. Notes another section. */
static bool is_dropped(char section[64], const char *line, const char *end, bool renamed)
{
	const char *close, *equals = memchr(line, '=', (size_t)(end - line));
	char key[64];

	while (line < end && is_space(*line))
		line++;
	if (line < end && *line == '[') {
		close = memchr(line, ']', (size_t)(end - line));
		take_word(section, line + 1, close ? close : end);
		return false;
	}
	if (!equals || *line == ';' || *line == '#')
		return false;
	take_word(key, line, equals);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if ((own[i].renamed || !renamed) && strcasecmp(key, own[i].key) == 0 &&
		    is_section(section, own[i].section, own[i].numbered))
			return true;
	return false;
}

/* In place. */
static void drop_lines(struct text *text, bool renamed)
{
	const char *from = text->bytes, *end = text->bytes + text->size;
	char section[64] = "", *to = text->bytes;

	while (from < end) {
		const char *newline = memchr(from, '\n', (size_t)(end - from));
		const char *next = newline ? newline + 1 : end;

		if (!is_dropped(section, from, newline ? newline : end, renamed)) {
			memmove(to, from, (size_t)(next - from));
			to += next - from;
		}
		from = next;
	}
	text->size = (size_t)(to - text->bytes);
}

/* --- files --- */

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Under a name of its own first, so that nobody reads half of it. */
static int write_text(const char *path, const char *part, const struct text *text,
		      struct cause *cause)
{
	int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int error = fd < 0 ? -errno : write_all(fd, text->bytes, text->size);

	if (fd >= 0 && close(fd) < 0 && !error)
		error = -errno;
	if (!error)
		error = files_name(part, path);
	if (fd >= 0 && error)
		(void)unlink(part);
	if (error == -EEXIST)
		return cause_set(cause, EEXIST, "%s is there already; choose another name", path);
	return error ? cause_errno(cause, -error, "%s", path) : 0;
}

/* The paths of the profile with that name in the folder of another, and of its unfinished text. */
static int place(const char *path, const char *name, char out[PATH_MAX], char part[PATH_MAX],
		 struct cause *cause)
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash + 1 - path) : 0;

	if (!name_valid(name))
		return cause_set(cause, EINVAL, "'%.60s' is no name; use " NAME_RULE, name);
	if (snprintf(out, PATH_MAX, "%.*s%s" NAME_FILE_SUFFIX, folder, path, name) >= PATH_MAX ||
	    snprintf(part, PATH_MAX, "%.*s.%s.%ld", folder, path, name, (long)getpid()) >= PATH_MAX)
		return cause_errno(cause, ENAMETOOLONG, "%s", path);
	return 0;
}

static int copy(const char *path, const char *name, bool renamed, char out[PATH_MAX],
		struct cause *cause)
{
	char part[PATH_MAX];
	struct text text = { NULL, 0 };
	int error = place(path, name, out, part, cause);

	if (!error)
		error = read_text(path, &text, cause);
	if (error)
		return error;
	drop_lines(&text, renamed);
	error = write_text(out, part, &text, cause);
	free(text.bytes);
	return error;
}

int profile_file_copy(const char *path, const char *name, char out[PATH_MAX], struct cause *cause)
{
	return copy(path, name, false, out, cause);
}

int profile_file_rename(const char *path, const char *name, char out[PATH_MAX], struct cause *cause)
{
	int error = copy(path, name, true, out, cause);

	return error ? error : profile_file_remove(path, cause);
}

int profile_file_remove(const char *path, struct cause *cause)
{
	return unlink(path) < 0 ? cause_errno(cause, errno, "%s", path) : 0;
}

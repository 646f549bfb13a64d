/* See history.h. */
#include "tui/ui/history.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/paths.h"
#include "base/plain.h"
#include "control/command_line.h"

static bool file_path(char path[PATH_MAX])
{
	char folder[PATH_MAX];

	return paths_state(folder, NULL) == 0 && paths_make(folder, NULL) == 0 &&
	       snprintf(path, PATH_MAX, "%s/" HISTORY_NAME, folder) < PATH_MAX;
}

static void drop(struct history *history, size_t n)
{
	free(history->lines[n]);
	memmove(&history->lines[n], &history->lines[n + 1],
		(--history->count - n) * sizeof(history->lines[0]));
}

static void add(struct history *history, const char *line)
{
	char *copy = strdup(line);

	if (!copy)
		return;
	for (size_t i = 0; i < history->count; i++)
		if (strcmp(history->lines[i], line) == 0)
			drop(history, i--);
	if (history->count == HISTORY_LINES)
		drop(history, 0);
	history->lines[history->count++] = copy;
}

/* Lines that came by keys before the file was read are newer than those in it. */
void history_read(struct history *history)
{
	struct history newer = *history;
	char path[PATH_MAX], line[COMMAND_LINE_MAX];
	FILE *file;

	if (history->read)
		return;
	*history = (struct history){ .read = true, .changed = newer.changed };
	file = file_path(path) ? fopen(path, "re") : NULL;
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (*line)
			add(history, line);
	}
	if (file)
		fclose(file);
	for (size_t i = 0; i < newer.count; i++) {
		add(history, newer.lines[i]);
		free(newer.lines[i]);
	}
}

void history_add(struct history *history, const char *line)
{
	if (!*line || strchr(line, '\n') || strlen(line) >= COMMAND_LINE_MAX)
		return;
	add(history, line);
	history->changed = true;
}

void history_drop(struct history *history)
{
	if (history->count)
		drop(history, history->count - 1);
}

const char *history_line(const struct history *history, size_t n)
{
	return n < history->count ? history->lines[history->count - 1 - n] : NULL;
}

/* A file beside it takes its place, so that none is ever half written. */
void history_write(struct history *history)
{
	char path[PATH_MAX], temporary[PATH_MAX];
	bool whole = true;
	FILE *file;
	int fd;

	if (!history->changed || !history->read)
		return;
	history->changed = false;
	if (!file_path(path) ||
	    snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= PATH_MAX)
		return;
	fd = mkostemp(temporary, O_CLOEXEC);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (size_t i = 0; i < history->count; i++)
		plain_print(file, "%s\n", history->lines[i]);
	whole = !ferror(file);
	whole = fclose(file) == 0 && whole;
	if (!whole || rename(temporary, path) < 0)
		unlink(temporary);
}

void history_free(struct history *history)
{
	if (history->changed)
		history_read(history);
	history_write(history);
	for (size_t i = 0; i < history->count; i++)
		free(history->lines[i]);
	*history = (struct history){ .read = false };
}

/*
 * Lines that were run, in a file of the state folder, mode 0600. What goes wrong with the file
 * costs what it would have kept, and nothing else. Screen thread only.
 */
#ifndef TUI_UI_HISTORY_H
#define TUI_UI_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

#define HISTORY_LINES 200
#define HISTORY_NAME "commands" /* of the file */

/* Zeroed it is an empty one that is not read yet. */
struct history {
	char *lines[HISTORY_LINES]; /* the oldest first */
	size_t count;
	bool read, changed;
};

/* Reads the file, the first time. */
void history_read(struct history *history);

/* Adds a line, of one row of text, as the newest; it stands there once. */
void history_add(struct history *history, const char *line);

/* Forgets the newest line. */
void history_drop(struct history *history);

/* Line number n, from the newest on, or NULL. */
const char *history_line(const struct history *history, size_t n);

/* Writes the file if there is something new. */
void history_write(struct history *history);

void history_free(struct history *history); /* writes it, too */

#endif

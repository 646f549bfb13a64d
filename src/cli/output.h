/*
 * What subcommands print: columns, sizes, times, JSON. Main thread.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool output_terminal(void);	/* stdout is a terminal that places its cursor */
bool output_colour(void);	/* the same, and NO_COLOR is not set */

/*
 * The end of what is printed: status, or CLI_FAILED after a sentence if not all of it could
 * be written. Of a reader that has gone nothing is said.
 */
int output_end(int status);

void output_json(const json_t *value);	    /* in several lines */
void output_json_line(const json_t *value); /* in one */

/* "PATH:LINE: TEXT", or with "warning: " before it, of a profile; line 0: of all of it. */
void output_mistake(const char *path, unsigned line, bool warning, const char *text);

void output_coloured(const char *colour, const char *text); /* colour: see state_colour() */

const char *output_time(char text[40], int64_t ns);	   /* "2026-01-31 12:00:00" */
const char *state_colour(const char *name); /* an escape sequence for a guest's state, or "" */

#define COLUMNS_MAX 16

/* Rows of words in columns as wide as their widest; the last is not padded. */
struct columns {
	unsigned count;
	unsigned right; /* bits: columns aligned to the right */
	char ***rows;
	const char **colours; /* of the whole row's second column, or "" */
	size_t used, room;
};

/* A row of count words, copied; colour is an escape sequence for the column colour_at, or NULL. */
void columns_add(struct columns *columns, const char *const *words, const char *colour);
void columns_print(struct columns *columns, unsigned colour_at); /* and frees */

/* A member of an object as text, number, or what stands for nothing. */
const char *text_of(const json_t *object, const char *key, const char *standard);
int64_t number_of(const json_t *object, const char *key);

#endif

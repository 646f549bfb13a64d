/* What subcommands print: columns, sizes, times, JSON. */
#include "cli/output.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/plain.h"
#include "cli/fail.h"
#include "control/message_text.h"
#include "control/states.h"

#define COLOUR_OFF "\033[0m"

bool output_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

bool output_colour(void)
{
	const char *no = getenv("NO_COLOR");

	return output_terminal() && !(no && *no);
}

/* Whether nobody is left to read what is printed. */
static bool reader_has_gone(void)
{
	struct pollfd reader = { .fd = STDOUT_FILENO };

	return poll(&reader, 1, 0) == 1 && reader.revents & POLLERR;
}

int output_end(int status)
{
	errno = 0;
	if ((fflush(stdout) == 0 && !ferror(stdout)) || status != CLI_OK || reader_has_gone())
		return status;
	return errno ? fail("standard output: %m") : fail("standard output: not all was written");
}

static void put_json(const json_t *value, size_t flags)
{
	size_t size;
	char *text;

	if (!plain_utf8(stdout))
		flags |= JSON_ENSURE_ASCII;
	text = message_dump(value, flags, &size);
	if (text) {
		text[size] = '\n';
		fwrite(text, 1, size + 1, stdout);
	}
	free(text);
}

void output_json(const json_t *value)
{
	put_json(value, JSON_INDENT(2));
}

void output_json_line(const json_t *value)
{
	put_json(value, JSON_COMPACT);
	fflush(stdout);
}

static void put_text(const char *text)
{
	plain_print(stdout, "%s", text);
}

void output_mistake(const char *path, unsigned line, bool warning, const char *text)
{
	put_text(path);
	if (line)
		printf(":%u", line);
	plain_print(stdout, ": %s%s\n", warning ? "warning: " : "", text);
}

void output_coloured(const char *colour, const char *text)
{
	fputs(colour, stdout);
	put_text(text);
	if (*colour)
		fputs(COLOUR_OFF, stdout);
}

const char *output_time(char text[40], int64_t ns)
{
	time_t seconds = (time_t)(ns / (int64_t)NS_PER_S);
	struct tm tm;

	if (ns <= 0 || !localtime_r(&seconds, &tm) || !strftime(text, 40, "%F %T", &tm))
		strcpy(text, "-");
	return text;
}

const char *state_colour(const char *name)
{
	enum guest_state state = guest_state_find(name);

	if (!output_colour())
		return "";
	if (state == GUEST_RUNNING)
		return "\033[32m";
	if (guest_state_in(state, GUEST_BAD))
		return "\033[31m";
	if (guest_state_in(state, GUEST_DOWN))
		return "\033[2m";
	return "\033[33m";
}

const char *text_of(const json_t *object, const char *key, const char *standard)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : standard;
}

int64_t number_of(const json_t *object, const char *key)
{
	return (int64_t)json_integer_value(json_object_get(object, key));
}

/* Terminal columns of UTF-8 text whose characters are one column wide. */
static unsigned width_of(const char *text)
{
	unsigned width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

void columns_add(struct columns *columns, const char *const *words, const char *colour)
{
	char **row;

	if (columns->used == columns->room) {
		size_t room = columns->room ? 2 * columns->room : 16;
		char ***rows = realloc(columns->rows, room * sizeof(*rows));
		const char **colours = rows ? realloc(columns->colours, room * sizeof(*colours))
					    : NULL;

		if (rows)
			columns->rows = rows;
		if (!colours)
			return;
		columns->colours = colours;
		columns->room = room;
	}
	row = calloc(columns->count, sizeof(*row));
	if (!row)
		return;
	for (unsigned i = 0; i < columns->count; i++)
		row[i] = plain_copy(words[i], true, 0, 0, NULL);
	columns->colours[columns->used] = colour ? colour : "";
	columns->rows[columns->used++] = row;
}

static void print_word(const struct columns *columns, size_t row, unsigned column,
		       unsigned width, unsigned colour_at)
{
	const char *word = columns->rows[row][column] ? columns->rows[row][column] : "";
	const char *colour = column == colour_at ? columns->colours[row] : "";
	int padding = (int)(width - width_of(word));
	bool right = columns->right >> column & 1;

	plain_print(stdout, "%*s", right ? padding : 0, "");
	output_coloured(colour, word);
	if (column + 1 == columns->count)
		putchar('\n');
	else
		plain_print(stdout, "%*s", (right ? 0 : padding) + 2, "");
}

void columns_print(struct columns *columns, unsigned colour_at)
{
	unsigned widths[COLUMNS_MAX] = { 0 };

	for (size_t i = 0; i < columns->used; i++)
		for (unsigned j = 0; j < columns->count; j++) {
			unsigned width = columns->rows[i][j] ? width_of(columns->rows[i][j]) : 0;

			widths[j] = width > widths[j] ? width : widths[j];
		}
	for (size_t i = 0; i < columns->used; i++) {
		for (unsigned j = 0; j < columns->count; j++) {
			print_word(columns, i, j, widths[j], colour_at);
		}
		for (unsigned j = 0; j < columns->count; j++)
			free(columns->rows[i][j]);
		free(columns->rows[i]);
	}
	free(columns->rows);
	free(columns->colours);
	columns->rows = NULL;
	columns->colours = NULL;
	columns->used = columns->room = 0;
}

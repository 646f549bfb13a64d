/* What subcommands print: columns, sizes, times, JSON. */
#include "cli/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/states.h"

#define COLOUR_OFF "\033[0m"

bool output_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

void output_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	putchar('\n');
}

void output_json_line(const json_t *value)
{
	json_dumpf(value, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
	putchar('\n');
	fflush(stdout);
}

/* Control characters, C1 in UTF-8 (U+0080..U+009F) among them, become '?'. */
static void clean(char *text)
{
	for (char *at = text; *at; at++) {
		unsigned char c = (unsigned char)*at;

		if (c < ' ' || c == 0x7f) {
			*at = '?';
		} else if (c == 0xc2 && (unsigned char)at[1] < 0xa0) {
			at[0] = '?';
			if (at[1])
				at[1] = '?';
		}
	}
}

void output_text(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return;
	clean(copy);
	fputs(copy, stdout);
	free(copy);
}

const char *output_bytes(char text[16], double bytes)
{
	static const char units[] = "BKMGTPE";
	unsigned unit = 0;

	while (bytes >= 1024 && units[unit + 1]) {
		bytes /= 1024;
		unit++;
	}
	if (unit == 0 || bytes >= 100 || bytes == (double)(int)bytes)
		snprintf(text, 16, "%.0f%c", bytes, units[unit]);
	else
		snprintf(text, 16, "%.1f%c", bytes, units[unit]);
	return text;
}

const char *output_time(char text[40], int64_t ns)
{
	time_t seconds = (time_t)(ns / (int64_t)NS_PER_S);
	struct tm tm;

	if (ns <= 0 || !localtime_r(&seconds, &tm) || !strftime(text, 40, "%F %T", &tm))
		strcpy(text, "-");
	return text;
}

const char *output_duration(char text[24], int64_t seconds)
{
	long long s = seconds < 0 ? 0 : seconds;

	if (s >= 86400)
		snprintf(text, 24, "%lldd %lldh", s / 86400, s / 3600 % 24);
	else if (s >= 3600)
		snprintf(text, 24, "%lldh %lldm", s / 3600, s / 60 % 60);
	else if (s >= 60)
		snprintf(text, 24, "%lldm %llds", s / 60, s % 60);
	else
		snprintf(text, 24, "%llds", s);
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
	for (unsigned i = 0; i < columns->count; i++) {
		row[i] = strdup(words[i]);
		if (row[i])
			clean(row[i]);
	}
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

	if (right)
		printf("%*s", padding, "");
	printf("%s%s%s", colour, word, *colour ? COLOUR_OFF : "");
	if (column + 1 == columns->count)
		putchar('\n');
	else
		printf("%*s", (right ? 0 : padding) + 2, "");
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

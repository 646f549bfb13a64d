/* See remote_screen.h. */
#include "control/remote_screen.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/plain.h"

#define INK 7
#define PIXELS_MAX 4096

static const struct remote_cell blank = { ' ', INK, 0, false };

static bool number(const json_t *object, const char *key, unsigned limit, unsigned *out)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > (json_int_t)limit)
		return false;
	*out = (unsigned)json_integer_value(value);
	return true;
}

static bool find_mode(const json_t *params, enum remote_mode *mode)
{
	static const char *const modes[] = {
		[REMOTE_NONE] = "none", [REMOTE_OFF] = "off", [REMOTE_TEXT] = "text",
		[REMOTE_GRAPHICS] = "graphics",
	};
	const char *text = json_string_value(json_object_get(params, "mode"));

	for (size_t i = 0; text && i < ARRAY_SIZE(modes); i++) {
		if (strcmp(text, modes[i]) != 0)
			continue;
		*mode = (enum remote_mode)i;
		return true;
	}
	return false;
}

static void clear_row(struct remote_screen *screen, unsigned y)
{
	for (unsigned x = 0; x < REMOTE_COLUMNS_MAX; x++)
		screen->cells[y][x] = blank;
	screen->changed[y] = screen->pictures;
}

/* VGA has blue in bit 0 and red in bit 2. */
static uint8_t terminal_colour(unsigned colour)
{
	return (uint8_t)((colour & 0x0a) | (colour << 2 & 4) | (colour >> 2 & 1));
}

/* How many cells a pair of the array colours is for, and which. */
static size_t next_run(const json_t *colours, size_t at, struct remote_cell *cell)
{
	json_int_t count = json_integer_value(json_array_get(colours, at));
	unsigned value = (unsigned)json_integer_value(json_array_get(colours, at + 1)) & 0x1ff;

	cell->ink = terminal_colour(value & 0x0f);
	cell->ground = terminal_colour(value >> 4 & 0x0f);
	cell->blinks = value >> 8;
	return count > 0 && count <= REMOTE_COLUMNS_MAX ? (size_t)count : 0;
}

static bool take_row(struct remote_screen *screen, const json_t *line)
{
	const json_t *colours = json_object_get(line, "colours");
	const char *text = json_string_value(json_object_get(line, "text"));
	struct remote_cell cell = blank;
	unsigned y, x = 0;
	size_t run = 0, n;
	uint32_t c;

	if (!text || !json_is_array(colours) || !number(line, "row", REMOTE_ROWS_MAX - 1, &y))
		return false;
	clear_row(screen, y);
	for (size_t at = 0; x < REMOTE_COLUMNS_MAX && (n = plain_next(text, &c)); text += n, x++) {
		while (!run && at < json_array_size(colours)) {
			run = next_run(colours, at, &cell);
			at += 2;
		}
		run -= run > 0;
		cell.c = (uint16_t)(c <= UINT16_MAX ? c : PLAIN_REPLACEMENT);
		screen->cells[y][x] = cell;
	}
	return true;
}

static void take_cursor(struct remote_screen *screen, const json_t *cursor)
{
	screen->cursor = screen->mode == REMOTE_TEXT && json_is_object(cursor) &&
			 number(cursor, "row", REMOTE_ROWS_MAX, &screen->row) &&
			 number(cursor, "column", REMOTE_COLUMNS_MAX, &screen->column) &&
			 screen->row < screen->rows && screen->column < screen->columns;
	screen->block = screen->cursor && json_is_true(json_object_get(cursor, "block"));
}

bool remote_screen_update(struct remote_screen *screen, const json_t *params)
{
	const json_t *lines = json_object_get(params, "lines");
	unsigned columns, rows;
	enum remote_mode mode;

	if (!find_mode(params, &mode) || !json_is_array(lines) ||
	    !number(params, "columns", mode == REMOTE_TEXT ? REMOTE_COLUMNS_MAX : PIXELS_MAX,
		    &columns) ||
	    !number(params, "rows", mode == REMOTE_TEXT ? REMOTE_ROWS_MAX : PIXELS_MAX, &rows))
		return false;
	screen->pictures++;
	if (screen->pictures == 1 || mode != screen->mode || columns != screen->columns ||
	    rows != screen->rows) {
		screen->cleared = screen->pictures;
		for (unsigned y = 0; y < REMOTE_ROWS_MAX; y++)
			clear_row(screen, y);
	}
	screen->mode = mode;
	screen->columns = columns;
	screen->rows = rows;
	for (size_t i = 0; i < json_array_size(lines); i++)
		if (!take_row(screen, json_array_get(lines, i)))
			return false;
	take_cursor(screen, json_object_get(params, "cursor"));
	return true;
}

void remote_screen_say(const struct remote_screen *screen, char *out, size_t size)
{
	*out = '\0';
	if (screen->mode == REMOTE_GRAPHICS)
		snprintf(out, size, "graphics mode %ux%u, not shown", screen->columns,
			 screen->rows);
	else if (screen->mode == REMOTE_OFF)
		snprintf(out, size, "the screen is off");
	else if (screen->mode == REMOTE_NONE && screen->pictures)
		snprintf(out, size, "the guest does not run");
}

unsigned remote_screen_first(const struct remote_screen *screen, unsigned room)
{
	unsigned last = screen->cursor ? screen->row : 0;

	return last >= room ? last - room + 1 : 0;
}

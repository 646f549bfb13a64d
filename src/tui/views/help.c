/* The help screen, written from the table of keys. Screen thread. */
#include <stdio.h>
#include <string.h>

#include "tui/canvas/text.h"
#include "tui/ui/scroll.h"
#include "tui/ui/ui.h"
#include "tui/views/table.h"

#define LABEL_WIDTH 18

struct help_view {
	int top, lines, page;
};

/* A key with its other names: "Up, k". */
static void label(size_t at, enum view_id view, char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "%s", keys_table[at].label);
	const char *last = keys_table[at].label;

	for (size_t i = at + 1; i < keys_count && n < size; i++) {
		if (keys_table[i].command != keys_table[at].command || keys_table[i].help ||
		    !(keys_table[i].views & 1u << view) || strcmp(keys_table[i].label, last) == 0)
			continue;
		last = keys_table[i].label;
		n += (size_t)snprintf(out + n, size - n, ", %s", last);
	}
}

/*
 * The keys of a view, from line *y of the page on, which shows from top. The
 * keys that move are the same in all lists: moving says whether to name them.
 */
static void section(struct rect r, enum view_id view, bool moving, int top, int *y)
{
	char keys[64], line[256];

	if (*y >= top && *y < top + r.height)
		draw_text(r.y + *y - top, r.x, r.width, INK_ACCENT | DRAW_BOLD,
			  keys_view_name(view));
	++*y;
	for (size_t i = 0; i < keys_count; i++) {
		const char *rest = keys_table[i].help;
		size_t next, bytes;

		if (!rest || !(keys_table[i].views & 1u << view))
			continue;
		if (!moving && keys_table[i].command <= COMMAND_LAST)
			continue;
		label(i, view, keys, sizeof(keys));
		if (*y >= top && *y < top + r.height)
			draw_text(r.y + *y - top, r.x + 2, LABEL_WIDTH - 3, DRAW_BOLD, keys);
		for (; *rest; rest += next, ++*y) {
			bytes = text_wrap(rest, r.width - LABEL_WIDTH, &next);
			snprintf(line, sizeof(line), "%.*s", (int)bytes, rest);
			if (*y >= top && *y < top + r.height)
				draw_text(r.y + *y - top, r.x + LABEL_WIDTH,
					  r.width - LABEL_WIDTH, INK_TEXT, line);
		}
	}
	++*y;
}

/* The view that help was asked in comes first. */
static void help_draw(struct view *view, struct rect body)
{
	struct rect r = { body.y, body.x + 1, body.height, body.width - 2 };
	enum view_id asked_in = view->below->ops->id;
	struct help_view *state = view->state;
	bool wide = r.width >= 110;
	int left = 0, right = 0;

	if (r.width < LABEL_WIDTH + 8)
		r.width = LABEL_WIDTH + 8;
	if (wide)
		r.width = r.width / 2 - 1;
	section(r, asked_in, true, state->top, &left);
	for (unsigned i = 0; i < VIEW_COUNT; i++) {
		struct rect other = r;
		int *y = &left;

		if (i == asked_in || i == VIEW_HELP)
			continue;
		if (wide && right <= left) {
			other.x += r.width + 2;
			y = &right;
		}
		section(other, (enum view_id)i, i == VIEW_CONSOLE, state->top, y);
	}
	state->lines = left > right ? left : right;
	state->page = body.height;
}

static void help_enter(struct view *view)
{
	struct help_view *state = view->state;

	state->top = 0;
}

static bool help_command(struct view *view, enum command command)
{
	struct help_view *state = view->state;

	return scroll_command(&state->top, state->lines, state->page, command);
}

static void help_title(struct view *view, char *out, size_t size)
{
	(void)view;
	snprintf(out, size, "Keys");
}

const struct view_ops view_help = {
	.id = VIEW_HELP,
	.size = sizeof(struct help_view),
	.enter = help_enter,
	.draw = help_draw,
	.command = help_command,
	.title = help_title,
};

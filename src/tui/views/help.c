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
static void label(const struct keys *keys, const struct key *key, const struct view_ops *of,
		  char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "%s", key->label);
	const char *last = key->label;

	for (const struct key *at = key + 1; at < keys->rows + keys->count && n < size; at++) {
		if (!keys_same(key, at) || at->help || !keys_has(of, at) ||
		    strcmp(at->label, last) == 0)
			continue;
		last = at->label;
		n += (size_t)snprintf(out + n, size - n, ", %s", last);
	}
}

/*
 * The keys of a view, from line *y of the page on, which shows from top. The
 * keys that move are the same in all lists: moving says whether to name them.
 */
static void section(const struct keys *keys, struct rect r, const struct view_ops *of, bool moving,
		    int top, int *y)
{
	char names[64], help[256], line[256];

	if (*y >= top && *y < top + r.height)
		draw_text(r.y + *y - top, r.x, r.width, INK_ACCENT | DRAW_BOLD, of->name);
	++*y;
	for (size_t i = 0; i < keys->count; i++) {
		const struct key *key = &keys->rows[i];
		const char *rest = help;
		size_t next, bytes;

		if (!key->help || !keys_has(of, key))
			continue;
		if (!moving && key->sets & KEYS_LIST && key->command <= COMMAND_LAST)
			continue;
		label(keys, key, of, names, sizeof(names));
		keys_help(key, help, sizeof(help));
		if (*y >= top && *y < top + r.height)
			draw_text(r.y + *y - top, r.x + 2, LABEL_WIDTH - 3, DRAW_BOLD, names);
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
	const struct view_ops *asked_in = view->below->ops;
	struct help_view *state = view->state;
	struct tui *tui = view->tui;
	bool wide = r.width >= 110;
	int left = 0, right = 0;

	if (r.width < LABEL_WIDTH + 8)
		r.width = LABEL_WIDTH + 8;
	if (wide)
		r.width = r.width / 2 - 1;
	section(tui->keys, r, asked_in, true, state->top, &left);
	for (size_t i = 0; i < tui->view_count; i++) {
		const struct view_ops *of = tui->views[i].ops;
		struct rect other = r;
		int *y = &left;

		if (of == asked_in || of == view->ops)
			continue;
		if (wide && right <= left) {
			other.x += r.width + 2;
			y = &right;
		}
		section(tui->keys, other, of, false, state->top, y);
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
	.id = "help",
	.name = "Help",
	.keys = KEYS_LIST | KEYS_BACK,
	.size = sizeof(struct help_view),
	.enter = help_enter,
	.draw = help_draw,
	.command = help_command,
	.title = help_title,
};

/* The help screen, written from the table of keys. Screen thread. */
#include <stdio.h>
#include <string.h>

#include "tui/ui/page.h"
#include "tui/ui/scroll.h"
#include "tui/ui/ui.h"
#include "tui/views/table.h"

#define LABEL_WIDTH 18
#define NARROW 40 /* where the help is below the key */

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
 * The keys of a view. Those that move are the same in all lists: moving says
 * whether to name them.
 */
static void section(struct page *page, const struct keys *keys, const struct view_ops *of,
		    bool moving)
{
	bool narrow = page->r.width < NARROW;
	char names[64], help[256];

	page_text(page, 0, page->r.width, INK_ACCENT | DRAW_BOLD, of->name);
	page->y++;
	for (size_t i = 0; i < keys->count; i++) {
		const struct key *key = &keys->rows[i];

		if (!key->help || !keys_has(of, key))
			continue;
		if (!moving && key->sets & KEYS_LIST && key->command <= COMMAND_LAST)
			continue;
		label(keys, key, of, names, sizeof(names));
		keys_help(key, help, sizeof(help));
		page_text(page, 2, narrow ? page->r.width - 2 : LABEL_WIDTH - 3, DRAW_BOLD, names);
		page->y += narrow;
		page_paragraph(page, narrow ? 4 : LABEL_WIDTH, INK_TEXT, help);
	}
	page->y++;
}

/* The keys of a view, and of its modes. */
static void sections(struct page *page, const struct keys *keys, const struct view_ops *of,
		     bool moving)
{
	section(page, keys, of, moving);
	for (const struct view_ops *const *mode = of->modes; mode && *mode; mode++)
		section(page, keys, *mode, moving);
}

/* The view that help was asked in comes first. */
static void help_draw(struct view *view, struct rect body)
{
	const struct view_ops *asked_in = view->below->ops;
	struct help_view *state = view->state;
	struct page left = { { body.y, body.x + 1, body.height, body.width - 2 }, 0, state->top };
	struct page right;
	struct tui *tui = view->tui;
	bool wide = left.r.width >= 110;

	if (wide)
		left.r.width = left.r.width / 2 - 1;
	right = left;
	right.r.x += left.r.width + 2;
	sections(&left, tui->keys, asked_in, true);
	for (size_t i = 0; i < tui->view_count; i++) {
		const struct view_ops *of = tui->views[i].ops;

		if (of != asked_in && of != view->ops)
			sections(wide && right.y <= left.y ? &right : &left, tui->keys, of, false);
	}
	state->lines = left.y > right.y ? left.y : right.y;
	state->page = body.height;
	if (scroll_bound(&state->top, state->lines, state->page))
		tui_dirty(tui);
	body.x++;
	body.width -= 2;
	page_more(body, state->lines, state->top, tui_key(view, COMMAND_PAGE_DOWN));
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

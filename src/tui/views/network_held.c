/* Breakpoints in the network's view. Screen thread. */
#include "tui/views/network_held.h"

#include <stdio.h>
#include <string.h>

#include "tui/canvas/text.h"
#include "tui/ui/held.h"
#include "tui/ui/hex.h"
#include "tui/ui/scroll.h"

bool network_holds(const struct view *view)
{
	return netmodel_holds(&view->deck->network);
}

void network_look_at_held(struct view *view)
{
	const struct break_row *row = netmodel_holds(&view->deck->network);
	struct network_view *state = view->state;

	if (row && (row->since != state->held_since || strcmp(row->port, state->held_port) != 0)) {
		state->held_since = row->since;
		snprintf(state->held_port, sizeof(state->held_port), "%s", row->port);
		state->held_top = 0;
		if (state->pane != PANE_HELD)
			state->pane_before = state->pane;
		state->pane = PANE_HELD;
	}
	if (!row && state->pane == PANE_HELD)
		state->pane = state->pane_before;
}

/* What is seen of a box of that width. */
static int inside(int width)
{
	return width - 4;
}

int network_held_height(const struct view *view, int width)
{
	const struct break_row *row = netmodel_holds(&view->deck->network);

	return row ? 3 + hex_lines(row->known, inside(width)) : 0;
}

void network_draw_held(struct view *view, struct rect box)
{
	const struct break_row *row = netmodel_holds(&view->deck->network);
	struct network_view *state = view->state;
	struct hex hex = { .cursor = HEX_NO_CURSOR };
	char title[400], keys[96];
	struct rect r;

	if (!row)
		return;
	snprintf(title, sizeof(title), "Frame held at %s%s%s", row->port,
		 *row->filter ? ": " : "", row->filter);
	r = draw_box(box, INK_BAD | DRAW_BOLD, title);
	r.x++;
	r.width = inside(box.width);
	draw_text(r.y, r.x, r.width, INK_WARN | DRAW_BOLD, row->summary);
	if (row->behind)
		snprintf(title, sizeof(title), " %zu bytes, %llu more behind it ", row->size,
			 (unsigned long long)row->behind);
	else
		snprintf(title, sizeof(title), " %zu bytes ", row->size);
	snprintf(keys, sizeof(keys), " %s pass  %s drop  %s edit ",
		 tui_key(view, COMMAND_PASS), tui_key(view, COMMAND_DROP),
		 keys_label(view->tui->keys, view->ops, COMMAND_OPEN, "frame"));
	if (text_width(keys) > box.width - 4)
		snprintf(keys, sizeof(keys), " %s pass  %s drop ", tui_key(view, COMMAND_PASS),
			 tui_key(view, COMMAND_DROP));
	draw_text(box.y + box.height - 1, box.x + 2, box.width - 4, INK_WARN | DRAW_BOLD, keys);
	if (box.width - 4 > text_width(keys) + text_width(title))
		draw_right(box.y + box.height - 1, box.x + 2, box.width - 4, INK_TEXT, title);
	r.y++;
	r.height--;
	hex.data = row->data;
	hex.size = row->known;
	state->held_lines = hex_lines(row->known, r.width);
	state->held_page = r.height;
	scroll_bound(&state->held_top, state->held_lines, state->held_page);
	hex_draw(r, &hex, state->held_top);
}

bool network_held_command(struct view *view, enum command command)
{
	struct network_view *state = view->state;

	return scroll_command(&state->held_top, state->held_lines, state->held_page, command);
}

static void filter_typed(void *arg, int choice, const char *text)
{
	struct view *view = arg;
	const struct network_view *state = view->state;

	(void)choice;
	if (text && (*text || netmodel_break_of(&view->deck->network, state->breaking)))
		held_break(view->deck, state->breaking, text);
}

void network_break(struct view *view)
{
	const struct port_row *port = network_chosen_port(view);
	struct network_view *state = view->state;
	const struct break_row *row;
	char question[256];

	if (!port) {
		tui_say(view->tui, SEVERITY_WARNING, NULL, "There is no port to stop frames of.");
		return;
	}
	row = netmodel_break_of(&view->deck->network, port->name);
	snprintf(state->breaking, sizeof(state->breaking), "%s", port->name);
	snprintf(question, sizeof(question), "Stop frames from %s matching (%s):", port->name,
		 row ? "empty: none any more" : "pcap-filter");
	prompt_line(&view->tui->prompt, row ? row->filter : "", filter_typed, view, question);
}

void network_decide(struct view *view, bool pass)
{
	const struct network_view *state = view->state;
	const struct break_row *row = netmodel_holds(&view->deck->network);

	if (!row)
		tui_say(view->tui, SEVERITY_WARNING, NULL, "No port holds a frame.");
	else /* the one that was seen */
		held_decide(view->deck, state->held_port, state->held_since, pass, NULL, 0);
}

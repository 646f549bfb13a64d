/*
 * The frame that a port holds, byte by byte, to go on as it is typed. Screen
 * thread.
 */
#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "base/checked.h"
#include "tui/ui/held.h"
#include "tui/ui/hex.h"
#include "tui/ui/scroll.h"
#include "tui/ui/ui.h"
#include "tui/views/table.h"

#define FRAME_LEAST 14u /* bytes: an Ethernet header */
#define FRAME_MOST 65550u

struct frame_view {
	char port[100];
	uint64_t since; /* with the port: which frame it is */
	char summary[384];
	uint8_t *was, *data; /* FRAME_MOST bytes each; NULL: none is edited */
	size_t was_size, size;
	size_t cursor; /* digit */
	int per_line, page, top;
};

static void forget(struct frame_view *state)
{
	free(state->was);
	free(state->data);
	memset(state, 0, sizeof(*state));
}

static void frame_destroy(struct view *view)
{
	forget(view->state);
}

/* Copies the frame that waits; NULL, or why it cannot be edited. */
static const char *take(struct view *view)
{
	const struct break_row *row = netmodel_holds(&view->deck->network);
	struct frame_view *state = view->state;

	forget(state);
	if (!row)
		return "No port holds a frame.";
	if (row->known < row->size || row->size > FRAME_MOST || row->size < FRAME_LEAST)
		return "The deck holds so much that it shows only some bytes of this frame; pass or "
		       "drop it.";
	state->was = malloc(FRAME_MOST);
	state->data = malloc(FRAME_MOST);
	if (!state->was || !state->data)
		return "There is no memory for an editor.";
	state->was_size = state->size = row->size;
	state->per_line = hex_per_line(draw_columns() - 4); /* for keys before it is drawn */
	state->page = 1;
	memcpy(state->was, row->data, row->size);
	memcpy(state->data, row->data, row->size);
	state->since = row->since;
	snprintf(state->port, sizeof(state->port), "%s", row->port);
	snprintf(state->summary, sizeof(state->summary), "%s", row->summary);
	return NULL;
}

static void frame_enter(struct view *view)
{
	const struct frame_view *state = view->state;
	const char *why = state->data ? NULL : take(view); /* or it comes back from help */

	if (!why)
		return;
	tui_say(view->tui, SEVERITY_WARNING, NULL, "%s", why);
	tui_back(view->tui);
}

static void frame_close(struct view *view)
{
	forget(view->state);
}

/* Has the cursor's line in sight. */
static void follow_cursor(struct frame_view *state)
{
	int line = (int)(state->cursor / 2) / state->per_line;

	if (line < state->top)
		state->top = line;
	if (line >= state->top + state->page)
		state->top = line - state->page + 1;
}

static void frame_draw(struct view *view, struct rect box)
{
	struct frame_view *state = view->state;
	struct rect r = draw_box(box, INK_ACCENT, state->port);
	char size[48];

	if (!state->data)
		return;
	r.x++;
	r.width -= 2;
	snprintf(size, sizeof(size), state->size == state->was_size ? " %zu bytes " :
		 " %zu bytes, %zu before ", state->size, state->was_size);
	draw_right(box.y + box.height - 1, box.x + 2, box.width - 4, INK_TEXT | DRAW_DIM, size);
	if (r.height > 2) {
		draw_text(r.y, r.x, r.width, INK_TEXT | DRAW_BOLD, state->summary);
		r.y++;
		r.height--;
	}
	state->per_line = hex_per_line(r.width);
	state->page = r.height > 1 ? r.height : 1;
	follow_cursor(state);
	hex_draw(r, &(struct hex){ .data = state->data, .size = state->size, .was = state->was,
				   .was_size = state->was_size, .cursor = state->cursor },
		 state->top);
}

/* Moves by lines, as lists are moved over, or by digits. */
static bool move_cursor(struct frame_view *state, enum command command)
{
	size_t per_line = (size_t)state->per_line, within = state->cursor % (2 * per_line);
	int line = (int)(state->cursor / (2 * per_line));

	if (command == COMMAND_LEFT)
		state->cursor -= state->cursor > 0;
	else if (command == COMMAND_RIGHT)
		state->cursor++;
	else if (command == COMMAND_FIRST)
		state->cursor = 0;
	else if (command == COMMAND_LAST)
		state->cursor = 2 * state->size;
	else if (scroll_command(&line, (int)((state->size + per_line - 1) / per_line), 1, command))
		state->cursor = (size_t)line * 2 * per_line + within;
	else
		return false;
	if (state->cursor >= 2 * state->size)
		state->cursor = 2 * state->size - 1;
	return true;
}

static bool frame_command(struct view *view, enum command command)
{
	struct frame_view *state = view->state;

	if (!state->data || !state->per_line)
		return false;
	if (command != COMMAND_PASS)
		return move_cursor(state, command);
	held_decide(view->deck, state->port, state->since, true, state->data, state->size);
	tui_back(view->tui);
	return true;
}

static void put_digit(struct frame_view *state, unsigned digit)
{
	uint8_t *byte = &state->data[state->cursor / 2];

	*byte = state->cursor % 2 ? (uint8_t)((*byte & 0xf0) | digit) :
				    (uint8_t)((*byte & 0x0f) | digit << 4);
	move_cursor(state, COMMAND_RIGHT);
}

static void frame_input(struct view *view, wint_t key, bool special)
{
	struct frame_view *state = view->state;
	size_t at = state->cursor / 2;

	if (!state->data || !state->per_line)
		return;
	tui_dirty(view->tui);
	if (special && key == KEY_DC && state->size > FRAME_LEAST) {
		memmove(&state->data[at], &state->data[at + 1], --state->size - at);
		state->cursor = 2 * (at < state->size ? at : state->size - 1);
	} else if (special && key == KEY_IC && state->size < FRAME_MOST) {
		memmove(&state->data[at + 1], &state->data[at], state->size++ - at);
		state->data[at] = 0;
		state->cursor = 2 * at;
	} else if (!special && key < 0x80 && iswxdigit(key)) {
		put_digit(state, key <= '9' ? key - '0' : (key | 0x20) - 'a' + 10);
	}
}

static void frame_title(struct view *view, char *out, size_t size)
{
	const struct frame_view *state = view->state;

	snprintf(out, size, "Frame held at %s", state->port);
}

const struct view_ops view_frame = {
	.id = "frame",
	.name = "Held frame",
	.keys = KEYS_LIST | KEYS_BACK | KEYS_HELP,
	.size = sizeof(struct frame_view),
	.destroy = frame_destroy,
	.enter = frame_enter,
	.close = frame_close,
	.draw = frame_draw,
	.command = frame_command,
	.input = frame_input,
	.title = frame_title,
};

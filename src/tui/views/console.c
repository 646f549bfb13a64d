/*
 * A guest's console, full screen, with one line of status at the bottom. Every
 * key but those of the table goes to the guest. Screen thread; the only view
 * that speaks to curses itself, since it draws another terminal's cells.
 *
 * A guest has up to three sides: its console; its serial port, where that is another; its
 * VGA screen. One is shown, and the status says what comes next and whether something that
 * nobody has seen is there.
 */
#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "control/message_text.h"
#include "tui/console/emulator_process.h"
#include "tui/console/key_sequence.h"
#include "tui/views/console_cells.h"
#include "tui/views/console_state.h"
#include "tui/views/table.h"

static int clamp(int value, int low, int high)
{
	return value < low ? low : value > high ? high : value;
}

static int rows_shown(void)
{
	return clamp(draw_rows() - 1, GRID_MIN, GRID_ROWS_MAX);
}

static int columns_shown(void)
{
	return clamp(draw_columns(), GRID_MIN, GRID_COLUMNS_MAX);
}

void console_show(struct view *view)
{
	struct console_view *state = view->state;
	struct tty *tty = console_tty(state);

	console_copy_end(view);
	console_search_end(view);
	emulation_show(state->emulation, tty);
	if (tty)
		tty->unseen = false;
	if (!tty)
		console_vga_show(&state->vga, state->current->name);
	else if (console_has(view, SIDE_VGA))
		console_vga_watch(&state->vga, state->current->name);
	else
		console_vga_stop(&state->vga);
}

/* What was silent speaks, and nobody has typed into what is shown instead. */
static void turn_back(struct view *view)
{
	struct console_view *state = view->state;

	state->unasked = false;
	state->turned = NULL;
	if (tui_shows(view)) {
		console_show(view);
		tui_dirty(view->tui);
	}
}

static void tty_came(void *arg, struct tty *tty)
{
	struct view *view = arg;
	struct console_view *state = view->state;

	if (tty == state->current && state->unasked)
		turn_back(view);
	if (tui_shows(view) && tty == console_tty(state)) {
		emulation_more(state->emulation);
	} else if (!tty->unseen) {
		tty->unseen = true;
		if (tui_shows(view))
			tui_dirty(view->tui);
	}
}

static bool has_printed(const struct tty *tty)
{
	return tty->old || tty->kept.size;
}

/* Unless somebody turned it: of a guest that prints nothing there, the side that shows something. */
static void choose_side(struct view *view)
{
	struct console_view *state = view->state;
	const struct tty *current = state->current, *serial = state->serial;

	if (!current || state->turned == current || current->state != TTY_OPEN ||
	    has_printed(current) || (serial && serial->state == TTY_OPENING))
		return;
	if (serial && has_printed(serial))
		state->side = SIDE_SERIAL;
	else if (console_has(view, SIDE_VGA))
		state->side = SIDE_VGA;
	else
		return;
	state->turned = current;
	state->unasked = true;
	if (tui_shows(view))
		console_show(view);
}

static void tty_changed(void *arg, struct tty *tty)
{
	struct view *view = arg;
	const struct console_view *state = view->state;
	bool shown = tty == console_tty(state);

	choose_side(view);
	if (shown && tui_shows(view))
		tui_dirty(view->tui);
}

static const struct tty_ops tty_ops = { .came = tty_came, .changed = tty_changed };

/* The terminal has something new, or something befell it, which the log is told once. */
static void terminal_changed(void *arg)
{
	struct view *view = arg;
	struct console_view *state = view->state;
	const char *trouble = emulation_trouble(state->emulation);

	if (strncmp(state->said, trouble, sizeof(state->said) - 1) != 0) {
		snprintf(state->said, sizeof(state->said), "%s", trouble);
		if (*trouble)
			tui_say(view->tui, SEVERITY_WARNING, state->current->name, "%s", trouble);
	}
	console_search_look(view);
	if (tui_shows(view))
		tui_dirty(view->tui);
}

static bool is_which(const struct tty *tty, const char *name, const char *which)
{
	return strcmp(tty->name, name) == 0 &&
	       (tty->which && which ? strcmp(tty->which, which) == 0 : tty->which == which);
}

static struct tty *console_find(struct view *view, const char *name, const char *which)
{
	struct console_view *state = view->state;
	struct tty *tty;

	if (!state->emulation)
		state->emulation = emulation_new(&view->tui->loop, &emulator_process,
						 terminal_changed, view);
	for (tty = state->list; tty && !is_which(tty, name, which); tty = tty->next)
		;
	if (tty || !state->emulation)
		return state->emulation ? tty : NULL;
	tty = tty_new(&view->tui->loop, name, which, &tty_ops, view);
	if (tty) {
		tty->next = state->list;
		state->list = tty;
	}
	return tty;
}

static bool console_open(struct view *view, const char *name)
{
	const struct tui_config *config = view->deck->config;
	struct console_view *state = view->state;
	struct tty *tty = console_find(view, name, NULL);

	if (!tty) {
		tui_say(view->tui, SEVERITY_ERROR, name, "There is no memory for its console.");
		return false;
	}
	tty_connect(tty, config->dial, config->dial_arg, config->read_only);
	state->current = tty;
	state->serial = console_is_virtio(view, name) ? console_find(view, name, "serial") : NULL;
	if (state->serial)
		tty_connect(state->serial, config->dial, config->dial_arg, config->read_only);
	state->back = 0;
	if (state->unasked)
		state->turned = NULL;
	choose_side(view);
	return true;
}

void console_go(struct view *view, const char *guest)
{
	const struct console_view *state = view->state;

	if (!console_open(view, guest))
		return;
	emulation_scroll(state->emulation, 0);
	console_show(view);
	tui_dirty(view->tui);
}

/* A virtio console has its guest know in how large a window it is shown. */
static void tell_window(struct view *view, int rows, int columns)
{
	struct console_view *state = view->state;

	if (view->deck->config->read_only || console_side(state) != SIDE_CONSOLE || !console_is_virtio(view, state->current->name) ||
	    (state->told == state->current && state->told_rows == rows &&
	     state->told_columns == columns))
		return;
	state->told = state->current;
	state->told_rows = rows;
	state->told_columns = columns;
	tui_call(view->deck, "console.window",
		 json_pack("{s:o, s:i, s:i}", "guest", message_text(state->current->name), "rows",
			   rows, "columns", columns), NULL, NULL);
}

static void console_enter(struct view *view)
{
	struct console_view *state = view->state;

	emulation_resize(state->emulation, rows_shown(), columns_shown());
	emulation_scroll(state->emulation, 0);
	console_show(view);
}

static void console_leave(struct view *view)
{
	struct console_view *state = view->state;

	console_copy_end(view);
	emulation_show(state->emulation, NULL);
	console_vga_stop(&state->vga);
	state->told = NULL;
}

static void console_create(struct view *view)
{
	struct console_view *state = view->state;

	console_vga_create(&state->vga, view);
}

static void console_destroy(struct view *view)
{
	struct console_view *state = view->state;
	struct tty *tty;

	free(state->copy);
	console_vga_destroy(&state->vga);
	saving_free(state->saving);
	emulation_free(state->emulation);
	while ((tty = state->list)) {
		state->list = tty->next;
		tty_free(tty);
	}
	state->current = state->serial = NULL;
}

static void draw_picture(const struct view *view, const struct picture *picture, int rows,
			 int columns)
{
	const struct frame *frame = &picture->frame;
	const struct console_view *state = view->state;

	if (rows > (int)frame->rows)
		rows = (int)frame->rows;
	if (columns > (int)frame->columns)
		columns = (int)frame->columns;
	for (int y = 0; y < rows; y++) {
		console_cells_draw(&view->tui->terminal, y, picture_row(picture, y), columns);
		console_search_draw(view, picture, y, columns);
	}
	if (frame->flags & FRAME_CURSOR && !state->back && !view->tui->prompt.active) {
		curs_set(1);
		move(clamp((int)frame->row, 0, rows - 1), clamp((int)frame->column, 0, columns - 1));
	}
}

static void console_draw(struct view *view, struct rect body)
{
	struct console_view *state = view->state;
	int rows = rows_shown(), columns = columns_shown();
	const struct picture *picture;

	emulation_resize(state->emulation, rows, columns);
	tell_window(view, rows, columns);
	if (console_on_vga(view)) {
		console_draw_status(view, rows);
		console_vga_draw(&state->vga, (struct rect){ 0, 0, rows, columns });
		return;
	}
	picture = emulation_picture(state->emulation);
	if (picture && state->back > picture->frame.scrollback)
		state->back = picture->frame.scrollback;
	console_draw_status(view, rows);
	if (console_copy_draw(view, rows, columns))
		return;
	if (picture)
		draw_picture(view, picture, rows, columns);
	else if (console_tty(state)->state == TTY_OPEN)
		draw_center(body, INK_WARN, emulation_trouble(state->emulation));
}

/* Keys */

static const struct frame *last_frame(const struct view *view)
{
	static const struct frame none;
	struct console_view *state = view->state;
	const struct picture *picture = emulation_picture(state->emulation);

	return picture ? &picture->frame : &none;
}

void console_scroll(struct view *view, unsigned back)
{
	struct console_view *state = view->state;

	if (back > last_frame(view)->scrollback)
		back = last_frame(view)->scrollback;
	state->back = back;
	emulation_scroll(state->emulation, back);
}

static void scroll_back(struct view *view, int lines)
{
	const struct console_view *state = view->state;
	int back = (int)state->back + lines;

	console_scroll(view, back < 0 ? 0 : (unsigned)back);
}

void console_send_key(struct view *view, wint_t key, bool special)
{
	struct console_view *state = view->state;
	struct tty *tty = console_tty(state);
	bool cursor_keys = last_frame(view)->flags & FRAME_CURSOR_KEYS;
	char text[KEY_SEQUENCE_MAX];

	if (view->deck->config->read_only)
		return;
	state->unasked = false;
	if (console_on_vga(view)) {
		console_vga_key(&state->vga, key, special);
		return;
	}
	tty_send(tty, text, key_sequence(text, key, special, cursor_keys));
	if (tty->lost)
		tui_dirty(view->tui);
}

/* Nothing of the guest's waits for a Tab. */
static bool is_deaf(const struct view *view)
{
	const struct console_view *state = view->state;
	const struct tui_guest *guest = model_find(&view->deck->model, state->current->name);

	return !guest || !guest_state_in(guest->state, GUEST_ALIVE) ||
	       (console_on_vga(view) && state->vga.screen.mode != REMOTE_TEXT);
}

static void turn_by_key(struct view *view)
{
	if (is_deaf(view) && console_turn(view)) {
		console_show(view);
		tui_dirty(view->tui);
	} else {
		console_send_key(view, '\t', false);
	}
}

/* Those of the table that a VGA's guest gets: there is nothing to scroll back to. */
static bool vga_command(struct view *view, enum command command)
{
	static const struct {
		enum command command;
		int key;
	} keys[] = {
		{ COMMAND_PAGE_UP, KEY_PPAGE }, { COMMAND_PAGE_DOWN, KEY_NPAGE },
		{ COMMAND_SCROLL_UP, KEY_SPREVIOUS }, { COMMAND_SCROLL_DOWN, KEY_SNEXT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (keys[i].command != command)
			continue;
		console_send_key(view, (wint_t)keys[i].key, true);
		return true;
	}
	return false;
}

static bool console_command(struct view *view, enum command command)
{
	int page = rows_shown() - 1;

	if (console_copy_command(view, command) || console_prefix_command(view, command) ||
	    console_search_command(view, command))
		return true;
	if (console_on_vga(view) && vga_command(view, command))
		return true;
	switch (command) {
	case COMMAND_PREFIX:
		console_copy_end(view);
		console_search_end(view);
		view->mode = &console_prefix;
		return true;
	case COMMAND_NEXT:
		turn_by_key(view);
		return true;
	case COMMAND_PAGE_UP:
	case COMMAND_PAGE_DOWN:
		if (last_frame(view)->flags & FRAME_ALTERNATE)
			console_send_key(view, command == COMMAND_PAGE_UP ? KEY_PPAGE : KEY_NPAGE, true);
		else
			scroll_back(view, command == COMMAND_PAGE_UP ? page : -page);
		return true;
	case COMMAND_SCROLL_UP:
		scroll_back(view, page);
		return true;
	case COMMAND_SCROLL_DOWN:
		scroll_back(view, -page);
		return true;
	default:
		return false;
	}
}

void console_type(struct view *view, wint_t key, bool special)
{
	struct console_view *state = view->state;

	state->back = 0;
	emulation_scroll(state->emulation, 0);
	console_send_key(view, key, special);
}

/* The guest has asked for it, and nothing else is done with what is in sight. */
static bool console_wants_mouse(struct view *view)
{
	const struct console_view *state = view->state;

	return console_tty(state) && last_frame(view)->flags & FRAME_MOUSE && !state->back &&
	       !view->mode && !view->deck->config->read_only;
}

static void console_mouse(struct view *view, const struct terminal_click *click)
{
	struct console_view *state = view->state;

	if (click->y < 0 || click->x < 0 || click->y >= rows_shown() ||
	    click->x >= columns_shown())
		return;
	state->unasked = false;
	emulation_mouse(state->emulation,
			&(struct terminal_mouse){ (uint32_t)click->y, (uint32_t)click->x,
						  (uint32_t)click->button, click->pressed });
}

static const char *console_guest(struct view *view)
{
	const struct console_view *state = view->state;

	return state->current ? state->current->name : "";
}

static const struct view_ops *const console_modes[] = {
	&console_prefix, &console_search, &console_copying, NULL,
};

const struct view_ops view_console = {
	.id = "console",
	.name = "Console",
	.size = sizeof(struct console_view),
	.create = console_create,
	.destroy = console_destroy,
	.open = console_open,
	.enter = console_enter,
	.leave = console_leave,
	.guest = console_guest,
	.wants_mouse = console_wants_mouse,
	.mouse = console_mouse,
	.draw = console_draw,
	.command = console_command,
	.input = console_type,
	.full = true,
	.modes = console_modes,
};

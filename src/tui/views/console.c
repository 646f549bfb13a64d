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
#include <string.h>

#include "base/checked.h"
#include "control/message_text.h"
#include "tui/canvas/text.h"
#include "tui/console/emulation.h"
#include "tui/console/emulator_process.h"
#include "tui/console/key_sequence.h"
#include "tui/console/tty.h"
#include "tui/ui/style.h"
#include "tui/ui/ui.h"
#include "tui/views/console_cells.h"
#include "tui/views/console_vga.h"
#include "tui/views/table.h"

#define WIDE 60 /* columns from which on the status says how to turn to the other side */

enum side { SIDE_CONSOLE, SIDE_SERIAL, SIDE_VGA, SIDES };

struct console_view {
	struct tty *list;
	struct tty *current, *serial; /* the guest's console, and its serial port if that is another */
	const struct tty *turned; /* the console in whose place another side of its guest is shown */
	enum side side;		  /* that one */
	bool unasked;		  /* nobody turned to it, nor typed there */
	const struct tty *told;	  /* the console whose guest knows of this size */
	int told_rows, told_columns;
	struct console_vga vga;
	struct emulation *emulation;
	unsigned back; /* lines scrolled back */
	char said[256]; /* the beginning of what befell the terminal, when that was said */
};

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

static enum side shown_side(const struct console_view *state)
{
	if (!state->current || state->turned != state->current)
		return SIDE_CONSOLE;
	return state->side == SIDE_SERIAL && !state->serial ? SIDE_CONSOLE : state->side;
}

static bool on_vga(const struct view *view)
{
	return shown_side(view->state) == SIDE_VGA;
}

/* What a terminal shows; NULL while it is the VGA screen. */
static struct tty *shown_tty(const struct console_view *state)
{
	switch (shown_side(state)) {
	case SIDE_CONSOLE:
		return state->current;
	case SIDE_SERIAL:
		return state->serial;
	default:
		return NULL;
	}
}

static const json_t *guest_value(const struct view *view, const char *name, const char *key)
{
	const struct tui_guest *guest = model_find(&view->deck->model, name);

	return guest ? json_object_get(guest->json, key) : NULL;
}

static bool is_virtio(const struct view *view, const char *name)
{
	const char *console = json_string_value(guest_value(view, name, "console"));

	return console && strcmp(console, "virtio") == 0;
}

static bool has_side(const struct view *view, enum side side)
{
	const struct console_view *state = view->state;

	if (side == SIDE_SERIAL)
		return state->serial != NULL;
	return side == SIDE_CONSOLE ||
	       json_is_true(guest_value(view, state->current->name, "vga"));
}

/* The one behind a side, as they are turned. */
static enum side side_behind(const struct view *view, enum side side)
{
	do {
		side = (side + 1) % SIDES;
	} while (!has_side(view, side));
	return side;
}

static void show(struct view *view)
{
	struct console_view *state = view->state;
	struct tty *tty = shown_tty(state);

	emulation_show(state->emulation, tty);
	if (tty)
		tty->unseen = false;
	if (!tty)
		console_vga_show(&state->vga, state->current->name);
	else if (has_side(view, SIDE_VGA))
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
		show(view);
		tui_dirty(view->tui);
	}
}

static void tty_came(void *arg, struct tty *tty)
{
	struct view *view = arg;
	struct console_view *state = view->state;

	if (tty == state->current && state->unasked)
		turn_back(view);
	if (tui_shows(view) && tty == shown_tty(state)) {
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
	else if (has_side(view, SIDE_VGA))
		state->side = SIDE_VGA;
	else
		return;
	state->turned = current;
	state->unasked = true;
	if (tui_shows(view))
		show(view);
}

static void tty_changed(void *arg, struct tty *tty)
{
	struct view *view = arg;
	const struct console_view *state = view->state;
	bool shown = tty == shown_tty(state);

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
	state->serial = is_virtio(view, name) ? console_find(view, name, "serial") : NULL;
	if (state->serial)
		tty_connect(state->serial, config->dial, config->dial_arg, config->read_only);
	state->back = 0;
	if (state->unasked)
		state->turned = NULL;
	choose_side(view);
	return true;
}

/* A virtio console has its guest know in how large a window it is shown. */
static void tell_window(struct view *view, int rows, int columns)
{
	struct console_view *state = view->state;

	if (view->deck->config->read_only || shown_side(state) != SIDE_CONSOLE || !is_virtio(view, state->current->name) ||
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
	show(view);
}

static void console_leave(struct view *view)
{
	struct console_view *state = view->state;

	emulation_show(state->emulation, NULL);
	console_vga_stop(&state->vga);
	state->told = NULL;
}

static const char *console_turn(struct view *view)
{
	struct console_view *state = view->state;
	enum side shown = shown_side(state), next = side_behind(view, shown);

	if (next == shown)
		return NULL;
	state->turned = state->current;
	state->unasked = false;
	state->side = next;
	state->back = 0;
	return state->current->name;
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

	console_vga_destroy(&state->vga);
	emulation_free(state->emulation);
	while ((tty = state->list)) {
		state->list = tty->next;
		tty_free(tty);
	}
	state->current = state->serial = NULL;
}

/* When it begins again is old soon; the messages have the whole. */
static void first_sentence(char *out, size_t size, const char *text)
{
	const char *end = strstr(text, ". ");

	snprintf(out, size, "%.*s", end ? (int)(end - text) + 1 : (int)strlen(text), text);
}

static void status_text(const struct view *view, char *out, size_t size)
{
	const struct console_view *state = view->state;
	const struct tty *tty = shown_tty(state);

	out[0] = '\0';
	if (on_vga(view) && state->vga.typing.lost)
		snprintf(out, size, "%zu bytes are lost: the guest does not read its keyboard",
			 state->vga.typing.lost);
	else if (on_vga(view))
		snprintf(out, size, "VGA");
	else if (tty->state == TTY_CLOSED)
		snprintf(out, size, "%s %s leaves; %s opens it again.", tty->reason,
			 tui_key(view, COMMAND_BACK),
			 keys_label(view->tui->keys, NULL, COMMAND_OPEN, view->ops->id));
	else if (tty->state == TTY_OPENING)
		snprintf(out, size, "opening");
	else if (*emulation_trouble(state->emulation))
		first_sentence(out, size, emulation_trouble(state->emulation));
	else if (tty->lost)
		snprintf(out, size, "%zu bytes for the guest are lost: it does not read",
			 tty->lost);
	else if (state->back)
		snprintf(out, size, "%u lines back; %s or any key returns", state->back,
			 tui_key(view, COMMAND_PAGE_DOWN));
	else if (shown_side(state) == SIDE_SERIAL)
		snprintf(out, size, "serial");
	if (!*out && view->deck->config->read_only)
		snprintf(out, size, "read-only: nothing is typed");
}

static const char *side_name(const struct view *view, enum side side)
{
	const struct console_view *state = view->state;

	if (side == SIDE_VGA)
		return "VGA";
	return side == SIDE_CONSOLE && is_virtio(view, state->current->name) ? "virtio" : "serial";
}

/* Whether something is there that nobody has seen. */
static bool is_unseen(const struct console_view *state, enum side side)
{
	return side == SIDE_VGA ? state->vga.unseen :
	       side == SIDE_CONSOLE ? state->current->unseen : state->serial->unseen;
}

/* What leaves, and where else there is something to see, in the order of turning. */
static void leave_text(const struct view *view, char *out, size_t size)
{
	const char *key = tui_key(view, COMMAND_BACK), *before = " Tab ";
	enum side shown = shown_side(view->state), side = shown;
	size_t n = 0;

	while (draw_columns() >= WIDE && (side = side_behind(view, side)) != shown && n < size) {
		n += (size_t)snprintf(out + n, size - n, "%s%s%s%s", n ? "" : key, before,
				      side_name(view, side),
				      is_unseen(view->state, side) ? " (new)" : "");
		before = ", ";
	}
	if (n < size)
		snprintf(out + n, size - n, "%s%s leaves", n ? "  " : "", key);
}

/* Where there is no room for both, the text is wanted more than the guest's name and state. */
static void draw_status(const struct view *view, int y)
{
	const struct console_view *state = view->state;
	const struct tui_guest *guest = model_find(&view->deck->model, state->current->name);
	int width = draw_columns(), x = 1, room;
	char text[600], leave[96];

	draw_fill((struct rect){ y, 0, 1, width }, DRAW_REVERSE);
	leave_text(view, leave, sizeof(leave));
	room = width - text_width(leave) - 2;
	draw_right(y, 0, width - 1, DRAW_REVERSE | DRAW_BOLD, leave);
	status_text(view, text, sizeof(text));
	x += draw_text(y, x, room - x, DRAW_REVERSE | DRAW_BOLD, state->current->name) + 1;
	if (guest && x < room)
		x += draw_format(y, x, room - x, DRAW_REVERSE, "%s %s",
				 style_state_sign(guest->state), guest_state_name(guest->state)) + 2;
	if (*text && text_width(text) > room - x) {
		x = 1;
		draw_fill((struct rect){ y, 0, 1, room }, DRAW_REVERSE);
	}
	draw_sentence(y, x, room - x, DRAW_REVERSE, text);
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
	for (int y = 0; y < rows; y++)
		console_cells_draw(&view->tui->terminal, y, picture_row(picture, y), columns);
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
	if (on_vga(view)) {
		draw_status(view, rows);
		console_vga_draw(&state->vga, (struct rect){ 0, 0, rows, columns });
		return;
	}
	picture = emulation_picture(state->emulation);
	if (picture && state->back > picture->frame.scrollback)
		state->back = picture->frame.scrollback;
	draw_status(view, rows);
	if (picture)
		draw_picture(view, picture, rows, columns);
	else if (shown_tty(state)->state == TTY_OPEN)
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

static void scroll_back(struct view *view, int lines)
{
	struct console_view *state = view->state;

	state->back = (unsigned)clamp((int)state->back + lines, 0,
				      (int)last_frame(view)->scrollback);
	emulation_scroll(state->emulation, state->back);
}

static void send_key(struct view *view, wint_t key, bool special)
{
	struct console_view *state = view->state;
	struct tty *tty = shown_tty(state);
	bool cursor_keys = last_frame(view)->flags & FRAME_CURSOR_KEYS;
	char text[KEY_SEQUENCE_MAX];

	if (view->deck->config->read_only)
		return;
	state->unasked = false;
	if (on_vga(view)) {
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
	       (on_vga(view) && state->vga.screen.mode != REMOTE_TEXT);
}

static void turn_by_key(struct view *view)
{
	if (is_deaf(view) && console_turn(view)) {
		show(view);
		tui_dirty(view->tui);
	} else {
		send_key(view, KEYS_TURN, false);
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
		send_key(view, (wint_t)keys[i].key, true);
		return true;
	}
	return false;
}

static bool console_command(struct view *view, enum command command)
{
	int page = rows_shown() - 1;

	if (on_vga(view) && vga_command(view, command))
		return true;
	switch (command) {
	case COMMAND_NEXT:
		turn_by_key(view);
		return true;
	case COMMAND_PAGE_UP:
	case COMMAND_PAGE_DOWN:
		if (last_frame(view)->flags & FRAME_ALTERNATE)
			send_key(view, command == COMMAND_PAGE_UP ? KEY_PPAGE : KEY_NPAGE, true);
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

static void console_input(struct view *view, wint_t key, bool special)
{
	struct console_view *state = view->state;

	state->back = 0;
	emulation_scroll(state->emulation, 0);
	send_key(view, key, special);
}

const struct view_ops view_console = {
	.id = "console",
	.name = "Console",
	.size = sizeof(struct console_view),
	.create = console_create,
	.destroy = console_destroy,
	.open = console_open,
	.enter = console_enter,
	.leave = console_leave,
	.turn = console_turn,
	.draw = console_draw,
	.command = console_command,
	.input = console_input,
	.full = true,
};

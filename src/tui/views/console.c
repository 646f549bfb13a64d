/*
 * A guest's console, full screen, with one line of status at the bottom. Every
 * key but those of the table goes to the guest. Screen thread; the only view
 * that speaks to curses itself, since it draws another terminal's cells.
 */
#include <curses.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "tui/canvas/text.h"
#include "tui/console/emulation.h"
#include "tui/console/emulator_process.h"
#include "tui/console/key_sequence.h"
#include "tui/console/tty.h"
#include "tui/ui/style.h"
#include "tui/ui/ui.h"
#include "tui/views/table.h"

struct console_view {
	struct tty *list, *current;
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

static void tty_came(void *arg, struct tty *tty)
{
	struct view *view = arg;
	const struct console_view *state = view->state;

	if (state->current == tty && tui_shows(view))
		emulation_more(state->emulation);
}

static void tty_changed(void *arg, struct tty *tty)
{
	struct view *view = arg;
	const struct console_view *state = view->state;

	if (state->current == tty && tui_shows(view))
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

static struct tty *console_find(struct view *view, const char *name)
{
	struct console_view *state = view->state;
	struct tty *tty;

	if (!state->emulation)
		state->emulation = emulation_new(&view->tui->loop, &emulator_process,
						 terminal_changed, view);
	for (tty = state->list; tty && strcmp(tty->name, name) != 0; tty = tty->next)
		;
	if (tty || !state->emulation)
		return state->emulation ? tty : NULL;
	tty = tty_new(&view->tui->loop, name, &tty_ops, view);
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
	struct tty *tty = console_find(view, name);

	if (!tty) {
		tui_say(view->tui, SEVERITY_ERROR, name, "There is no memory for its console.");
		return false;
	}
	tty_connect(tty, config->dial, config->dial_arg);
	state->current = tty;
	state->back = 0;
	return true;
}

static void console_enter(struct view *view)
{
	struct console_view *state = view->state;

	emulation_resize(state->emulation, rows_shown(), columns_shown());
	emulation_scroll(state->emulation, 0);
	emulation_show(state->emulation, state->current);
}

static void console_leave(struct view *view)
{
	struct console_view *state = view->state;

	emulation_show(state->emulation, NULL);
}

static void console_destroy(struct view *view)
{
	struct console_view *state = view->state;
	struct tty *tty;

	emulation_free(state->emulation);
	while ((tty = state->list)) {
		state->list = tty->next;
		tty_free(tty);
	}
	state->current = NULL;
}

/* Colours */

/* The entry of the 6x6x6 cube of 256 colours that is next to a colour. */
static int cube(unsigned red, unsigned green, unsigned blue)
{
	return (int)(16 + 36 * ((red + 25) / 51) + 6 * ((green + 25) / 51) + (blue + 25) / 51);
}

/* The nearest of the 8 colours that every terminal has, and whether it is bright. */
static int basic(unsigned red, unsigned green, unsigned blue, bool *bright)
{
	unsigned most = red > green ? red : green, half;

	most = most > blue ? most : blue;
	*bright = most > 210;
	half = most / 2;
	if (most < 50)
		return COLOR_BLACK;
	return (red > half ? 1 : 0) | (green > half ? 2 : 0) | (blue > half ? 4 : 0);
}

/* A colour of a cell as curses has it; -1: the default one. */
static int colour(uint32_t c, bool *bright)
{
	unsigned red = c >> 16 & 0xff, green = c >> 8 & 0xff, blue = c & 0xff, index = c & 0xff;

	*bright = false;
	if ((c & GRID_COLOUR_KIND) == GRID_DEFAULT)
		return -1;
	if ((c & GRID_COLOUR_KIND) == GRID_RGB)
		return COLORS >= 256 ? cube(red, green, blue) : basic(red, green, blue, bright);
	if ((int)index < COLORS)
		return (int)index;
	if (index < 16) {
		*bright = true;
		return (int)index - 8;
	}
	if (index < 232) {
		index -= 16;
		return basic(index / 36 * 51, index / 6 % 6 * 51, index % 6 * 51, bright);
	}
	*bright = index >= 250;
	return index < 238 ? COLOR_BLACK : COLOR_WHITE;
}

static void pen(const struct terminal *terminal, const struct grid_cell *cell)
{
	attr_t attributes = A_NORMAL;
	bool bright, unused;
	int fg, bg, pair = 0;

	if (cell->attributes & GRID_BOLD)
		attributes |= A_BOLD;
	if (cell->attributes & GRID_UNDERLINE)
		attributes |= A_UNDERLINE;
	if (cell->attributes & GRID_REVERSE)
		attributes |= A_REVERSE;
	if (terminal->colour) {
		fg = colour(cell->fg, &bright);
		bg = colour(cell->bg, &unused);
		if (fg >= 0 && bright)
			attributes |= A_BOLD;
		if (fg >= 0 || bg >= 0)
			pair = alloc_pair(fg, bg);
		if (pair < 0)
			pair = 0;
	}
	attr_set(attributes, (short)pair, &pair);
}

/* One character with the marks that combine with it. */
static void put_cell(int y, int x, wchar_t c, const uint16_t *marks)
{
	wchar_t text[1 + GRID_MARKS_MAX + 1] = { c };
	cchar_t cell;

	if (!marks || !marks[0]) {
		mvaddnwstr(y, x, text, 1);
		return;
	}
	for (unsigned i = 0; i < GRID_MARKS_MAX; i++)
		text[i + 1] = (wchar_t)marks[i];
	if (setcchar(&cell, text, A_NORMAL, 0, NULL) == OK)
		mvadd_wch(y, x, &cell);
}

static void draw_row(const struct terminal *terminal, int y, const struct grid_cell *cells,
		     int columns)
{
	for (int x = 0; x < columns; x++) {
		wchar_t c = (wchar_t)cells[x].c;

		if (cells[x].width == 0 || (cells[x].width == 2 && x + 1 >= columns))
			continue;
		if (!terminal->utf8 && c >= 0x7f)
			c = L'?';
		if (c == L' ' && !cells[x].attributes && cells[x].bg == GRID_DEFAULT &&
		    !cells[x].marks[0])
			continue; /* erased already */
		pen(terminal, &cells[x]);
		put_cell(y, x, c, terminal->utf8 ? cells[x].marks : NULL);
	}
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
	const struct tty *tty = state->current;

	if (tty->state == TTY_CLOSED)
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
	else
		out[0] = '\0';
}

/* Where there is no room for both, the text is wanted more than the guest's name and state. */
static void draw_status(const struct view *view, int y)
{
	const struct console_view *state = view->state;
	const struct tui_guest *guest = model_find(&view->deck->model, state->current->name);
	int width = draw_columns(), x = 1, room;
	char text[600], leave[64];

	draw_fill((struct rect){ y, 0, 1, width }, DRAW_REVERSE);
	snprintf(leave, sizeof(leave), "%s leaves", tui_key(view, COMMAND_BACK));
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
	draw_text(y, x, room - x, DRAW_REVERSE, text);
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
		draw_row(&view->tui->terminal, y, picture_row(picture, y), columns);
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
	picture = emulation_picture(state->emulation);
	if (picture && state->back > picture->frame.scrollback)
		state->back = picture->frame.scrollback;
	draw_status(view, rows);
	if (picture)
		draw_picture(view, picture, rows, columns);
	else if (state->current->state == TTY_OPEN)
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
	const struct console_view *state = view->state;
	bool cursor_keys = last_frame(view)->flags & FRAME_CURSOR_KEYS;
	char text[KEY_SEQUENCE_MAX];

	tty_send(state->current, text, key_sequence(text, key, special, cursor_keys));
	if (state->current->lost)
		tui_dirty(view->tui);
}

static bool console_command(struct view *view, enum command command)
{
	int page = rows_shown() - 1;

	switch (command) {
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
	.destroy = console_destroy,
	.open = console_open,
	.enter = console_enter,
	.leave = console_leave,
	.draw = console_draw,
	.command = console_command,
	.input = console_input,
	.full = true,
};

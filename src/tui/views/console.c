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
#include "tui/console/tty.h"
#include "tui/ui/style.h"
#include "tui/ui/ui.h"
#include "tui/views/table.h"

#define COLUMNS_MAX 1000
#define ROWS_MAX 1000

struct console_view {
	struct tty *list, *current;
	unsigned back; /* lines scrolled back */
};

static int clamp(int value, int low, int high)
{
	return value < low ? low : value > high ? high : value;
}

static int rows_shown(void)
{
	return clamp(draw_rows() - 1, 2, ROWS_MAX);
}

static int columns_shown(void)
{
	return clamp(draw_columns(), 2, COLUMNS_MAX);
}

static void changed(void *arg, struct tty *tty)
{
	struct view *view = arg;
	const struct console_view *state = view->state;

	if (state->current == tty && tui_shows(view))
		tui_dirty(view->tui);
}

static bool console_open(struct view *view, const char *name)
{
	const struct tui_config *config = view->deck->config;
	struct console_view *state = view->state;
	struct tui *tui = view->tui;
	struct tty *tty;

	for (tty = state->list; tty && strcmp(tty->name, name) != 0; tty = tty->next)
		;
	if (!tty) {
		tty = tty_new(&tui->loop, name, rows_shown(), columns_shown(), changed, view);
		if (!tty) {
			tui_say(tui, SEVERITY_ERROR, name, "There is no memory for its console.");
			return false;
		}
		tty->next = state->list;
		state->list = tty;
	}
	tty_connect(tty, config->dial, config->dial_arg);
	state->current = tty;
	state->back = 0;
	return true;
}

static void console_destroy(struct view *view)
{
	struct console_view *state = view->state;
	struct tty *tty;

	while ((tty = state->list)) {
		state->list = tty->next;
		tty_free(tty);
	}
	state->current = NULL;
}

/* Colours */

/* The entry of the 6x6x6 cube of 256 colours that is next to a colour. */
static int cube(const VTermColor *c)
{
	return 16 + 36 * ((c->rgb.red + 25) / 51) + 6 * ((c->rgb.green + 25) / 51) +
	       (c->rgb.blue + 25) / 51;
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

static int colour(const VTermColor *c, bool foreground, bool *bright)
{
	int index;

	*bright = false;
	if (foreground ? VTERM_COLOR_IS_DEFAULT_FG(c) : VTERM_COLOR_IS_DEFAULT_BG(c))
		return -1;
	if (VTERM_COLOR_IS_RGB(c))
		return COLORS >= 256 ? cube(c) :
				       basic(c->rgb.red, c->rgb.green, c->rgb.blue, bright);
	index = c->indexed.idx;
	if (index < COLORS)
		return index;
	if (index < 16) {
		*bright = true;
		return index - 8;
	}
	if (index < 232) {
		unsigned n = (unsigned)index - 16;

		return basic(n / 36 * 51, n / 6 % 6 * 51, n % 6 * 51, bright);
	}
	*bright = index >= 250;
	return index < 238 ? COLOR_BLACK : COLOR_WHITE;
}

static void pen(const struct terminal *terminal, const struct emulator_cell *cell)
{
	attr_t attributes = A_NORMAL;
	bool bright, unused;
	int fg, bg, pair = 0;

	if (cell->attributes & EMULATOR_BOLD)
		attributes |= A_BOLD;
	if (cell->attributes & EMULATOR_UNDERLINE)
		attributes |= A_UNDERLINE;
	if (cell->attributes & EMULATOR_REVERSE)
		attributes |= A_REVERSE;
	if (terminal->colour) {
		fg = colour(&cell->fg, true, &bright);
		bg = colour(&cell->bg, false, &unused);
		if (fg >= 0 && bright)
			attributes |= A_BOLD;
		if (fg >= 0 || bg >= 0)
			pair = alloc_pair(fg, bg);
		if (pair < 0)
			pair = 0;
	}
	attr_set(attributes, (short)pair, &pair);
}

/* What may reach the terminal: a cell of exactly the width that it claims. */
static wchar_t shown(const struct terminal *terminal, const struct emulator_cell *cell)
{
	char utf8[8];
	wchar_t c;
	int columns;
	mbstate_t state = { 0 };

	if (cell->c < 0x7f)
		return cell->c < 0x20 ? L' ' : (wchar_t)cell->c;
	if (!terminal->utf8 || cell->c > 0x10ffff)
		return L'?';
	memset(utf8, 0, sizeof(utf8));
	if (wcrtomb(utf8, (wchar_t)cell->c, &state) == (size_t)-1 ||
	    !text_next(utf8, &c, &columns))
		return TEXT_REPLACEMENT;
	return columns == cell->width ? c : cell->width == 1 ? TEXT_REPLACEMENT : L' ';
}

static void draw_row(const struct terminal *terminal, int y, const struct emulator_cell *cells,
		     int columns)
{
	for (int x = 0; x < columns; x++) {
		wchar_t c;

		if (cells[x].width == 0 || (cells[x].width == 2 && x + 1 >= columns))
			continue;
		c = shown(terminal, &cells[x]);
		if (c == L' ' && !cells[x].attributes && VTERM_COLOR_IS_DEFAULT_BG(&cells[x].bg))
			continue; /* erased already */
		pen(terminal, &cells[x]);
		mvaddnwstr(y, x, &c, 1);
	}
}

static void draw_status(const struct view *view, int y)
{
	const struct console_view *state = view->state;
	const struct tty *tty = state->current;
	const struct tui_guest *guest = model_find(&view->deck->model, tty->name);
	const char *leave = tui_key(view, COMMAND_BACK);
	int width = draw_columns(), x = 1;
	char text[400];

	draw_fill((struct rect){ y, 0, 1, width }, DRAW_REVERSE);
	x += draw_text(y, x, width - 2, DRAW_REVERSE | DRAW_BOLD, tty->name) + 1;
	if (guest)
		x += draw_format(y, x, width - x, DRAW_REVERSE, "%s %s",
				 style_state_sign(guest->state), guest_state_name(guest->state)) + 2;
	if (tty->state == TTY_CLOSED)
		snprintf(text, sizeof(text), "%s %s leaves; %s opens it again.", tty->reason, leave,
			 keys_label(view->tui->keys, NULL, COMMAND_OPEN, view->ops->id));
	else if (tty->state == TTY_OPENING)
		snprintf(text, sizeof(text), "opening");
	else if (state->back)
		snprintf(text, sizeof(text), "%u lines back; %s or any key returns", state->back,
			 tui_key(view, COMMAND_PAGE_DOWN));
	else
		text[0] = '\0';
	draw_text(y, x, width - x - 16, DRAW_REVERSE, text);
	snprintf(text, sizeof(text), "%s leaves", leave);
	draw_right(y, 0, width - 1, DRAW_REVERSE | DRAW_BOLD, text);
}

static void console_draw(struct view *view, struct rect body)
{
	static struct emulator_cell cells[COLUMNS_MAX];
	struct console_view *state = view->state;
	struct tty *tty = state->current;
	int rows = rows_shown(), columns = columns_shown(), row, column;
	unsigned back;
	bool cursor;

	(void)body;
	emulator_resize(tty->emulator, rows, columns);
	if (state->back > emulator_scrollback(tty->emulator))
		state->back = emulator_scrollback(tty->emulator);
	back = state->back;
	for (int y = 0; y < rows; y++) {
		emulator_row(tty->emulator, y - (int)back, cells, columns);
		draw_row(&view->tui->terminal, y, cells, columns);
	}
	draw_status(view, rows);
	cursor = emulator_cursor(tty->emulator, &row, &column);
	if (cursor && !back && !view->tui->prompt.active) {
		curs_set(1);
		move(clamp(row, 0, rows - 1), clamp(column, 0, columns - 1));
	}
}

/* Keys */

static void scroll_back(struct console_view *state, int lines)
{
	int back = (int)state->back + lines;
	int most = (int)emulator_scrollback(state->current->emulator);

	state->back = (unsigned)clamp(back, 0, most);
}

static bool console_command(struct view *view, enum command command)
{
	struct console_view *state = view->state;
	struct tty *tty = state->current;
	int page = rows_shown() - 1;

	switch (command) {
	case COMMAND_PAGE_UP:
	case COMMAND_PAGE_DOWN:
		if (emulator_alternate(tty->emulator))
			emulator_key(tty->emulator, command == COMMAND_PAGE_UP ?
						VTERM_KEY_PAGEUP : VTERM_KEY_PAGEDOWN,
				     0, VTERM_MOD_NONE);
		else
			scroll_back(state, command == COMMAND_PAGE_UP ? page : -page);
		return true;
	case COMMAND_SCROLL_UP:
		scroll_back(state, page);
		return true;
	case COMMAND_SCROLL_DOWN:
		scroll_back(state, -page);
		return true;
	default:
		return false;
	}
}

/* Keys of curses as libvterm has them. */
static const struct {
	int curses;
	VTermKey key;
	VTermModifier modifier;
} special_keys[] = {
	{ KEY_UP, VTERM_KEY_UP, VTERM_MOD_NONE },
	{ KEY_DOWN, VTERM_KEY_DOWN, VTERM_MOD_NONE },
	{ KEY_LEFT, VTERM_KEY_LEFT, VTERM_MOD_NONE },
	{ KEY_RIGHT, VTERM_KEY_RIGHT, VTERM_MOD_NONE },
	{ KEY_SLEFT, VTERM_KEY_LEFT, VTERM_MOD_SHIFT },
	{ KEY_SRIGHT, VTERM_KEY_RIGHT, VTERM_MOD_SHIFT },
	{ KEY_SR, VTERM_KEY_UP, VTERM_MOD_SHIFT },
	{ KEY_SF, VTERM_KEY_DOWN, VTERM_MOD_SHIFT },
	{ KEY_HOME, VTERM_KEY_HOME, VTERM_MOD_NONE },
	{ KEY_END, VTERM_KEY_END, VTERM_MOD_NONE },
	{ KEY_IC, VTERM_KEY_INS, VTERM_MOD_NONE },
	{ KEY_DC, VTERM_KEY_DEL, VTERM_MOD_NONE },
	{ KEY_BTAB, VTERM_KEY_TAB, VTERM_MOD_SHIFT },
	{ KEY_ENTER, VTERM_KEY_ENTER, VTERM_MOD_NONE },
};

static void console_input(struct view *view, wint_t key, bool special)
{
	struct console_view *state = view->state;
	struct emulator *emulator = state->current->emulator;

	state->back = 0;
	if (!special) {
		emulator_key(emulator, VTERM_KEY_NONE, key, VTERM_MOD_NONE);
		return;
	}
	/* What a serial terminal sends: DEL. */
	if (key == KEY_BACKSPACE)
		emulator_key(emulator, VTERM_KEY_NONE, 0x7f, VTERM_MOD_NONE);
	if (key > KEY_F0 && key <= KEY_F0 + 12)
		emulator_key(emulator, (VTermKey)VTERM_KEY_FUNCTION(key - KEY_F0), 0,
			     VTERM_MOD_NONE);
	for (size_t i = 0; i < ARRAY_SIZE(special_keys); i++)
		if (special_keys[i].curses == (int)key)
			emulator_key(emulator, special_keys[i].key, 0, special_keys[i].modifier);
}

const struct view_ops view_console = {
	.id = "console",
	.name = "Console",
	.size = sizeof(struct console_view),
	.destroy = console_destroy,
	.open = console_open,
	.draw = console_draw,
	.command = console_command,
	.input = console_input,
	.full = true,
};

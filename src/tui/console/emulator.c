/*
 * The emulated terminal and its scrollback. One thread at a time.
 *
 * libvterm reads the escape sequences (ECMA-48, xterm's ctlseqs) that
 * sequence_guard.c lets through; titles and other strings that a guest sends go
 * nowhere.
 */
#include "tui/console/emulator.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/console/sequence_guard.h"

struct line {
	int columns; /* without the blanks at its end */
	struct emulator_cell cells[];
};

struct emulator {
	struct sequence_guard guard;
	VTerm *vt;
	VTermScreen *screen;
	struct line *lines[EMULATOR_SCROLLBACK]; /* line n is at n % EMULATOR_SCROLLBACK */
	uint64_t pushed;
	unsigned count;
	bool cursor_visible, alternate;
	void (*output)(const char *data, size_t size, void *arg);
	void *arg;
};

static void cell_convert(const VTermScreenCell *from, struct emulator_cell *to)
{
	to->c = from->chars[0] == (uint32_t)-1 ? 0 : from->chars[0];
	to->width = from->chars[0] == (uint32_t)-1 ? 0 : from->width == 2 ? 2 : 1;
	to->attributes = (uint8_t)((from->attrs.bold ? EMULATOR_BOLD : 0) |
				   (from->attrs.underline ? EMULATOR_UNDERLINE : 0) |
				   (from->attrs.reverse ? EMULATOR_REVERSE : 0));
	to->fg = from->fg;
	to->bg = from->bg;
}

static bool cell_blank(const VTermScreenCell *cell)
{
	return (cell->chars[0] == 0 || cell->chars[0] == ' ') && !cell->attrs.reverse &&
	       !cell->attrs.underline && VTERM_COLOR_IS_DEFAULT_BG(&cell->bg);
}

static int pushline(int columns, const VTermScreenCell *cells, void *arg)
{
	struct emulator *emulator = arg;
	struct line *line, **slot = &emulator->lines[emulator->pushed % EMULATOR_SCROLLBACK];

	while (columns > 0 && cell_blank(&cells[columns - 1]))
		columns--;
	line = malloc(sizeof(*line) + (size_t)columns * sizeof(line->cells[0]));
	if (!line)
		return 0;
	line->columns = columns;
	for (int i = 0; i < columns; i++)
		cell_convert(&cells[i], &line->cells[i]);
	free(*slot);
	*slot = line;
	emulator->pushed++;
	if (emulator->count < EMULATOR_SCROLLBACK)
		emulator->count++;
	return 1;
}

static void cell_blank_out(VTermScreenCell *cell)
{
	memset(cell, 0, sizeof(*cell));
	cell->width = 1;
	cell->fg.type = VTERM_COLOR_INDEXED | VTERM_COLOR_DEFAULT_FG;
	cell->fg.indexed.idx = 7;
	cell->bg.type = VTERM_COLOR_INDEXED | VTERM_COLOR_DEFAULT_BG;
}

/* The terminal grew and wants its last line back. */
static int popline(int columns, VTermScreenCell *cells, void *arg)
{
	struct emulator *emulator = arg;
	struct line *line, **slot;

	if (emulator->count == 0)
		return 0;
	slot = &emulator->lines[(emulator->pushed - 1) % EMULATOR_SCROLLBACK];
	line = *slot;
	for (int i = 0; i < columns; i++) {
		const struct emulator_cell *from;

		cell_blank_out(&cells[i]);
		if (i >= line->columns)
			continue;
		from = &line->cells[i];
		if (from->width == 0 || (from->width == 2 && i + 1 >= columns))
			continue; /* libvterm marks the cell behind a wide one itself */
		cells[i].chars[0] = from->c;
		cells[i].width = (char)from->width;
		cells[i].attrs.bold = !!(from->attributes & EMULATOR_BOLD);
		cells[i].attrs.underline = !!(from->attributes & EMULATOR_UNDERLINE);
		cells[i].attrs.reverse = !!(from->attributes & EMULATOR_REVERSE);
		cells[i].fg = from->fg;
		cells[i].bg = from->bg;
	}
	free(line);
	*slot = NULL;
	emulator->pushed--;
	emulator->count--;
	return 1;
}

static int settermprop(VTermProp prop, VTermValue *value, void *arg)
{
	struct emulator *emulator = arg;

	if (prop == VTERM_PROP_CURSORVISIBLE)
		emulator->cursor_visible = value->boolean;
	else if (prop == VTERM_PROP_ALTSCREEN)
		emulator->alternate = value->boolean;
	return 1;
}

static void terminal_write(struct emulator *emulator, const char *text)
{
	vterm_input_write(emulator->vt, text, strlen(text));
}

static void guarded_output(const uint8_t *data, size_t size, void *arg)
{
	struct emulator *emulator = arg;

	vterm_input_write(emulator->vt, (const char *)data, size);
}

static int terminal_new(struct emulator *emulator, int rows, int columns)
{
	static const VTermScreenCallbacks callbacks = {
		.settermprop = settermprop,
		.sb_pushline = pushline,
		.sb_popline = popline,
	};
	VTerm *vt = vterm_new(rows, columns);

	if (!vt)
		return -ENOMEM;
	emulator->vt = vt;
	emulator->cursor_visible = true;
	emulator->alternate = false;
	vterm_set_utf8(vt, 1);
	vterm_output_set_callback(vt, emulator->output, emulator->arg);
	emulator->screen = vterm_obtain_screen(vt);
	vterm_screen_set_callbacks(emulator->screen, &callbacks, emulator);
	vterm_screen_enable_altscreen(emulator->screen, 1);
	vterm_screen_set_damage_merge(emulator->screen, VTERM_DAMAGE_SCROLL);
	vterm_screen_reset(emulator->screen, 1);
	sequence_guard_init(&emulator->guard, guarded_output, emulator);
	/* DECSC, so that a DECRC before any finds a cursor that is visible and has a shape. */
	terminal_write(emulator, "\0337");
	return 0;
}

static void lines_free(struct emulator *emulator)
{
	for (unsigned i = 0; i < EMULATOR_SCROLLBACK; i++) {
		free(emulator->lines[i]);
		emulator->lines[i] = NULL;
	}
	emulator->count = 0;
}

struct emulator *emulator_new(int rows, int columns,
			      void (*output)(const char *data, size_t size, void *arg), void *arg)
{
	struct emulator *emulator = calloc(1, sizeof(*emulator));

	if (!emulator)
		return NULL;
	emulator->output = output;
	emulator->arg = arg;
	if (terminal_new(emulator, rows, columns) == 0)
		return emulator;
	free(emulator);
	return NULL;
}

void emulator_reset(struct emulator *emulator)
{
	VTerm *before = emulator->vt;
	int rows, columns;

	/* A new one: a reset leaves the old one's saved cursor and the other screen. */
	vterm_get_size(before, &rows, &columns);
	if (terminal_new(emulator, rows, columns) == 0)
		vterm_free(before);
	lines_free(emulator);
}

void emulator_free(struct emulator *emulator)
{
	if (!emulator)
		return;
	vterm_free(emulator->vt);
	lines_free(emulator);
	free(emulator);
}

static VTermPos cursor(const struct emulator *emulator)
{
	VTermPos pos;

	vterm_state_get_cursorpos(vterm_obtain_state(emulator->vt), &pos);
	return pos;
}

/*
 * libvterm keeps a scroll region whose top is below the last row, and moves the
 * cursor up as many rows as went to the scrollback, past the first one if it was
 * not at the end of the text. The region is reset (DECSTBM) and the cursor put
 * back (VPA, HPA).
 */
static void fewer_rows(struct emulator *emulator)
{
	VTermPos pos = cursor(emulator);
	char text[64];

	snprintf(text, sizeof(text), "\033[r\033[%dd\033[%d`", pos.row < 0 ? 1 : pos.row + 1,
		 pos.col + 1);
	terminal_write(emulator, text);
}

void emulator_resize(struct emulator *emulator, int rows, int columns)
{
	int r, c;

	vterm_get_size(emulator->vt, &r, &c);
	if (r != rows || c != columns)
		vterm_set_size(emulator->vt, rows, columns);
	if (rows < r)
		fewer_rows(emulator);
}

void emulator_input(struct emulator *emulator, const uint8_t *data, size_t size)
{
	sequence_guard_input(&emulator->guard, data, size);
	vterm_screen_flush_damage(emulator->screen);
}

void emulator_key(struct emulator *emulator, VTermKey key, uint32_t c, VTermModifier modifier)
{
	if (key == VTERM_KEY_NONE)
		vterm_keyboard_unichar(emulator->vt, c, modifier);
	else
		vterm_keyboard_key(emulator->vt, key, modifier);
}

unsigned emulator_scrollback(const struct emulator *emulator)
{
	return emulator->count;
}

static void row_blank(struct emulator_cell *out, int from, int columns)
{
	for (int i = from; i < columns; i++) {
		memset(&out[i], 0, sizeof(out[i]));
		out[i].width = 1;
		out[i].fg.type = VTERM_COLOR_DEFAULT_FG;
		out[i].bg.type = VTERM_COLOR_DEFAULT_BG;
	}
}

void emulator_row(struct emulator *emulator, int row, struct emulator_cell *out, int columns)
{
	int rows, width, n;

	vterm_get_size(emulator->vt, &rows, &width);
	row_blank(out, 0, columns);
	if (row < 0) {
		const struct line *line;

		if ((unsigned)-row > emulator->count)
			return;
		line = emulator->lines[(emulator->pushed - (unsigned)-row) % EMULATOR_SCROLLBACK];
		n = line->columns < columns ? line->columns : columns;
		memcpy(out, line->cells, (size_t)n * sizeof(out[0]));
		return;
	}
	n = width < columns ? width : columns;
	for (int i = 0; i < n && row < rows; i++) {
		VTermScreenCell cell;

		if (vterm_screen_get_cell(emulator->screen, (VTermPos){ row, i }, &cell))
			cell_convert(&cell, &out[i]);
	}
}

bool emulator_alternate(const struct emulator *emulator)
{
	return emulator->alternate;
}

bool emulator_cursor(const struct emulator *emulator, int *row, int *column)
{
	VTermPos pos = cursor(emulator);

	*row = pos.row;
	*column = pos.col;
	return emulator->cursor_visible;
}

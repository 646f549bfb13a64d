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
#include <vterm.h>

#include "tui/console/sequence_guard.h"

struct line {
	int columns; /* without the blanks at its end */
	struct grid_cell cells[];
};

struct emulator {
	struct sequence_guard guard;
	VTerm *vt;
	VTermScreen *screen;
	struct line *lines[EMULATOR_SCROLLBACK]; /* line n is at n % EMULATOR_SCROLLBACK */
	uint64_t pushed;
	unsigned count;
	bool cursor_visible, alternate, wants_mouse;
	bool changed[GRID_ROWS_MAX]; /* rows of the screen */
	bool scrolled;		     /* the lines above it */
	const struct emulator_ops *ops;
	void *arg;
};

static uint32_t colour(const VTermColor *from, bool is_default)
{
	if (is_default)
		return GRID_DEFAULT;
	if (VTERM_COLOR_IS_INDEXED(from))
		return GRID_INDEXED | from->indexed.idx;
	return GRID_RGB | (uint32_t)from->rgb.red << 16 | (uint32_t)from->rgb.green << 8 |
	       from->rgb.blue;
}

/* What is beyond the basic plane is left out. */
static void marks_convert(const uint32_t *from, uint16_t *to)
{
	unsigned n = 0;

	for (unsigned i = 1; i < VTERM_MAX_CHARS_PER_CELL && from[i] && n < GRID_MARKS_MAX; i++)
		if (from[i] <= UINT16_MAX)
			to[n++] = (uint16_t)from[i];
}

static void cell_convert(const VTermScreenCell *from, struct grid_cell *to)
{
	bool behind = from->chars[0] == (uint32_t)-1; /* a wide one */

	to->c = behind ? 0 : from->chars[0];
	to->width = behind ? 0 : from->width == 2 ? 2 : 1;
	to->attributes = (uint8_t)((from->attrs.bold ? GRID_BOLD : 0) |
				   (from->attrs.underline ? GRID_UNDERLINE : 0) |
				   (from->attrs.reverse ? GRID_REVERSE : 0));
	to->fg = colour(&from->fg, VTERM_COLOR_IS_DEFAULT_FG(&from->fg));
	to->bg = colour(&from->bg, VTERM_COLOR_IS_DEFAULT_BG(&from->bg));
	to->unused = 0;
	memset(to->marks, 0, sizeof(to->marks));
	if (!behind && from->chars[0] && from->chars[1])
		marks_convert(from->chars, to->marks);
}

static bool cell_blank(const VTermScreenCell *cell)
{
	return (cell->chars[0] == 0 || cell->chars[0] == ' ') && !cell->attrs.reverse &&
	       !cell->attrs.underline && VTERM_COLOR_IS_DEFAULT_BG(&cell->bg);
}

/* When memory is short the oldest line makes room, and then the one that has come goes. */
static struct line *line_new(struct emulator *emulator, int columns)
{
	size_t size = sizeof(struct line) + (size_t)columns * sizeof(struct grid_cell);
	struct line *line = malloc(size);

	while (!line && emulator->count > 0) {
		struct line **oldest =
			&emulator->lines[(emulator->pushed - emulator->count) % EMULATOR_SCROLLBACK];

		free(*oldest);
		*oldest = NULL;
		emulator->count--;
		line = malloc(size);
	}
	return line;
}

static int pushline(int columns, const VTermScreenCell *cells, void *arg)
{
	struct emulator *emulator = arg;
	struct line *line, **slot = &emulator->lines[emulator->pushed % EMULATOR_SCROLLBACK];

	while (columns > 0 && cell_blank(&cells[columns - 1]))
		columns--;
	line = line_new(emulator, columns);
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
	emulator->scrolled = true;
	return 1;
}

static void colour_back(VTermColor *to, uint32_t from, uint8_t default_flag)
{
	memset(to, 0, sizeof(*to));
	switch (from & GRID_COLOUR_KIND) {
	case GRID_INDEXED:
		vterm_color_indexed(to, (uint8_t)from);
		break;
	case GRID_RGB:
		vterm_color_rgb(to, (uint8_t)(from >> 16), (uint8_t)(from >> 8), (uint8_t)from);
		break;
	default:
		vterm_color_indexed(to, default_flag == VTERM_COLOR_DEFAULT_FG ? 7 : 0);
		to->type |= default_flag;
	}
}

static void cell_back(VTermScreenCell *to, const struct grid_cell *from)
{
	memset(to, 0, sizeof(*to));
	to->chars[0] = from->c;
	for (unsigned i = 0; i < GRID_MARKS_MAX && from->marks[i]; i++)
		to->chars[i + 1] = from->marks[i];
	to->width = (char)from->width;
	to->attrs.bold = !!(from->attributes & GRID_BOLD);
	to->attrs.underline = !!(from->attributes & GRID_UNDERLINE);
	to->attrs.reverse = !!(from->attributes & GRID_REVERSE);
	colour_back(&to->fg, from->fg, VTERM_COLOR_DEFAULT_FG);
	colour_back(&to->bg, from->bg, VTERM_COLOR_DEFAULT_BG);
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
		const struct grid_cell *from = i < line->columns ? &line->cells[i] : &grid_blank;

		/* libvterm marks the cell behind a wide one itself. */
		if (from->width == 0 || (from->width == 2 && i + 1 >= columns))
			from = &grid_blank;
		cell_back(&cells[i], from);
	}
	free(line);
	*slot = NULL;
	emulator->pushed--;
	emulator->count--;
	emulator->scrolled = true;
	return 1;
}

static int settermprop(VTermProp prop, VTermValue *value, void *arg)
{
	struct emulator *emulator = arg;

	if (prop == VTERM_PROP_CURSORVISIBLE)
		emulator->cursor_visible = value->boolean;
	else if (prop == VTERM_PROP_ALTSCREEN)
		emulator->alternate = value->boolean;
	else if (prop == VTERM_PROP_MOUSE)
		emulator->wants_mouse = value->number != VTERM_PROP_MOUSE_NONE;
	return 1;
}

static int damage(VTermRect rect, void *arg)
{
	struct emulator *emulator = arg;

	for (int row = rect.start_row; row < rect.end_row && row < GRID_ROWS_MAX; row++)
		emulator->changed[row] = true;
	return 1;
}

static void all_changed(struct emulator *emulator)
{
	memset(emulator->changed, true, sizeof(emulator->changed));
	emulator->scrolled = true;
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

/* libvterm goes on without looking at what it got; it is to be zeroed. */
static void *terminal_malloc(size_t size, void *arg)
{
	struct emulator *emulator = arg;
	void *memory = calloc(1, size);

	if (!memory)
		emulator->ops->exhausted(emulator->arg);
	return memory;
}

static void terminal_free(void *memory, void *arg)
{
	(void)arg;
	free(memory);
}

static int terminal_new(struct emulator *emulator, int rows, int columns)
{
	static const VTermScreenCallbacks callbacks = {
		.damage = damage,
		.settermprop = settermprop,
		.sb_pushline = pushline,
		.sb_popline = popline,
	};
	static VTermAllocatorFunctions allocator = {
		.malloc = terminal_malloc,
		.free = terminal_free,
	};
	VTerm *vt = vterm_new_with_allocator(rows, columns, &allocator, emulator);

	if (!vt)
		return -ENOMEM;
	emulator->vt = vt;
	emulator->cursor_visible = true;
	emulator->alternate = false;
	vterm_set_utf8(vt, 1);
	vterm_output_set_callback(vt, emulator->ops->output, emulator->arg);
	emulator->screen = vterm_obtain_screen(vt);
	vterm_screen_set_callbacks(emulator->screen, &callbacks, emulator);
	vterm_screen_enable_altscreen(emulator->screen, 1);
	vterm_screen_set_damage_merge(emulator->screen, VTERM_DAMAGE_ROW);
	vterm_screen_reset(emulator->screen, 1);
	sequence_guard_init(&emulator->guard, guarded_output, emulator);
	sequence_guard_resize(&emulator->guard, (uint32_t)rows, (uint32_t)columns);
	/* DECSC, so that a DECRC before any finds a cursor that is visible and has a shape. */
	terminal_write(emulator, "\0337");
	all_changed(emulator);
	return 0;
}

struct emulator *emulator_new(int rows, int columns, const struct emulator_ops *ops, void *arg)
{
	struct emulator *emulator = calloc(1, sizeof(*emulator));

	if (!emulator)
		return NULL;
	emulator->ops = ops;
	emulator->arg = arg;
	if (terminal_new(emulator, rows, columns) == 0)
		return emulator;
	free(emulator);
	return NULL;
}

void emulator_free(struct emulator *emulator)
{
	if (!emulator)
		return;
	vterm_free(emulator->vt);
	for (unsigned i = 0; i < EMULATOR_SCROLLBACK; i++)
		free(emulator->lines[i]);
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
	if (r == rows && c == columns)
		return;
	vterm_set_size(emulator->vt, rows, columns);
	sequence_guard_resize(&emulator->guard, (uint32_t)rows, (uint32_t)columns);
	if (rows < r)
		fewer_rows(emulator);
	all_changed(emulator);
}

void emulator_input(struct emulator *emulator, const uint8_t *data, size_t size)
{
	sequence_guard_input(&emulator->guard, data, size);
	vterm_screen_flush_damage(emulator->screen);
}

unsigned emulator_scrollback(const struct emulator *emulator)
{
	return emulator->count;
}

void emulator_row(struct emulator *emulator, int row, struct grid_cell *out, int columns)
{
	int rows, width, n;

	vterm_get_size(emulator->vt, &rows, &width);
	for (int i = 0; i < columns; i++)
		out[i] = grid_blank;
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

uint64_t emulator_first_line(const struct emulator *emulator)
{
	return emulator->pushed;
}

bool emulator_changed(const struct emulator *emulator, int row)
{
	return emulator->changed[row];
}

bool emulator_scrolled(const struct emulator *emulator)
{
	return emulator->scrolled;
}

void emulator_unchanged(struct emulator *emulator)
{
	memset(emulator->changed, false, sizeof(emulator->changed));
	emulator->scrolled = false;
}

bool emulator_alternate(const struct emulator *emulator)
{
	return emulator->alternate;
}

bool emulator_cursor_keys(const struct emulator *emulator)
{
	return emulator->guard.cursor_keys;
}

bool emulator_wants_mouse(const struct emulator *emulator)
{
	return emulator->wants_mouse;
}

void emulator_mouse(struct emulator *emulator, int row, int column, int button, bool pressed)
{
	/* libvterm tells of buttons also a guest that does not ask. */
	if (!emulator->wants_mouse)
		return;
	vterm_mouse_move(emulator->vt, row, column, VTERM_MOD_NONE);
	vterm_mouse_button(emulator->vt, button, pressed, VTERM_MOD_NONE);
}

bool emulator_cursor(const struct emulator *emulator, int *row, int *column)
{
	VTermPos pos = cursor(emulator);

	*row = pos.row;
	*column = pos.col;
	return emulator->cursor_visible;
}

/*
 * A part of what a console shows is selected by keys, and handed to the terminal's clipboard.
 * What is in sight stands still meanwhile, whatever the guest prints. Screen thread.
 */
#include <curses.h>
#include <stdlib.h>
#include <string.h>

#include "base/plain.h"
#include "tui/canvas/clipboard.h"
#include "tui/views/console_cells.h"
#include "tui/views/console_state.h"

struct place {
	int row, column;
};

struct console_copy {
	int rows, columns;
	struct place at, from; /* from: where the selection begins, */
	bool begun;	       /* if it has */
	struct grid_cell cells[]; /* were checked */
};

static bool is_before(struct place one, struct place other)
{
	return one.row < other.row || (one.row == other.row && one.column < other.column);
}

/* The first and last cell that are selected: without a beginning, the line of the cursor. */
static void selection(const struct console_copy *copy, struct place *first, struct place *last)
{
	*first = *last = copy->at;
	if (!copy->begun) {
		first->column = 0;
		last->column = copy->columns - 1;
	} else if (is_before(copy->from, copy->at)) {
		*first = copy->from;
	} else {
		*last = copy->from;
	}
}

/* The columns of a row that are selected; false: none. */
static bool selected(const struct console_copy *copy, int row, int *begin, int *end)
{
	struct place first, last;

	selection(copy, &first, &last);
	*begin = row == first.row ? first.column : 0;
	*end = row == last.row ? last.column + 1 : copy->columns;
	return row >= first.row && row <= last.row;
}

static size_t put(char *out, uint32_t c)
{
	return plain_steers(c) ? 0 : plain_encode(out, c);
}

static size_t put_cell(char *out, const struct grid_cell *cell)
{
	size_t n;

	if (cell->width == 0)
		return 0;
	n = put(out, cell->c ? cell->c : ' ');
	for (unsigned i = 0; n && i < GRID_MARKS_MAX && cell->marks[i]; i++)
		n += put(out + n, cell->marks[i]);
	return n;
}

/* What is selected, lines without the blanks at their ends; malloc'd, its bytes in *size. */
static char *copied_text(const struct console_copy *copy, size_t *size)
{
	size_t most = (size_t)copy->columns * PLAIN_BYTES * (1 + GRID_MARKS_MAX) + 1, n = 0, line;
	char *text = malloc((size_t)copy->rows * most);
	int begin, end, lines = 0;

	for (int row = 0; text && row < copy->rows; row++) {
		if (!selected(copy, row, &begin, &end))
			continue;
		if (lines++)
			text[n++] = '\n';
		line = n;
		for (int x = begin; x < end; x++)
			n += put_cell(text + n, &copy->cells[row * copy->columns + x]);
		while (n > line && text[n - 1] == ' ')
			n--;
	}
	*size = n;
	return text;
}

void console_copy_end(struct view *view)
{
	struct console_view *state = view->state;

	free(state->copy);
	state->copy = NULL;
	if (view->mode == &console_copying)
		view->mode = NULL;
}

static void take(struct view *view)
{
	struct console_view *state = view->state;
	size_t size = 0;
	char *text = copied_text(state->copy, &size);

	if (!text)
		tui_say(view->tui, SEVERITY_ERROR, NULL, "There is no memory for the text.");
	else if (size > CLIPBOARD_MAX)
		tui_say(view->tui, SEVERITY_WARNING, NULL, "That is too much for a clipboard; %s %s "
			"saves all.", tui_key(view, COMMAND_PREFIX),
			keys_label(view->tui->keys, &console_prefix, COMMAND_SAVE, NULL));
	else if (clipboard_set(&view->tui->terminal, text, size))
		tui_say(view->tui, SEVERITY_GOOD, NULL, "%zu bytes were handed to the terminal for its "
			"clipboard, if it allows that (OSC 52).", size);
	else
		tui_say(view->tui, SEVERITY_WARNING, NULL,
			"This type of terminal (TERM) has no clipboard.");
	free(text);
	console_copy_end(view);
}

static void begin(struct view *view)
{
	struct console_view *state = view->state;
	const struct picture *picture = console_tty(state) ? emulation_picture(state->emulation) : NULL;
	const struct frame *frame = picture ? &picture->frame : NULL;
	size_t cells;

	if (!frame) {
		tui_say(view->tui, SEVERITY_WARNING, NULL, "There is no text of a console in sight.");
		return;
	}
	cells = (size_t)frame->rows * frame->columns;
	console_copy_end(view);
	state->copy = malloc(sizeof(*state->copy) + cells * sizeof(struct grid_cell));
	if (!state->copy)
		return;
	*state->copy = (struct console_copy){ .rows = (int)frame->rows,
					      .columns = (int)frame->columns };
	memcpy(state->copy->cells, picture->cells, cells * sizeof(struct grid_cell));
	state->copy->at.row = (int)(frame->row < frame->rows ? frame->row : frame->rows - 1);
	view->mode = &console_copying;
}

static void move_to(struct console_copy *copy, int row, int column)
{
	copy->at.row = row < 0 ? 0 : row >= copy->rows ? copy->rows - 1 : row;
	copy->at.column = column < 0 ? 0 : column >= copy->columns ? copy->columns - 1 : column;
}

static bool move_command(struct console_copy *copy, enum command command)
{
	struct place at = copy->at;

	switch (command) {
	case COMMAND_UP:
		at.row--;
		break;
	case COMMAND_DOWN:
		at.row++;
		break;
	case COMMAND_LEFT:
		at.column--;
		break;
	case COMMAND_RIGHT:
		at.column++;
		break;
	case COMMAND_FIRST:
		at.column = 0;
		break;
	case COMMAND_LAST:
		at.column = copy->columns - 1;
		break;
	default:
		return false;
	}
	move_to(copy, at.row, at.column);
	return true;
}

bool console_copy_command(struct view *view, enum command command)
{
	struct console_view *state = view->state;

	if (command == COMMAND_COPY) {
		begin(view);
		return true;
	}
	if (!state->copy)
		return false;
	switch (command) {
	case COMMAND_MARK:
		state->copy->from = state->copy->at;
		state->copy->begun = true;
		return true;
	case COMMAND_CHOOSE:
		take(view);
		return true;
	case COMMAND_NONE:
		console_copy_end(view);
		return true;
	default:
		return move_command(state->copy, command);
	}
}

bool console_copy_draw(const struct view *view, int rows, int columns)
{
	const struct console_view *state = view->state;
	const struct console_copy *copy = state->copy;
	int begin, end;

	if (!copy)
		return false;
	rows = copy->rows < rows ? copy->rows : rows;
	columns = copy->columns < columns ? copy->columns : columns;
	for (int y = 0; y < rows; y++) {
		console_cells_draw(&view->tui->terminal, y, &copy->cells[y * copy->columns], columns);
		if (selected(copy, y, &begin, &end) && begin < columns)
			mvchgat(y, begin, (end < columns ? end : columns) - begin, A_REVERSE, 0, NULL);
	}
	if (copy->at.row < rows && copy->at.column < columns) {
		curs_set(1);
		move(copy->at.row, copy->at.column);
	}
	return true;
}

static void no_such_key(struct view *view, wint_t key, bool special)
{
	(void)key;
	(void)special;
	tui_say(view->tui, SEVERITY_WARNING, NULL, "That key does nothing while text is selected.");
}

const struct view_ops console_copying = {
	.id = "console copy",
	.name = "Console, while text is selected",
	.input = no_such_key,
};

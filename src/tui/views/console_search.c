/*
 * A text is looked for in what a console keeps. The process that emulates its terminal finds the
 * line; where the text is in what is shown, the screen sees for itself. Screen thread.
 */
#include <curses.h>
#include <stdio.h>
#include <stdlib.h>

#include "tui/console/find.h"
#include "tui/views/console_state.h"

/* As much of the text as is looked for. */
static void take_text(struct find_text *wanted, const char *text)
{
	wchar_t wide[FIND_MAX + 1];
	size_t n = mbstowcs(wide, text, FIND_MAX);

	wanted->length = n == (size_t)-1 ? 0 : (uint32_t)n;
	for (size_t i = 0; i < wanted->length; i++)
		wanted->c[i] = (uint32_t)wide[i];
}

static void find(struct view *view, enum find_step step)
{
	struct console_view *state = view->state;

	emulation_find(state->emulation, &state->wanted, step);
}

static void text_typed(void *arg, int choice, const char *text)
{
	struct view *view = arg;
	struct console_view *state = view->state;

	(void)choice;
	if (!text)
		return;
	take_text(&state->wanted, text);
	state->found.found = 0;
	view->mode = state->wanted.length ? &console_search : NULL;
	if (state->wanted.length)
		find(view, FIND_FIRST);
}

static void ask(struct view *view)
{
	struct console_view *state = view->state;

	if (!console_tty(state))
		tui_say(view->tui, SEVERITY_WARNING, NULL, "What a VGA screen shows is not kept, and "
			"cannot be searched.");
	else
		prompt_line(&view->tui->prompt, "", text_typed, view, "Search:");
}

void console_search_end(struct view *view)
{
	struct console_view *state = view->state;

	state->wanted.length = 0;
	state->found.found = 0;
	if (view->mode == &console_search)
		view->mode = NULL;
}

bool console_search_command(struct view *view, enum command command)
{
	switch (command) {
	case COMMAND_SEARCH:
		ask(view);
		return true;
	case COMMAND_OLDER:
		find(view, FIND_OLDER);
		return true;
	case COMMAND_NEWER:
		find(view, FIND_NEWER);
		return true;
	case COMMAND_END_SEARCH:
		console_search_end(view);
		console_scroll(view, 0);
		return true;
	default:
		return false;
	}
}

void console_search_look(struct view *view)
{
	struct console_view *state = view->state;
	bool before = state->found.found;
	struct terminal_found found;

	if (!emulation_found(state->emulation, &found) || !state->wanted.length)
		return;
	if (found.found) {
		state->found = found;
		console_scroll(view, found.back);
	} else {
		tui_say(view->tui, SEVERITY_WARNING, NULL, before ?
			"The text is in no further line." :
			"The text is nowhere in what the console keeps.");
	}
}

/* The line that was found last stands out among those that have the text, too. */
void console_search_draw(const struct view *view, const struct picture *picture, int y,
			 int columns)
{
	const struct console_view *state = view->state;
	const struct grid_cell *cells = picture_row(picture, y);
	bool last = state->found.found && picture->frame.back == state->found.back &&
		    (uint32_t)y == state->found.row;
	int at, end = 0;

	if (!state->wanted.length)
		return;
	while ((at = find_in_row(&state->wanted, cells, columns, end, &end)) >= 0)
		mvchgat(y, at, end - at, last ? A_REVERSE | A_BOLD | A_UNDERLINE : A_REVERSE, 0,
			NULL);
}

static void ended_by_key(struct view *view, wint_t key, bool special)
{
	console_search_end(view);
	console_type(view, key, special);
}

const struct view_ops console_search = {
	.id = "console search",
	.name = "Console, while a text is looked for",
	.input = ended_by_key,
};

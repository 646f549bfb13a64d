/*
 * What the keys behind Ctrl-] do in a console. Those that are orders to its guest are
 * everywhere the same, and not here. Screen thread.
 */
#include <stdio.h>
#include <string.h>

#include "control/message_text.h"
#include "control/typing.h"
#include "tui/views/console_state.h"

/* The guest before or behind the one that is shown, of those that run, around the list's ends. */
static const char *find_neighbour(const struct view *view, int step)
{
	const struct console_view *state = view->state;
	const struct model *model = &view->deck->model;
	size_t at = 0;

	while (at < model->guest_count &&
	       strcmp(model->guests[at]->name, state->current->name) != 0)
		at++;
	for (size_t i = 1; i < model->guest_count; i++) {
		size_t n = at + (step > 0 ? i : model->guest_count - i);
		const struct tui_guest *guest = model->guests[n % model->guest_count];

		if (guest_state_in(guest->state, GUEST_ALIVE))
			return guest->name;
	}
	return NULL;
}

static void go_to_neighbour(struct view *view, int step)
{
	const char *guest = find_neighbour(view, step);

	if (guest)
		console_go(view, guest);
	else
		tui_say(view->tui, SEVERITY_WARNING, NULL, "No other guest runs.");
}

static void turn(struct view *view)
{
	if (console_turn(view))
		console_show(view);
	else
		tui_say(view->tui, SEVERITY_WARNING, NULL, "The guest has no other console, and "
			"no VGA screen.");
}

static void path_typed(void *arg, int choice, const char *text)
{
	struct view *view = arg;
	struct console_view *state = view->state;
	const struct tty *tty = console_tty(state);
	char before[128], *lines;
	size_t size;

	(void)choice;
	if (!text || !tty || saving_busy(state->saving))
		return;
	lines = kept_text(&tty->kept, &size);
	if (!lines) {
		tui_say(view->tui, SEVERITY_ERROR, NULL, "There is no memory for the text.");
		return;
	}
	snprintf(before, sizeof(before), "What %.96s has printed is in", tty->name);
	saving_begin(state->saving, text, lines, size, before, "");
}

static void save(struct view *view)
{
	struct console_view *state = view->state;
	const struct tty *tty = console_tty(state);
	char question[256];

	if (!tty || tty->kept.begin == tty->kept.end) {
		tui_say(view->tui, SEVERITY_WARNING, NULL, "%s",
			tty ? "There is nothing to save: the guest has printed nothing." :
			      "What a VGA screen shows is not kept, and cannot be saved.");
		return;
	}
	if (!state->saving)
		state->saving = saving_new(view->tui);
	if (!state->saving)
		return;
	snprintf(question, sizeof(question), "Save what %.128s has printed to:", tty->name);
	prompt_line(&view->tui->prompt, "", path_typed, view, question);
}

static void send_break(struct view *view, const char *sysrq)
{
	const struct console_view *state = view->state;
	json_t *params = json_pack("{s:o}", "guest", message_text(state->current->name));

	if (params && sysrq)
		json_object_set_new(params, "sysrq", message_text(sysrq));
	tui_call(view->deck, "console.break", params, NULL, NULL);
}

static void sysrq_answer(void *arg, int choice, const char *text)
{
	struct view *view = arg;
	struct console_view *state = view->state;
	char spelled[SYSRQ_TEXT];

	(void)choice;
	if (!text || !*text)
		return;
	if (!sysrq_spell(spelled, text))
		tui_say(view->tui, SEVERITY_WARNING, NULL, "A SysRq key is one letter or digit.");
	else if (console_on_vga(view))
		typing_add(&state->vga.typing, spelled, strlen(spelled));
	else
		send_break(view, text);
}

bool console_prefix_command(struct view *view, enum command command)
{
	switch (command) {
	case COMMAND_SEND_PREFIX:
		console_send_key(view, (wint_t)keys_code(view->tui->keys, view->ops, COMMAND_PREFIX),
				 false);
		return true;
	case COMMAND_TURN:
		turn(view);
		return true;
	case COMMAND_SAVE:
		save(view);
		return true;
	case COMMAND_NEXT_GUEST:
		go_to_neighbour(view, 1);
		return true;
	case COMMAND_PREVIOUS_GUEST:
		go_to_neighbour(view, -1);
		return true;
	case COMMAND_LINE_BREAK:
		send_break(view, NULL);
		return true;
	case COMMAND_SYSRQ:
		prompt_line(&view->tui->prompt, "", sysrq_answer, view,
			    "SysRq key (h lists them on the console, b resets at once):");
		return true;
	default:
		return false;
	}
}

static void no_such_key(struct view *view, wint_t key, bool special)
{
	(void)key;
	(void)special;
	tui_say(view->tui, SEVERITY_WARNING, NULL, "That key does nothing behind %s; the line at the "
		"bottom names those that do.", tui_key(view, COMMAND_PREFIX));
}

const struct view_ops console_prefix = {
	.id = "console prefix",
	.name = "Console, behind Ctrl-]",
	.keys = KEYS_ORDERS | KEYS_HELP,
	.input = no_such_key,
	.once = true,
};

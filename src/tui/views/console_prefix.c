/*
 * What the keys behind Ctrl-] do in a console. Those that are orders to its guest are
 * everywhere the same, and not here. Screen thread.
 */
#include <string.h>

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
	case COMMAND_NEXT_GUEST:
		go_to_neighbour(view, 1);
		return true;
	case COMMAND_PREVIOUS_GUEST:
		go_to_neighbour(view, -1);
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

/* The sides of a guest in the console's view: see console.c. Screen thread. */
#include <string.h>

#include "tui/views/console_state.h"

enum side console_side(const struct console_view *state)
{
	if (!state->current || state->turned != state->current)
		return SIDE_CONSOLE;
	return state->side == SIDE_SERIAL && !state->serial ? SIDE_CONSOLE : state->side;
}

bool console_on_vga(const struct view *view)
{
	return console_side(view->state) == SIDE_VGA;
}

struct tty *console_tty(const struct console_view *state)
{
	switch (console_side(state)) {
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

bool console_is_virtio(const struct view *view, const char *name)
{
	const char *console = json_string_value(guest_value(view, name, "console"));

	return console && strcmp(console, "virtio") == 0;
}

bool console_has(const struct view *view, enum side side)
{
	const struct console_view *state = view->state;

	if (side == SIDE_SERIAL)
		return state->serial != NULL;
	return side == SIDE_CONSOLE ||
	       json_is_true(guest_value(view, state->current->name, "vga"));
}

enum side console_behind(const struct view *view, enum side side)
{
	do {
		side = (side + 1) % SIDES;
	} while (!console_has(view, side));
	return side;
}

bool console_turn(struct view *view)
{
	struct console_view *state = view->state;
	enum side shown = console_side(state), next = console_behind(view, shown);

	if (next == shown)
		return false;
	state->turned = state->current;
	state->unasked = false;
	state->side = next;
	state->back = 0;
	return true;
}

/* The line of status of the console's view. Screen thread. */
#include <stdio.h>
#include <string.h>

#include "tui/canvas/text.h"
#include "tui/ui/style.h"
#include "tui/views/console_state.h"

#define WIDE 60 /* columns from which on the status says how to turn to the other side */

/* When it begins again is old soon; the messages have the whole. */
static void first_sentence(char *out, size_t size, const char *text)
{
	const char *end = strstr(text, ". ");

	snprintf(out, size, "%.*s", end ? (int)(end - text) + 1 : (int)strlen(text), text);
}

static void status_text(const struct view *view, char *out, size_t size)
{
	const struct console_view *state = view->state;
	const struct tty *tty = console_tty(state);

	out[0] = '\0';
	if (console_on_vga(view) && state->vga.typing.lost)
		snprintf(out, size, "%zu bytes are lost: the guest does not read its keyboard",
			 state->vga.typing.lost);
	else if (console_on_vga(view))
		snprintf(out, size, "VGA");
	else if (tty->state == TTY_CLOSED)
		snprintf(out, size, "%s %s %s opens it again.", tty->reason,
			 tui_key(view, COMMAND_PREFIX),
			 keys_label(view->tui->keys, &console_prefix, COMMAND_OPEN, view->ops->id));
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
	else if (console_side(state) == SIDE_SERIAL)
		snprintf(out, size, "serial");
	if (!*out && view->deck->config->read_only)
		snprintf(out, size, "read-only: nothing is typed");
}

static const char *side_name(const struct view *view, enum side side)
{
	const struct console_view *state = view->state;

	if (side == SIDE_VGA)
		return "VGA";
	return side == SIDE_CONSOLE && console_is_virtio(view, state->current->name) ? "virtio" : "serial";
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
	const struct keys *keys = view->tui->keys;
	enum side shown = console_side(view->state), side = shown;
	size_t n = (size_t)snprintf(out, size, "%s ", tui_key(view, COMMAND_PREFIX));

	while (draw_columns() >= WIDE && (side = console_behind(view, side)) != shown && n < size)
		n += (size_t)snprintf(out + n, size - n, "%s %s%s, ",
				      keys_label(keys, &console_prefix, COMMAND_TURN, NULL),
				      side_name(view, side),
				      is_unseen(view->state, side) ? " (new)" : "");
	if (n < size)
		snprintf(out + n, size - n, "%s leaves",
			 keys_label(keys, &console_prefix, COMMAND_BACK, NULL));
}

/* Where there is no room for both, the text is wanted more than the guest's name and state. */
void console_draw_status(const struct view *view, int y)
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

/* Past messages, newest at the bottom. Screen thread. */
#include <stdio.h>
#include <string.h>

#include "tui/canvas/text.h"
#include "tui/ui/scroll.h"
#include "tui/ui/style.h"
#include "tui/ui/ui.h"
#include "tui/views/table.h"

struct log_view {
	int top; /* lines above the newest ones; 0 follows the tail */
	int lines, page;
};

static int lines_of(const struct message *message, int width)
{
	char text[2200];
	const char *rest = text;
	size_t next;
	int lines = 0;

	message_sentence(message, text, sizeof(text));
	for (; *rest; rest += next, lines++)
		text_wrap(rest, width, &next);
	return lines ? lines : 1;
}

/* Draws a message's lines from y on, those that lie in the rectangle. */
static void draw_one(const struct message *message, struct rect r, int y, int gap)
{
	char text[2200], line[1024], time[16];
	const char *rest = text;
	size_t next, bytes;

	message_sentence(message, text, sizeof(text));
	if (y >= r.y && y < r.y + r.height)
		draw_text(y, r.x, gap - 1, INK_TEXT | DRAW_DIM, draw_time(time, message->time));
	for (; *rest; rest += next, y++) {
		bytes = text_wrap(rest, r.width - gap, &next);
		if (y < r.y || y >= r.y + r.height)
			continue;
		snprintf(line, sizeof(line), "%.*s", (int)bytes, rest);
		draw_text(y, r.x + gap, r.width - gap, style_severity(message->severity),
			  line);
	}
}

static void log_draw(struct view *view, struct rect body)
{
	const struct messages *messages = &view->tui->messages;
	struct log_view *state = view->state;
	uint64_t first = messages_first(messages);
	struct rect r = { body.y, body.x + 1, body.height, body.width - 2 };
	int gap = r.width >= 40 ? 10 : 0, y, lines = 0;

	if (messages->count == 0) {
		draw_center(body, INK_TEXT, "There are no messages yet.");
		return;
	}
	for (uint64_t n = first; n < messages->count; n++)
		lines += lines_of(messages_at(messages, n), r.width - gap);
	state->lines = lines;
	state->page = r.height;
	y = r.y + r.height - lines + state->top;
	if (lines < r.height)
		y = r.y;
	for (uint64_t n = first; n < messages->count; n++) {
		const struct message *message = messages_at(messages, n);

		draw_one(message, r, y, gap);
		y += lines_of(message, r.width - gap);
	}
}

static bool log_command(struct view *view, enum command command)
{
	struct log_view *state = view->state;
	int most = state->lines > state->page ? state->lines - state->page : 0;
	int top = most - state->top;

	if (!scroll_command(&top, state->lines, state->page, command))
		return false;
	state->top = most - top;
	return true;
}

static void log_enter(struct view *view)
{
	struct log_view *state = view->state;

	state->top = 0;
	tui_hush(view->tui);
}

static void log_title(struct view *view, char *out, size_t size)
{
	(void)view;
	snprintf(out, size, "Messages");
}

const struct view_ops view_log = {
	.id = "log",
	.name = "Messages",
	.keys = KEYS_LIST | KEYS_BACK | KEYS_HELP | KEYS_NETWORK,
	.size = sizeof(struct log_view),
	.enter = log_enter,
	.draw = log_draw,
	.command = log_command,
	.title = log_title,
};

/* Past messages, newest at the bottom. Screen thread. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "tui/ui/page.h"
#include "tui/ui/scroll.h"
#include "tui/ui/style.h"
#include "tui/ui/ui.h"
#include "tui/views/table.h"

struct log_view {
	char filter[128], filter_before[128]; /* the second one while the first is typed */
	int top; /* lines above the newest ones; 0 follows the tail */
	int lines, page;
};

/* Says the day of what comes next, where it is another one than before it. */
static void lay_out_day(struct page *page, uint64_t before, uint64_t time)
{
	time_t seconds[] = { (time_t)(before / NS_PER_S), (time_t)(time / NS_PER_S) };
	char days[2][16] = { "", "" };
	struct tm tm;

	for (unsigned i = 0; i < 2; i++)
		if (localtime_r(&seconds[i], &tm))
			strftime(days[i], sizeof(days[i]), "%F", &tm);
	if (strcmp(days[0], days[1]) != 0)
		page_paragraph(page, 0, INK_ACCENT, days[1]);
}

/*
 * Time and text of each message that contains the filter, whatever its case, behind a gap for the
 * time.
 */
static void lay_out(struct page *page, const struct messages *messages, const char *filter, int gap)
{
	char text[MESSAGE_SENTENCE], time[16];
	uint64_t before = clock_wall();

	for (uint64_t n = messages_first(messages); n < messages->count; n++) {
		const struct message *message = messages_at(messages, n);
		int y, row;

		message_sentence(message, text, sizeof(text));
		if (!strcasestr(text, filter))
			continue;
		lay_out_day(page, before, message->time);
		before = message->time;
		y = page->y;
		if (page_row(page, &row))
			draw_text(row, page->r.x, gap - 1, INK_TEXT | DRAW_DIM,
				  draw_time(time, message->time));
		page_paragraph(page, gap, style_severity(message->severity), text);
		if (page->y == y)
			page->y++;
	}
}

static void log_draw(struct view *view, struct rect body)
{
	const struct messages *messages = &view->tui->messages;
	struct log_view *state = view->state;
	struct rect r = { body.y, body.x + 1, body.height, body.width - 2 };
	struct page all = { { r.y, r.x, 0, r.width }, 0, 0 }, page = { r, 0, 0 };
	int gap = r.width >= 40 ? 10 : 0;

	if (messages->count == 0) {
		draw_center(body, INK_TEXT, "There are no messages yet.");
		return;
	}
	lay_out(&all, messages, state->filter, gap); /* to know where the end is */
	state->lines = all.y;
	state->page = r.height;
	scroll_bound(&state->top, state->lines, state->page);
	if (all.y > r.height)
		page.top = all.y - r.height - state->top;
	lay_out(&page, messages, state->filter, gap);
	if (!all.y)
		draw_center(body, INK_TEXT, "No message contains that; Esc takes it back.");
}

static void filter_typed(void *arg, const char *text)
{
	struct log_view *state = arg;

	snprintf(state->filter, sizeof(state->filter), "%s", text);
	state->top = 0;
}

static void filter_answer(void *arg, int choice, const char *text)
{
	struct log_view *state = arg;

	(void)choice;
	filter_typed(state, text ? text : state->filter_before);
}

static void ask_filter(struct view *view)
{
	struct log_view *state = view->state;

	snprintf(state->filter_before, sizeof(state->filter_before), "%s", state->filter);
	prompt_line(&view->tui->prompt, state->filter, filter_answer, state, "Show messages with:");
	prompt_live(&view->tui->prompt, filter_typed);
}

static bool log_command(struct view *view, enum command command)
{
	struct log_view *state = view->state;
	int most = state->lines > state->page ? state->lines - state->page : 0;
	int top = most - state->top;

	if (command == COMMAND_FILTER) {
		ask_filter(view);
		return true;
	}
	if (command == COMMAND_BACK && *state->filter) {
		filter_typed(state, "");
		return true;
	}
	if (!scroll_command(&top, state->lines, state->page, command))
		return false;
	state->top = most - top;
	return true;
}

static void log_enter(struct view *view)
{
	tui_hush(view->tui);
}

/* The newest the next time; the help above it leaves its place. */
static void log_close(struct view *view)
{
	struct log_view *state = view->state;

	state->top = 0;
}

static void log_title(struct view *view, char *out, size_t size)
{
	const struct log_view *state = view->state;

	snprintf(out, size, "Messages%s%s", *state->filter ? " with " : "", state->filter);
}

const struct view_ops view_log = {
	.id = "log",
	.name = "Messages",
	.keys = KEYS_LIST | KEYS_BACK | KEYS_HELP | KEYS_NETWORK,
	.size = sizeof(struct log_view),
	.enter = log_enter,
	.close = log_close,
	.draw = log_draw,
	.command = log_command,
	.title = log_title,
};

/* What views share: which of them is shown, messages, requests. Screen thread. */
#include "tui/ui/ui.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define FRAME_NS (30 * NS_PER_MS)
#define MESSAGE_NS (12 * NS_PER_S)

enum view_id tui_current(const struct tui *tui)
{
	return tui->stack[tui->depth - 1];
}

const struct view *tui_view(const struct tui *tui)
{
	return tui->views[tui_current(tui)];
}

void tui_dirty(struct tui *tui)
{
	uint64_t now, due = tui->drawn + FRAME_NS;

	if (tui->redraw.armed)
		return;
	now = clock_monotonic();
	loop_timer_set(&tui->loop, &tui->redraw, due > now ? due - now : 0);
}

static void tick_arm(struct tui *tui)
{
	if (tui_view(tui)->tick)
		loop_timer_set(&tui->loop, &tui->tick, NS_PER_S);
	else
		loop_timer_cancel(&tui->loop, &tui->tick);
}

void tui_show(struct tui *tui)
{
	const struct view *view = tui_view(tui);

	if (view->enter)
		view->enter(tui);
	tick_arm(tui);
	tui_dirty(tui);
}

static void hide(struct tui *tui)
{
	const struct view *view = tui_view(tui);

	if (view->leave)
		view->leave(tui);
}

void tui_open(struct tui *tui, enum view_id view)
{
	unsigned i;

	if (tui_current(tui) == view)
		return;
	hide(tui);
	for (i = 0; i < tui->depth; i++)
		if (tui->stack[i] == view)
			break;
	if (i == tui->depth)
		tui->stack[tui->depth++] = view;
	else
		tui->depth = i + 1;
	tui_show(tui);
}

void tui_back(struct tui *tui)
{
	if (tui->depth == 1)
		return;
	hide(tui);
	tui->depth--;
	tui_show(tui);
}

void tui_finish(struct tui *tui, enum tui_result result)
{
	tui->result = result;
	/* Somebody may have text in the editor that is not saved yet. */
	if (tui->editor.pid && result != TUI_HANGUP)
		tui->finish_after_editor = true;
	else
		loop_stop(&tui->loop);
}

static void hush(void *arg)
{
	struct tui *tui = arg;

	tui->message_shown = false;
	tui_dirty(tui);
}

void tui_message(struct tui *tui, enum severity severity, uint64_t time, const char *guest,
		 const char *text)
{
	messages_add(&tui->messages, severity, time, guest, text);
	tui->message_shown = true;
	loop_timer_set(&tui->loop, &tui->hush, MESSAGE_NS);
	tui_dirty(tui);
}

void tui_say(struct tui *tui, enum severity severity, const char *guest, const char *format, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	tui_message(tui, severity, 0, guest, text);
}

void tui_fail(struct tui *tui, const struct client_error *error)
{
	if (error->code) /* else the connection was lost, and closed() ends the screen */
		tui_say(tui, SEVERITY_ERROR, NULL, "%s",
			*error->message ? error->message : "The request failed without a reason.");
}

static void reply_nothing(void *arg, json_t *result, const struct client_error *error)
{
	(void)result;
	if (error)
		tui_fail(arg, error);
}

bool tui_call(struct tui *tui, const char *method, json_t *params, client_reply reply)
{
	int error = client_call(tui->client, method, params, reply ? reply : reply_nothing, tui);

	if (error && error != -ENOTCONN)
		tui_say(tui, SEVERITY_ERROR, NULL, "%s could not be sent: %s", method,
			strerror(-error));
	return error == 0;
}

void tui_list(struct tui *tui)
{
	if (tui->list_asked)
		tui->list_again = true;
	else if (!tui->list.armed)
		loop_timer_set(&tui->loop, &tui->list, 50 * NS_PER_MS);
}

static void tick(void *arg)
{
	struct tui *tui = arg;
	const struct view *view = tui_view(tui);

	if (view->tick) {
		view->tick(tui);
		loop_timer_set(&tui->loop, &tui->tick, NS_PER_S);
	}
}

void tui_init(struct tui *tui, const struct view *const *views)
{
	tui->views = views;
	tui->depth = 1;
	tui->tick = (struct loop_timer){ .fire = tick, .arg = tui };
	tui->hush = (struct loop_timer){ .fire = hush, .arg = tui };
}

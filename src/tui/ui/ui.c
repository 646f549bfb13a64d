/* What views share: which of them is shown, messages, requests. Screen thread. */
#include "tui/ui/ui.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/sentence.h"
#include "control/methods.h"

#define FRAME_NS (30 * NS_PER_MS) /* on the average, but that so many may follow at once */
#define FRAMES_AT_ONCE 3u
#define ORDER_NS (30 * NS_PER_S) /* a guest has so long to shut down */
#define LIST_DELAY (50 * NS_PER_MS) /* in which events that come together ask for one list */

static struct view *find(struct tui *tui, const char *id)
{
	for (size_t i = 0; i < tui->view_count; i++)
		if (strcmp(tui->views[i].ops->id, id) == 0)
			return &tui->views[i];
	return NULL;
}

bool tui_shows(const struct view *view)
{
	return view->tui->top == view;
}

void tui_dirty(struct tui *tui)
{
	uint64_t now, due = tui->drawn + FRAME_NS;

	if (tui->redraw.armed)
		return;
	now = clock_monotonic();
	loop_timer_set(&tui->loop, &tui->redraw, due > now ? due - now : 0);
}

void tui_drawn(struct tui *tui)
{
	uint64_t earliest = clock_monotonic() - (FRAMES_AT_ONCE - 1) * FRAME_NS;

	tui->drawn = tui->drawn + FRAME_NS > earliest ? tui->drawn + FRAME_NS : earliest;
}

static void tick_arm(struct tui *tui)
{
	if (tui->top->ops->tick)
		loop_timer_set(&tui->loop, &tui->tick, NS_PER_S);
	else
		loop_timer_cancel(&tui->loop, &tui->tick);
}

static void tick(void *arg)
{
	struct tui *tui = arg;

	if (tui->top->ops->tick) {
		tui->top->ops->tick(tui->top);
		loop_timer_set(&tui->loop, &tui->tick, NS_PER_S);
	}
}

void tui_show(struct tui *tui)
{
	if (tui->top->ops->enter)
		tui->top->ops->enter(tui->top);
	tick_arm(tui);
	tui_dirty(tui);
}

static void hide(struct tui *tui)
{
	tui->top->mode = NULL;
	if (tui->top->ops->leave)
		tui->top->ops->leave(tui->top);
}

static bool is_open(const struct tui *tui, const struct view *view)
{
	const struct view *at = tui->top;

	while (at && at != view)
		at = at->below;
	return at != NULL;
}

void tui_open(struct tui *tui, const char *id, const char *guest)
{
	struct view *view = find(tui, id);

	if (view->ops->open && (!tui_guest(view->deck, guest) || !view->ops->open(view, guest)))
		return;
	if (tui_shows(view))
		return;
	hide(tui);
	if (!is_open(tui, view))
		view->below = tui->top;
	tui->top = view;
	tui_show(tui);
}

void tui_back(struct tui *tui)
{
	if (!tui->top->below)
		return;
	hide(tui);
	if (tui->top->ops->close)
		tui->top->ops->close(tui->top);
	tui->top = tui->top->below;
	tui_show(tui);
}

void tui_finish(struct tui *tui, enum tui_result result)
{
	tui->result = result;
	/* Somebody may have text in the editor that is not saved yet. */
	if (tui->terminal.suspended && result != TUI_HANGUP)
		tui->finished = true;
	else
		loop_stop(&tui->loop);
}

/* Status */

static void expire(void *arg)
{
	struct tui *tui = arg;
	uint64_t now = clock_monotonic(), next = status_expire(&tui->status, now);

	if (next)
		loop_timer_set(&tui->loop, &tui->expire, next - now);
	tui_dirty(tui);
}

static void put(struct tui *tui, enum status_rank rank, enum severity severity, const char *kind,
		const char *text)
{
	status_put(&tui->status, rank, severity, kind, text, clock_monotonic());
	expire(tui);
}

void tui_hush(struct tui *tui)
{
	status_hush(&tui->status);
	tui_dirty(tui);
}

void tui_key_pressed(struct tui *tui)
{
	if (status_key(&tui->status))
		tui_dirty(tui);
}

void tui_settle(struct tui *tui, enum status_rank rank, const char *kind)
{
	if (status_settle(&tui->status, rank, kind))
		tui_dirty(tui);
}

void tui_state(struct tui *tui, enum status_rank rank, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	sentence_format(text, sizeof(text), format, ap);
	va_end(ap);
	if (!tui->status.entries[rank].text && status_is_news(rank))
		messages_add(&tui->messages, SEVERITY_WARNING, 0, NULL, text);
	put(tui, rank, SEVERITY_WARNING, "", text);
}

void tui_state_ended(struct tui *tui, enum status_rank rank)
{
	status_take(&tui->status, rank);
	tui_dirty(tui);
}

/* An answer that is kept, and the rank under which it is shown. */
static void tell(struct tui *tui, enum status_rank rank, const char *kind, enum severity severity,
		 const char *guest, const char *text)
{
	char sentence[MESSAGE_SENTENCE];

	message_sentence(messages_answer(&tui->messages, severity, guest, text), sentence,
			 sizeof(sentence));
	status_replace(&tui->status, sentence);
	put(tui, rank, severity, kind, sentence);
}

void tui_ordered(struct tui *tui, const char *guest)
{
	snprintf(tui->ordered, sizeof(tui->ordered), "%s", guest);
	tui->ordered_until = clock_monotonic() + ORDER_NS;
}

static enum status_rank event_rank(const struct tui *tui, enum severity severity,
				   const char *guest)
{
	if (severity >= SEVERITY_WARNING)
		return STATUS_TROUBLE;
	return *guest && strcmp(guest, tui->ordered) == 0 &&
	       clock_monotonic() < tui->ordered_until ? STATUS_ANSWER : STATUS_EVENT;
}

void tui_message(struct tui *tui, enum severity severity, uint64_t time, const char *guest,
		 const char *text)
{
	const char *kind = guest ? guest : "";
	enum status_rank rank = event_rank(tui, severity, kind);
	char sentence[MESSAGE_SENTENCE];

	/* What is said of a guest replaces what was. */
	if (*kind) {
		tui_settle(tui, STATUS_TROUBLE, kind);
		tui_settle(tui, STATUS_ANSWER, kind);
		tui_settle(tui, STATUS_EVENT, kind);
	}
	messages_add(&tui->messages, severity, time, guest, text);
	message_sentence(messages_last(&tui->messages), sentence, sizeof(sentence));
	put(tui, rank, severity, kind, sentence);
}

void tui_say(struct tui *tui, enum severity severity, const char *guest, const char *format, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, format);
	sentence_format(text, sizeof(text), format, ap);
	va_end(ap);
	tell(tui, severity == SEVERITY_ERROR ? STATUS_REFUSAL : STATUS_ANSWER, guest ? guest : "",
	     severity, guest, text);
}

void tui_fail_as(struct tui *tui, const char *kind, const struct client_error *error)
{
	const char *text = *error->message ? error->message
					   : "The request failed without a reason.";

	/* Without a code the connection was lost, which ends the screen. */
	if (error->code && !status_says(&tui->status, STATUS_REFUSAL, kind, text))
		tell(tui, STATUS_REFUSAL, kind, SEVERITY_ERROR, NULL, text);
}

void tui_fail(struct tui *tui, const struct client_error *error)
{
	tui_fail_as(tui, error->method, error);
}

const char *tui_chosen(struct tui *tui)
{
	return tui->top->ops->guest ? tui->top->ops->guest(tui->top) : "";
}

const struct tui_guest *tui_guest(struct tui_deck *deck, const char *name)
{
	const struct tui_guest *guest = model_find(&deck->model, name);

	if (!guest)
		tui_say(deck->tui, SEVERITY_WARNING, NULL, "No guest is selected.");
	return guest;
}

const char *tui_key(const struct view *view, enum command command)
{
	return keys_label(view->tui->keys, view->ops, command, NULL);
}

static void reply_nothing(void *arg, json_t *result, const struct client_error *error)
{
	(void)result;
	if (error)
		tui_fail(arg, error);
}

bool tui_call(struct tui_deck *deck, const char *method, json_t *params, client_reply reply,
	      void *arg)
{
	const struct method *known = method_find(method);
	int error;

	if (deck->config->read_only && known && known->role == METHOD_OPERATE) {
		json_decref(params);
		tui_say(deck->tui, SEVERITY_ERROR, NULL, TUI_READ_ONLY);
		return false;
	}
	if (deck->tui->noted)
		deck->tui->noted(deck->tui, method, params);
	error = client_call(deck->client, method, params, reply ? reply : reply_nothing,
			    reply ? arg : deck->tui);

	if (error && error != -ENOTCONN)
		tui_say(deck->tui, SEVERITY_ERROR, NULL, "The request could not be sent: %s",
			strerror(-error));
	return error == 0;
}

void tui_list(struct tui_deck *deck)
{
	if (deck->list_asked)
		deck->list_again = true;
	else if (!deck->list.armed || deck->list.due > clock_monotonic() + LIST_DELAY)
		loop_timer_set(&deck->tui->loop, &deck->list, LIST_DELAY);
}

void tui_prepare(struct tui *tui, const struct keys *keys)
{
	tui->keys = keys;
	tui->tick = (struct loop_timer){ .fire = tick, .arg = tui };
	tui->expire = (struct loop_timer){ .fire = expire, .arg = tui };
}

int tui_init(struct tui *tui, const struct view_ops *const *views, size_t count)
{
	tui->views = calloc(count, sizeof(*tui->views));
	if (!tui->views)
		return -ENOMEM;
	tui->top = tui->views;
	for (size_t i = 0; i < count; i++) {
		struct view *view = &tui->views[i];

		*view = (struct view){ .ops = views[i], .tui = tui, .deck = tui->deck };
		view->state = views[i]->size ? calloc(1, views[i]->size) : NULL;
		if (views[i]->size && !view->state)
			return -ENOMEM;
		tui->view_count++;
		if (view->ops->create)
			view->ops->create(view);
	}
	return 0;
}

void tui_destroy(struct tui *tui)
{
	for (size_t i = 0; i < tui->view_count; i++) {
		if (tui->views[i].ops->destroy)
			tui->views[i].ops->destroy(&tui->views[i]);
		free(tui->views[i].state);
	}
	free(tui->views);
	messages_destroy(&tui->messages);
	status_destroy(&tui->status);
}

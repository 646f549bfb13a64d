/* What the server of a deck says. Screen thread. */
#include "tui/ui/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "control/protocol.h"
#include "tui/model/json.h"
#include "tui/ui/orders.h"
#include "tui/ui/subscribe.h"

static void list_reply(void *arg, json_t *result, const struct client_error *error)
{
	struct tui *tui = arg;

	tui->list_asked = false;
	if (error) {
		tui_fail(tui, error);
		return;
	}
	if (!model_guests(&tui->model, result))
		tui_say(tui, SEVERITY_ERROR, NULL, "The server's list of guests makes no sense.");
	tui->stats.stale = tui->stats.stale || tui->stats.failed;
	if (tui->list_again)
		tui_list(tui);
	quit_check(tui);
	tui_dirty(tui);
}

static void list_now(void *arg)
{
	struct tui *tui = arg;

	tui->list_again = false;
	tui->list_asked = tui_call(tui, "guest.list", NULL, list_reply);
}

static void event(struct tui *tui, const json_t *params)
{
	const char *guest = json_text(params, "guest"), *text = json_text(params, "text");
	const char *state = json_text(params, "state"), *kind = json_text(params, "kind");
	enum severity severity = SEVERITY_EVENT;
	char sentence[300];

	tui->ended = tui->ended || strcmp(kind, "ended") == 0;
	if (strcmp(kind, "state") == 0) {
		model_state(&tui->model, guest, state);
		if (guest_state_in(guest_state_find(state), GUEST_BAD))
			severity = SEVERITY_ERROR;
		else if (guest_state_find(state) == GUEST_RUNNING)
			severity = SEVERITY_GOOD;
		else if (guest_state_find(state) == GUEST_PAUSED && *text)
			severity = SEVERITY_WARNING;
		if (!*text) {
			snprintf(sentence, sizeof(sentence), "is %s", state);
			text = sentence;
		}
	}
	if (strcmp(kind, "state") == 0 || strcmp(kind, "profiles") == 0)
		tui_list(tui);
	if (*text) {
		size_t n = strlen(guest);

		/* The name goes before the text, once. */
		if (n && strncmp(text, guest, n) == 0 && text[n] == ':')
			text += n + 1 + strspn(text + n + 1, " ");
		tui_message(tui, severity, json_count(params, "time"), guest, text);
	}
	quit_check(tui);
	tui_dirty(tui);
}

static void notification(void *arg, const char *method, json_t *params)
{
	struct tui *tui = arg;

	if (strcmp(method, "stats") == 0)
		subscribe_notified(tui, params);
	else if (strcmp(method, "event") == 0)
		event(tui, params);
	for (unsigned i = 0; i < VIEW_COUNT; i++)
		if (tui->views[i]->notified)
			tui->views[i]->notified(tui, method, params);
}

static void closed(void *arg, const struct cause *cause)
{
	struct tui *tui = arg;

	if (!tui->quitting && !tui->ended && tui->cause)
		*tui->cause = *cause;
	tui_finish(tui, tui->quitting ? TUI_QUIT : tui->ended ? TUI_ENDED : TUI_LOST);
}

static void hello_reply(void *arg, json_t *result, const struct client_error *error)
{
	struct tui *tui = arg;

	if (error && !error->code)
		return;
	if (error || json_count(result, "version") != CONTROL_VERSION) {
		tui->error = cause_set(tui->cause, EPROTO,
				       "the core speaks another version of the control protocol "
				       "than this vmdeck%s%s; run the same version of both",
				       error ? ": " : "", error ? error->message : "");
		loop_stop(&tui->loop);
		return;
	}
	model_hello(&tui->model, result);
	tui_dirty(tui);
}

int server_connect(struct tui *tui)
{
	const struct client_handlers handlers = { notification, closed, tui };
	int fd, error;

	tui->list = (struct loop_timer){ .fire = list_now, .arg = tui };
	fd = tui->config->dial(tui->config->dial_arg, tui->cause);
	if (fd < 0)
		return fd;
	error = client_new(&tui->client, &tui->loop, fd, &handlers, tui->cause);
	if (error)
		return error;
	tui_call(tui, "hello", json_pack("{s:i}", "version", CONTROL_VERSION), hello_reply);
	tui_call(tui, "events.subscribe", NULL, NULL);
	list_now(tui);
	return 0;
}

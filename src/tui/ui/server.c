/* What the server of a deck says. Screen thread. */
#include "tui/ui/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "control/message_text.h"
#include "control/protocol.h"
#include "tui/model/json.h"
#include "tui/ui/held.h"
#include "tui/ui/marked.h"
#include "tui/ui/mistakes.h"
#include "tui/ui/orders.h"
#include "tui/ui/samples.h"
#include "tui/ui/subscribe.h"

#define NEWS_NS (15 * NS_PER_S) /* what is older is none for a screen that comes later */

/* Events tell of a guest that restarts over and over now and then alone. */
#define LISTS_OF_A_LOOP 5 /* after a restart, one a second */

static void list_reply(void *arg, json_t *result, const struct client_error *error)
{
	struct tui_deck *deck = arg;

	deck->list_asked = false;
	if (error) {
		tui_fail(deck->tui, error);
		return;
	}
	if (!model_guests(&deck->model, result))
		tui_say(deck->tui, SEVERITY_ERROR, NULL,
			"The server's list of guests makes no sense.");
	samples_retry(deck->samples);
	if (deck->model.restarts_grow)
		deck->list_more = LISTS_OF_A_LOOP;
	if (deck->list_again)
		tui_list(deck);
	else if (deck->list_more && deck->list_more--)
		loop_timer_set(&deck->tui->loop, &deck->list, NS_PER_S);
	quit_check(deck);
	power_check(deck);
	held_check(deck);
	tui_dirty(deck->tui);
}

static void list_now(void *arg)
{
	struct tui_deck *deck = arg;

	deck->list_again = false;
	deck->list_asked = tui_call(deck, "guest.list", NULL, list_reply, deck);
}

/* What an event says to a person. */
struct said {
	enum severity severity;
	const char *guest, *text;
	char sentence[300];
};

/* false: nothing. It is valid as long as params. */
static bool event_says(struct said *said, const json_t *params)
{
	const char *state = json_text(params, "state");
	bool changed = strcmp(json_text(params, "kind"), "state") == 0;
	size_t n;

	*said = (struct said){ .severity = SEVERITY_EVENT, .guest = json_text(params, "guest"),
			       .text = json_text(params, "text") };
	if (changed && guest_state_in(guest_state_find(state), GUEST_BAD))
		said->severity = SEVERITY_ERROR;
	else if (changed && *said->text && guest_state_in(guest_state_find(state), GUEST_GOES_ON))
		said->severity = SEVERITY_WARNING;
	else if (changed && guest_state_find(state) == GUEST_RUNNING)
		said->severity = SEVERITY_GOOD;
	if (changed && !*said->text) {
		snprintf(said->sentence, sizeof(said->sentence), "is %s", state);
		said->text = said->sentence;
	}
	/* The name goes before the text, once. */
	n = strlen(said->guest);
	if (n && strncmp(said->text, said->guest, n) == 0 && said->text[n] == ':')
		said->text += n + 1 + strspn(said->text + n + 1, " ");
	return *said->text;
}

/* A state until the deck has ended; where this screen asked for it, it says more. */
static bool is_ending(struct tui_deck *deck, const json_t *params, const struct said *said)
{
	if (strcmp(json_text(params, "kind"), "ending") != 0)
		return false;
	deck->ending = true;
	if (!deck->quitting)
		tui_state(deck->tui, STATUS_SHUTDOWN, "%s", said->text);
	return true;
}

static void event(struct tui_deck *deck, const json_t *params)
{
	const char *kind = json_text(params, "kind"), *guest = json_text(params, "guest");
	struct said said;

	deck->ended = deck->ended || strcmp(kind, "ended") == 0;
	if (strcmp(kind, "state") == 0)
		model_state(&deck->model, guest, json_text(params, "state"));
	if (*guest || strcmp(kind, "profiles") == 0 || strcmp(kind, "addresses") == 0)
		tui_list(deck); /* it has more, such as how often the guest was restarted */
	if (event_says(&said, params) && !is_ending(deck, params, &said))
		tui_message(deck->tui, said.severity, json_count(params, "time"), said.guest,
			    said.text);
	quit_check(deck);
	tui_dirty(deck->tui);
}

/*
 * What happened before this screen: for the log; what the deck itself had to say just now, such
 * as at its start, is shown, too.
 */
static void history_reply(void *arg, json_t *result, const struct client_error *error)
{
	const json_t *history = json_object_get(result, "history");
	struct tui_deck *deck = arg;
	uint64_t now = clock_wall();
	struct said said;

	if (error)
		tui_fail(deck->tui, error);
	for (size_t i = 0; i < json_array_size(history); i++) {
		const json_t *params = json_array_get(history, i);
		uint64_t time = json_count(params, "time");

		if (!event_says(&said, params) || is_ending(deck, params, &said))
			continue;
		if (*said.guest || time + NEWS_NS < now)
			messages_add(&deck->tui->messages, said.severity, time, said.guest,
				     said.text);
		else
			tui_message(deck->tui, said.severity, time, NULL, said.text);
	}
	tui_dirty(deck->tui);
}

static void notification(void *arg, const char *method, json_t *params)
{
	struct tui_deck *deck = arg;

	if (strcmp(method, "event") == 0)
		event(deck, params);
	else
		subscriptions_notified(deck, method, params);
}

static void done(void *arg, const char *method)
{
	struct tui_deck *deck = arg;

	tui_settle(deck->tui, STATUS_REFUSAL, method);
}

static void closed(void *arg, const struct cause *cause)
{
	struct tui_deck *deck = arg;

	if (!deck->quitting && !deck->ended && deck->tui->cause)
		*deck->tui->cause = *cause;
	tui_finish(deck->tui, deck->quitting ? TUI_QUIT : deck->ended ? TUI_ENDED : TUI_LOST);
}

static void hello_reply(void *arg, json_t *result, const struct client_error *error)
{
	struct tui_deck *deck = arg;
	struct tui *tui = deck->tui;

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
	model_hello(&deck->model, result);
	tui_dirty(deck->tui);
}

int server_connect(struct tui *tui, const struct tui_config *config)
{
	struct tui_deck *deck = &tui->decks[tui->deck_count++];
	const struct client_handlers handlers = { notification, closed, deck, done };
	int fd, error;

	deck->tui = tui;
	deck->config = config;
	deck->list = (struct loop_timer){ .fire = list_now, .arg = deck };
	tui->deck = deck;
	error = samples_new(deck);
	if (error)
		return cause_errno(tui->cause, -error, "the screen");
	fd = config->dial(config->dial_arg, tui->cause);
	if (fd < 0)
		return fd;
	error = client_new(&deck->client, &tui->loop, fd, &handlers, tui->cause);
	if (error)
		return error;
	tui_call(deck, "hello", json_pack("{s:i, s:o}", "version", CONTROL_VERSION, "role",
					  message_text(config->read_only ? "observe" : "operate")),
		 hello_reply, deck);
	tui_call(deck, "events.subscribe", json_pack("{s:b}", "history", 1), history_reply, deck);
	list_now(deck);
	return 0;
}

void server_disconnect(struct tui_deck *deck)
{
	client_free(deck->client);
	deck->client = NULL;
}

void server_destroy(struct tui_deck *deck)
{
	mistakes_forget(deck);
	marked_forget(deck);
	samples_free(deck->samples);
	netmodel_destroy(&deck->network);
	model_destroy(&deck->model);
}

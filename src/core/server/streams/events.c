/* Events: what happens to guests, to everybody who subscribed. Deck thread. */
#include "core/server/streams/streams.h"

#include "base/clock.h"
#include "control/message.h"

static const char *const kinds[] = {
	[DECK_EVENT_STATE] = "state", [DECK_EVENT_LOG] = "log", [DECK_EVENT_PROFILES] = "profiles",
	[DECK_EVENT_ADDRESSES] = "addresses", [DECK_EVENT_ENDING] = "ending",
};

static json_t *event_json(const struct deck_event *event)
{
	const char *state = event->kind == DECK_EVENT_STATE ? guest_state_name(event->state) : NULL;

	return json_pack("{s:I, s:o, s:o, s:o, s:o}", "time", (json_int_t)event->time_ns,
			 "guest", message_text(event->name),
			 "kind", message_text(kinds[event->kind]), "state", message_text(state),
			 "text", message_text(event->text));
}

static void send_event(struct peer *peer, const struct deck_event *event)
{
	json_t *params;

	if (!peer_may_notify(peer)) {
		peer->events_dropped++;
		return;
	}
	params = event_json(event);
	if (params && event->guest)
		json_object_set_new(params, "restarts",
				    json_integer((json_int_t)guest_restarts(event->guest)));
	if (params && peer->events_dropped)
		json_object_set_new(params, "dropped",
				    json_integer((json_int_t)peer->events_dropped));
	peer->events_dropped = 0;
	peer_send(peer, message_notification("event", params));
}

static void publish(struct server *server, const struct deck_event *event)
{
	struct peer *peer, *next;

	for (peer = server->peers.first; peer; peer = next) {
		next = peer->next;
		if (peer->events)
			send_event(peer, event);
	}
}

/* The last event: whoever asked knows that this was no loss. */
static void end(struct server *server)
{
	struct peer *peer, *next;

	for (peer = server->peers.first; peer; peer = next) {
		next = peer->next;
		if (peer->events)
			peer_send(peer, message_notification("event", json_pack(
				"{s:I, s:n, s:o, s:n, s:o}", "time", (json_int_t)clock_wall(),
				"guest", "kind", message_text("ended"), "state", "text",
				message_text("the deck was ended"))));
	}
}

/* What the deck itself had to say, such as at its start. */
static void repeat(void *arg, const struct deck_event *event)
{
	if (event->kind != DECK_EVENT_STATE && !event->name)
		send_event(arg, event);
}

static void begin(struct peer *peer, void *arg)
{
	const struct deck_listener listener = { .event = repeat, .arg = peer };

	deck_replay(arg, &listener);
}

static void collect(void *arg, const struct deck_event *event)
{
	json_array_append_new(arg, event_json(event));
}

static int subscribe(struct request *request, struct cause *cause)
{
	json_t *history = param_bool(request, "history") ? json_array() : NULL;
	const struct deck_listener listener = { .event = collect, .arg = history };

	(void)cause;
	if (history) {
		deck_replay(request->deck, &listener);
		request->result = json_pack("{s:o}", "history", history);
	} else if (!request->peer->events) {
		request->then = begin;
		request->then_arg = request->deck;
	}
	request->peer->events = true;
	return 0;
}

static const struct handler handlers[] = {
	{ METHOD_EVENTS_SUBSCRIBE, .run = subscribe },
	HANDLERS_END
};

const struct stream_kind events_stream = {
	.handlers = handlers,
	.event = publish,
	.end = end,
};

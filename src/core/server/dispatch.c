/* From a line to a handler, and the answer back. Deck thread. */
#include "core/server/request.h"

#include <errno.h>
#include <string.h>

#include "base/suggest.h"
#include "control/message.h"
#include "core/server/streams/streams.h"

static const command_run handlers[METHOD_COUNT] = {
	[METHOD_HELLO] = command_hello,
	[METHOD_GUEST_LIST] = command_guest_list,
	[METHOD_GUEST_SHOW] = command_guest_show,
	[METHOD_GUEST_START] = command_guest_start,
	[METHOD_GUEST_STOP] = command_guest_stop,
	[METHOD_GUEST_OFF] = command_guest_off,
	[METHOD_GUEST_PAUSE] = command_guest_pause,
	[METHOD_GUEST_RESUME] = command_guest_resume,
	[METHOD_GUEST_RESET] = command_guest_reset,
	[METHOD_DECK_RELOAD] = command_deck_reload,
	[METHOD_DECK_QUIT] = command_deck_quit,
	[METHOD_PROFILE_CHECK] = command_profile_check,
	[METHOD_STATS_SUBSCRIBE] = command_stats_subscribe,
	[METHOD_STATS_UPDATE] = command_stats_update,
	[METHOD_STATS_CANCEL] = command_stats_cancel,
	[METHOD_EVENTS_SUBSCRIBE] = command_events_subscribe,
	[METHOD_CONSOLE_OPEN] = command_console_open,
	[METHOD_SWITCH_LIST] = command_switch_list,
	[METHOD_PACKETS_SUBSCRIBE] = command_packets_subscribe,
	[METHOD_PACKETS_CANCEL] = command_packets_cancel,
	[METHOD_CAPTURE_START] = command_capture_start,
	[METHOD_CAPTURE_STOP] = command_capture_stop,
	[METHOD_CAPTURE_LIST] = command_capture_list,
	[METHOD_CAPTURE_STREAM] = command_capture_stream,
};

const char *param_string(const struct request *request, const char *name)
{
	return json_string_value(json_object_get(request->params, name));
}

uint64_t param_integer(const struct request *request, const char *name, uint64_t standard)
{
	const json_t *value = json_object_get(request->params, name);

	return json_is_integer(value) ? (uint64_t)json_integer_value(value) : standard;
}

bool param_bool(const struct request *request, const char *name)
{
	return json_is_true(json_object_get(request->params, name));
}

static json_t *or_empty(json_t *result)
{
	return result ? result : json_object();
}

static void send_error(struct peer *peer, json_t *id, int error, const struct cause *cause)
{
	int code = error == -EBUSY ? CONTROL_ERROR_STATE : CONTROL_ERROR_FAILED;

	peer_send(peer, message_error(json_incref(id), code, cause->text, -error));
}

void request_defer(struct request *request, struct answer *answer)
{
	request->deferred = true;
	answer->peer = peer_keep(request->peer);
	answer->id = json_incref(request->id);
	peer_hold(request->peer);
}

static void answer_end(struct answer *answer)
{
	peer_resume(answer->peer);
	peer_release(answer->peer);
	json_decref(answer->id);
	answer->peer = NULL;
	answer->id = NULL;
}

void answer_result(struct answer *answer, json_t *result)
{
	result = or_empty(result);
	if (answer->id)
		peer_send(answer->peer, message_response(json_incref(answer->id), result));
	else
		json_decref(result);
	answer_end(answer);
}

void answer_error(struct answer *answer, int error, const struct cause *cause)
{
	if (answer->id)
		send_error(answer->peer, answer->id, error, cause);
	answer_end(answer);
}

static int no_guest(struct deck *deck, const char *name, struct cause *cause)
{
	struct suggestion suggestion = { .wrong = name };
	struct guest *guest;

	for (size_t i = 0; (guest = deck_guest(deck, i)); i++)
		suggest_offer(&suggestion, guest_name(guest));
	if (suggestion.best)
		return cause_set(cause, ENOENT, "guest '%s': there is none; did you mean '%s'?",
				 name, suggestion.best);
	return cause_set(cause, ENOENT, "guest '%s': there is none", name);
}

/* The guest that "guest" names, if it may have this done to it now. */
static int find_guest(struct request *request, struct cause *cause)
{
	const char *name = param_string(request, "guest");
	enum guest_state state;
	char states[GUEST_STATES_TEXT];

	if (!name)
		return 0;
	request->guest = deck_find(request->deck, name);
	if (!request->guest)
		return no_guest(request->deck, name, cause);
	state = guest_get_state(request->guest);
	if (!request->method->states || guest_state_in(state, request->method->states))
		return 0;
	guest_states_text(request->method->states, states);
	if (state == GUEST_INVALID)
		return cause_set(cause, EBUSY, "%s: its profile has mistakes; see 'vmdeck show %s'",
				 name, name);
	return cause_set(cause, EBUSY, "%s is %s; %s needs a guest that is %s", name,
			 guest_state_name(state), request->method->name, states);
}

static void run(struct request *request)
{
	struct cause cause = { "" };
	int error = find_guest(request, &cause);

	if (error == 0)
		error = handlers[request->method - method_table](request, &cause);
	if (error == 0 && request->deferred)
		return;
	if (error < 0 && request->id)
		send_error(request->peer, request->id, error, &cause);
	else if (request->id)
		peer_send(request->peer, message_response(json_incref(request->id),
							  or_empty(request->result)));
	else
		json_decref(request->result);
	if (error == 0 && request->then)
		request->then(request->peer, request->then_arg);
}

/* Why a well-formed request is not carried out: a CONTROL_ERROR_*, or 0. */
static int refusal(const struct request *request, const char *name, struct cause *cause)
{
	if (!request->method) {
		cause_set(cause, ENOSYS, "%.64s: there is no such method", name);
		return CONTROL_ERROR_METHOD;
	}
	if (request->method->role > request->peer->role) {
		cause_set(cause, EPERM, "%s: this connection may only observe", name);
		return CONTROL_ERROR_ROLE;
	}
	if (method_check(request->method, request->params, cause) < 0)
		return CONTROL_ERROR_PARAMS;
	return 0;
}

static void refuse_line(struct peer *peer, const struct message *message, int code,
			const struct cause *cause)
{
	peer->garbage = code == CONTROL_ERROR_PARSE ? peer->garbage + 1 : 0;
	peer_send(peer, message_error(json_incref(message->id), code, cause->text, 0));
	if (peer->garbage < PEER_GARBAGE_MAX || peer->mode == PEER_CLOSED)
		return;
	/* What was queued still goes out; nothing more is read. */
	peer->input_ended = true;
	frame_reader_destroy(&peer->in);
}

void command_dispatch(struct peer *peer, const char *line, size_t size)
{
	struct request request = { .peer = peer, .server = peer->server,
				   .deck = peer->server->deck };
	struct message message;
	struct cause cause;
	int code;

	code = message_parse(&message, line, size, &cause);
	if (code == 0 && (message.kind == MESSAGE_RESPONSE || message.kind == MESSAGE_ERROR)) {
		code = CONTROL_ERROR_REQUEST;
		cause_set(&cause, EINVAL, "the server asks nothing, so there is no answer to give");
	}
	if (code < 0) {
		refuse_line(peer, &message, code, &cause);
		message_release(&message);
		return;
	}
	peer->garbage = 0;
	request.method = method_find(message.method);
	request.id = message.id;
	request.params = message.params;
	code = refusal(&request, message.method, &cause);
	if (code == 0)
		run(&request);
	else if (message.id)
		peer_send(peer, message_error(json_incref(message.id), code, cause.text, 0));
	message_release(&message);
}

/* From a line to a handler, and the answer back. Deck thread. */
#include "core/server/dispatch.h"

#include <errno.h>

#include "base/checked.h"
#include "base/suggest.h"
#include "control/message.h"
#include "core/server/commands/commands.h"
#include "core/server/streams/streams.h"

static const struct handler *const command_handlers[] = {
	breakpoint_commands, deck_commands,   guest_commands,
	media_commands,	     resize_commands, switch_commands,
};

static const struct handler *find_among(const struct handler *handlers, enum method_id method)
{
	for (; handlers->method != METHOD_COUNT; handlers++)
		if (handlers->method == method)
			return handlers;
	return NULL;
}

static int give_order(struct request *request, struct cause *cause)
{
	return guest_order(request->guest, (enum method_id)(request->method - method_table), cause);
}

static const struct handler *find_handler(enum method_id method)
{
	static const struct handler orders = { .run = give_order };
	const struct handler *found = method_table[method].order ? &orders : NULL;

	for (size_t i = 0; !found && i < ARRAY_SIZE(command_handlers); i++)
		found = find_among(command_handlers[i], method);
	for (size_t i = 0; !found && streams[i]; i++)
		found = find_among(streams[i]->handlers, method);
	return found;
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

	if (!name)
		return 0;
	if (request->method == &method_table[METHOD_GUEST_START] ||
	    request->method == &method_table[METHOD_GUEST_RESET])
		deck_refresh(request->deck);
	request->guest = deck_find(request->deck, name);
	if (!request->guest) {
		/* Its profile may have been written just now. */
		deck_refresh(request->deck);
		request->guest = deck_find(request->deck, name);
	}
	if (!request->guest)
		return no_guest(request->deck, name, cause);
	return guest_check_state(request->guest, request->method, cause);
}

static void run(struct request *request, const struct handler *handler)
{
	struct cause cause = { "" };
	int error = find_guest(request, &cause);

	if (error == 0)
		error = handler->run(request, &cause);
	if (error == 0 && request->deferred)
		return;
	request_answer(request, error, &cause);
	if (error == 0 && request->then)
		request->then(request->peer, request->then_arg);
}

/* Why a well-formed request is not carried out: a CONTROL_ERROR_*, or 0. */
static int refusal(const struct request *request, const struct handler *handler,
		   const char *name, struct cause *cause)
{
	if (!handler) {
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

void dispatch_line(void *arg, struct peer *peer, const char *line, size_t size)
{
	struct server *server = arg;
	struct request request = { .peer = peer, .server = server, .deck = server->deck };
	const struct handler *handler = NULL;
	struct message message;
	struct cause cause;
	int code;

	code = message_parse(&message, &message_to_deck, line, size, &cause);
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
	if (request.method)
		handler = find_handler(request.method - method_table);
	request.id = message.id;
	request.params = message.params;
	code = refusal(&request, handler, message.method, &cause);
	if (code == 0)
		run(&request, handler);
	else if (message.id)
		peer_send(peer, message_error(json_incref(message.id), code, cause.text, 0));
	message_release(&message);
}

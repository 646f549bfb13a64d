/* What handlers read and how they answer. Deck thread. */
#include "core/server/request.h"

#include <errno.h>

#include "control/message.h"

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

/* id NULL: nobody waits for it. Takes result over. */
static void send_result(struct peer *peer, json_t *id, json_t *result)
{
	if (id)
		peer_send(peer, message_response(json_incref(id),
						 result ? result : json_object()));
	else
		json_decref(result);
}

static void send_error(struct peer *peer, json_t *id, int error, const struct cause *cause)
{
	int code = error == -EBUSY ? CONTROL_ERROR_STATE : CONTROL_ERROR_FAILED;

	if (id)
		peer_send(peer, message_error(json_incref(id), code, cause->text, -error));
}

void request_answer(struct request *request, int error, const struct cause *cause)
{
	if (error < 0)
		send_error(request->peer, request->id, error, cause);
	else
		send_result(request->peer, request->id, request->result);
}

static void leave(struct request *request, struct answer *answer, bool detached)
{
	request->deferred = true;
	*answer = (struct answer){ .peer = peer_keep(request->peer),
				   .id = json_incref(request->id), .detached = detached };
}

void request_defer(struct request *request, struct answer *answer)
{
	leave(request, answer, false);
	peer_hold(request->peer);
}

void request_detach(struct request *request, struct answer *answer)
{
	leave(request, answer, true);
	peer_owe(request->peer);
}

static bool is_lost(const struct answer *answer)
{
	return answer->detached && answer->peer->mode == PEER_RAW;
}

static void answer_end(struct answer *answer)
{
	if (answer->detached)
		peer_paid(answer->peer);
	else
		peer_resume(answer->peer);
	peer_release(answer->peer);
	json_decref(answer->id);
	answer->peer = NULL;
	answer->id = NULL;
}

void answer_result(struct answer *answer, json_t *result)
{
	send_result(answer->peer, is_lost(answer) ? NULL : answer->id, result);
	answer_end(answer);
}

void answer_error(struct answer *answer, int error, const struct cause *cause)
{
	send_error(answer->peer, is_lost(answer) ? NULL : answer->id, error, cause);
	answer_end(answer);
}

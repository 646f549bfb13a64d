/* Messages of the control protocol (JSON-RPC 2.0, vmdeck-protocol(7)). Any thread. */
#include "control/message.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_STRING_MAX 131100 /* bytes: a frame, two digits each */

/* A request is an object with params in it, and in these an array of names. */
const struct json_limits message_to_deck = {
	.depth = 8, .values = 8192, .string = MESSAGE_STRING_MAX, .number = 64,
};

/* Statistics with their history are 8 deep, and 150,000 numbers. */
const struct json_limits message_to_client = {
	.depth = 16, .values = 1u << 20, .string = MESSAGE_STRING_MAX, .number = 64,
};

static int refuse(struct message *message, int code, struct cause *cause, const char *text)
{
	message->method = NULL;
	message->params = NULL;
	cause_set(cause, EINVAL, "%s", text);
	return code;
}

static bool is_id(const json_t *id)
{
	return json_is_string(id) || json_is_integer(id) || json_is_null(id);
}

static int parse_call(struct message *message, struct cause *cause)
{
	json_t *method = json_object_get(message->root, "method");

	message->params = json_object_get(message->root, "params");
	if (!json_is_string(method))
		return refuse(message, CONTROL_ERROR_REQUEST, cause,
			      "the message has no method (a string)");
	if (message->params && !json_is_object(message->params))
		return refuse(message, CONTROL_ERROR_REQUEST, cause,
			      "params must be an object with names");
	message->method = json_string_value(method);
	message->kind = message->id ? MESSAGE_REQUEST : MESSAGE_NOTIFICATION;
	return 0;
}

static int parse_answer(struct message *message, struct cause *cause)
{
	json_t *error = json_object_get(message->root, "error"), *code, *text, *name;

	message->result = json_object_get(message->root, "result");
	if (!message->id || !error == !message->result)
		return refuse(message, CONTROL_ERROR_REQUEST, cause,
			      "the message is neither a request nor a response");
	if (!error) {
		message->kind = MESSAGE_RESPONSE;
		return 0;
	}
	code = json_object_get(error, "code");
	text = json_object_get(error, "message");
	name = json_object_get(json_object_get(error, "data"), "errno");
	if (!json_is_integer(code) || !json_is_string(text))
		return refuse(message, CONTROL_ERROR_REQUEST, cause,
			      "the error has no code or no message");
	message->kind = MESSAGE_ERROR;
	message->code = (int)json_integer_value(code);
	message->text = json_string_value(text);
	message->name = json_is_string(name) ? json_string_value(name) : "";
	return 0;
}

int message_parse(struct message *message, const struct json_limits *limits, const char *line,
		  size_t size, struct cause *cause)
{
	json_error_t error;
	json_t *version, *id;

	memset(message, 0, sizeof(*message));
	if (json_limits_check(limits, line, size, cause) < 0) {
		cause_prefix(cause, -E2BIG, "too much for one message");
		return CONTROL_ERROR_REQUEST;
	}
	message->root = json_loadb(line, size, JSON_REJECT_DUPLICATES, &error);
	if (!message->root) {
		cause_set(cause, EINVAL, "not JSON at column %d: %s", error.column, error.text);
		return CONTROL_ERROR_PARSE;
	}
	if (json_is_array(message->root))
		return refuse(message, CONTROL_ERROR_REQUEST, cause,
			      "batches are not taken; send one message a line");
	id = json_object_get(message->root, "id");
	if (id && !is_id(id))
		return refuse(message, CONTROL_ERROR_REQUEST, cause,
			      "id must be a string, an integer or null");
	message->id = id;
	version = json_object_get(message->root, "jsonrpc");
	if (!json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0)
		return refuse(message, CONTROL_ERROR_REQUEST, cause,
			      "the message lacks \"jsonrpc\":\"2.0\"");
	if (json_object_get(message->root, "method"))
		return parse_call(message, cause);
	return parse_answer(message, cause);
}

void message_release(struct message *message)
{
	json_decref(message->root);
	memset(message, 0, sizeof(*message));
}

/* object with one member more; takes both over, and either may be a failed allocation. */
static json_t *with(json_t *object, const char *key, json_t *value)
{
	if (!object) {
		json_decref(value);
		return NULL;
	}
	if (json_object_set_new(object, key, value) < 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static json_t *envelope(const char *key, json_t *value)
{
	return with(with(json_object(), "jsonrpc", message_text("2.0")), key, value);
}

json_t *message_notification(const char *method, json_t *params)
{
	json_t *object = envelope("method", message_text(method));

	return params ? with(object, "params", params) : object;
}

json_t *message_request(json_t *id, const char *method, json_t *params)
{
	return with(message_notification(method, params), "id", id);
}

json_t *message_response(json_t *id, json_t *result)
{
	return with(envelope("result", result), "id", id ? id : json_null());
}

json_t *message_error(json_t *id, int code, const char *text, int error)
{
	json_t *body = json_object();
	const char *name = error ? strerrorname_np(error) : NULL;

	body = with(body, "code", json_integer(code));
	body = with(body, "message", message_text(text));
	if (name)
		body = with(body, "data", json_pack("{s:o}", "errno", message_text(name)));
	return with(envelope("error", body), "id", id ? id : json_null());
}

char *message_line(json_t *object, size_t *size)
{
	char *text = object ? message_dump(object, JSON_COMPACT, size) : NULL;

	if (text)
		text[(*size)++] = '\n';
	json_decref(object);
	return text;
}

/*
 * The messages of the control protocol: JSON-RPC 2.0, one object a line.
 * vmdeck-protocol(7) is the specification. Any thread.
 */
#ifndef CONTROL_MESSAGE_H
#define CONTROL_MESSAGE_H

#include <jansson.h>
#include <stddef.h>

#include "base/cause.h"
#include "control/limits.h"
#include "control/message_text.h"
#include "control/protocol.h"

enum message_kind { MESSAGE_REQUEST, MESSAGE_NOTIFICATION, MESSAGE_RESPONSE, MESSAGE_ERROR };

/* One message, taken apart; the pointers live as long as root. */
struct message {
	enum message_kind kind;
	json_t *root;	    /* release it with message_release() */
	json_t *id;	    /* NULL in a notification */
	const char *method; /* of requests and notifications */
	json_t *params;	    /* an object, or NULL when absent */
	json_t *result;	    /* of a response */
	int code;	    /* of an error */
	const char *text;   /* of an error */
	const char *name;   /* of an error: data.errno, or "" */
};

/* What a message may hold, beside its length: one to the deck, and one to a client. */
extern const struct json_limits message_to_deck, message_to_client;

/*
 * Reads one line (without newline). 0, or a CONTROL_ERROR_PARSE or
 * CONTROL_ERROR_REQUEST with a sentence in cause; then *message holds only the
 * id, if one could be read, and is still to be released. A line beyond limits
 * is not parsed.
 */
int message_parse(struct message *message, const struct json_limits *limits, const char *line,
		  size_t size, struct cause *cause);
void message_release(struct message *message);

/*
 * Messages as objects; the references params, result and id are taken over, also on
 * failure. NULL when memory is short. params may be NULL; id NULL is JSON's null.
 */
json_t *message_request(json_t *id, const char *method, json_t *params);
json_t *message_notification(const char *method, json_t *params);
json_t *message_response(json_t *id, json_t *result);

/* error: a positive errno that becomes data.errno, or 0 for none. */
json_t *message_error(json_t *id, int code, const char *text, int error);

/*
 * The line to send, newline included, malloc'd; takes the object over. NULL
 * when object is NULL or memory is short.
 */
char *message_line(json_t *object, size_t *size);

#endif

/*
 * A request while its handler runs: its parameters, and how it is answered, at
 * once or later. Deck thread.
 */
#ifndef CORE_SERVER_REQUEST_H
#define CORE_SERVER_REQUEST_H

#include <jansson.h>

#include "base/cause.h"
#include "control/methods.h"
#include "core/server/parts.h"

struct request {
	struct peer *peer;
	struct server *server;
	struct deck *deck;
	const struct method *method;
	json_t *id;	     /* or NULL: nobody waits for an answer */
	json_t *params;	     /* checked against the table; or NULL */
	struct guest *guest; /* whom "guest" names, in a state that the table allows */
	json_t *result;	     /* the handler's answer; NULL: {} */
	bool deferred;	     /* the handler took the answer upon itself */
	void (*then)(struct peer *peer, void *arg); /* called after the answer was queued */
	void *then_arg;
};

/*
 * Who carries a method out that is no order to a guest: a row in the table of the file that
 * does it. 0, or a negative errno with a cause, which becomes the error; -EBUSY means that
 * the state is wrong.
 */
struct handler {
	enum method_id method;
	int (*run)(struct request *request, struct cause *cause);
};

#define HANDLERS_END { METHOD_COUNT, NULL }

/* Answers with request->result, which is taken over, or with the error and its cause. */
void request_answer(struct request *request, int error, const struct cause *cause);

/* An answer that comes later; embedded in what works for it. */
struct answer {
	struct peer *peer;
	json_t *id;
	bool detached;
};

/*
 * Leaves the answer for later; the peer's further requests wait, or, detached, are carried out
 * and answered meanwhile. answer_result() or answer_error() is due; one that is detached gets
 * lost when the connection has become a raw stream.
 */
void request_defer(struct request *request, struct answer *answer);
void request_detach(struct request *request, struct answer *answer);
void answer_result(struct answer *answer, json_t *result); /* taken over; NULL: {} */
void answer_error(struct answer *answer, int error, const struct cause *cause);

/* Parameters that the table has checked; what is missing or null is NULL, standard, false. */
const char *param_string(const struct request *request, const char *name);
uint64_t param_integer(const struct request *request, const char *name, uint64_t standard);
bool param_bool(const struct request *request, const char *name);

#endif

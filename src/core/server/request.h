/*
 * Commands: a handler for each method of control/methods.h, and what handlers
 * use to answer. Deck thread.
 */
#ifndef CORE_SERVER_REQUEST_H
#define CORE_SERVER_REQUEST_H

#include <jansson.h>

#include "base/cause.h"
#include "control/methods.h"
#include "core/server/peer.h"

/* One request while its handler runs. */
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
 * Does what was asked. 0, or a negative errno with a cause, which becomes the error; -EBUSY
 * means that the state is wrong.
 */
typedef int (*command_run)(struct request *request, struct cause *cause);

/* An answer that comes later; embedded in what works for it. */
struct answer {
	struct peer *peer;
	json_t *id;
};

/* Leaves the answer for later; the peer's further requests wait. One of the next two is due. */
void request_defer(struct request *request, struct answer *answer);
void answer_result(struct answer *answer, json_t *result); /* taken over; NULL: {} */
void answer_error(struct answer *answer, int error, const struct cause *cause);

/* Parameters that the table has checked; what is missing or null is NULL, standard, false. */
const char *param_string(const struct request *request, const char *name);
uint64_t param_integer(const struct request *request, const char *name, uint64_t standard);
bool param_bool(const struct request *request, const char *name);

/* commands/guest.c */
int command_guest_list(struct request *request, struct cause *cause);
int command_guest_show(struct request *request, struct cause *cause);
int command_guest_start(struct request *request, struct cause *cause);
int command_guest_stop(struct request *request, struct cause *cause);
int command_guest_off(struct request *request, struct cause *cause);
int command_guest_pause(struct request *request, struct cause *cause);
int command_guest_resume(struct request *request, struct cause *cause);
int command_guest_reset(struct request *request, struct cause *cause);

/* commands/deck.c */
int command_hello(struct request *request, struct cause *cause);
int command_deck_reload(struct request *request, struct cause *cause);
int command_deck_quit(struct request *request, struct cause *cause);
int command_profile_check(struct request *request, struct cause *cause);

/* commands/switch.c */
int command_switch_list(struct request *request, struct cause *cause);

/* An array of {line, text}. */
json_t *mistakes_json(const struct profile_report *report);

/* "52:54:00:12:34:56" and, of an address in host byte order, "10.0.2.15". */
json_t *mac_json(const uint8_t mac[NET_MAC_SIZE]);
json_t *address_json(uint32_t address);

#endif

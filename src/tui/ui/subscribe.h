/*
 * Subscriptions: notifications that the server of a deck sends until they are
 * cancelled. One request at a time is under way, whatever is wanted meanwhile.
 * Screen thread only.
 */
#ifndef TUI_UI_SUBSCRIBE_H
#define TUI_UI_SUBSCRIBE_H

#include "tui/ui/ui.h"

struct subscription {
	struct tui_deck *deck;
	const char *name; /* "packets", of packets.subscribe, packets.cancel and its notifications */

	/* The answer to a request, as of client_reply; it may start another one. */
	void (*answered)(void *arg, json_t *result, const struct client_error *error);
	void (*notified)(void *arg, const json_t *params);
	void *arg;

	json_int_t id; /* 0: none is there */
	bool asked;    /* an answer is awaited */
	bool stopped;  /* what is asked for is to be cancelled then, */
	json_t *next;  /* or to be replaced by one with these parameters */
	struct subscription *behind; /* in the deck's list */
};

/* Adds one whose deck, name, callbacks and arg are set to the deck's list. */
void subscription_add(struct subscription *subscription);

/* Asks for it with params (taken over), in place of the one that is there. */
void subscription_start(struct subscription *subscription, json_t *params);
void subscription_stop(struct subscription *subscription);

/* Forgets what it holds; the connection is closed already. */
void subscription_destroy(struct subscription *subscription);

/* A notification of the server, for the subscription that it is of. */
void subscriptions_notified(struct tui_deck *deck, const char *method, const json_t *params);

#endif

/*
 * How clients end the deck: by deck.quit, or by leaving one where nothing runs. Deck
 * thread.
 */
#ifndef CORE_SERVER_LEAVE_H
#define CORE_SERVER_LEAVE_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/deck/deck.h"
#include "core/server/peer.h"

/* All zero but for what leave_init() sets. */
struct leave {
	struct deck *deck;
	const struct peers *peers;
	bool quitting;
	bool kept; /* the deck stays when its clients leave */
	bool left; /* the deck ends with its last peer */
	struct loop_task last_peer;
	void (*quit)(void *arg); /* the last guest has ended; or NULL */
	void *quit_arg;
};

void leave_init(struct leave *leave, struct deck *deck, const struct peers *peers);
void leave_destroy(struct leave *leave);

/* Ends the guests and then the deck; the second time, with force, those that still run. */
void leave_end(struct leave *leave, bool force);

/* The process client leaves the deck: see server_leave(). Whether the deck ends now. */
bool leave_client(struct leave *leave, pid_t client);

/* No connection is left. */
void leave_last_closed(struct leave *leave);

/* A guest changed its state: who left did not leave this deck. */
void leave_revoke(struct leave *leave);

#endif

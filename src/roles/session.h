/*
 * A deck of our own with its control server, and the thread that serves both.
 * The role that opens it runs on another thread and reaches it as a client, by
 * deck_session_dial(), or hands over the loop tasks.
 */
#ifndef ROLES_SESSION_H
#define ROLES_SESSION_H

#include <pthread.h>
#include <stdbool.h>

#include "base/cause.h"
#include "base/loop.h"
#include "base/thread.h"
#include "core/deck/deck.h"
#include "core/server/server.h"
#include "roles/roles.h"

struct deck_session {
	struct deck *deck;
	pthread_mutex_t lock;
	struct server *server; /* guarded by lock once the deck thread runs; NULL at its end */
	struct thread thread;
	struct loop_task start;
	struct loop_task off;  /* post it: takes every guest's power and ends the deck */
	struct loop_task left; /* post it: this process is no client of the deck any more */
	bool keep;  /* the deck stays when nobody uses it */
	bool force; /* deck_session_end_guests(): the second time */
};

/* The deck and its server, on no thread yet. Zeroed but for keep; on failure nothing is left. */
int deck_session_open(struct deck_session *session, const struct role_config *config,
		      struct cause *cause);

/*
 * Serves the deck until it is told to quit; then closes every connection. On the
 * deck thread, which deck_session_start() makes; on failure of that nothing is left.
 */
void deck_session_serve(struct deck_session *session);
int deck_session_start(struct deck_session *session, struct cause *cause);

/* After deck_session_start(): waits for the deck's end. */
void deck_session_close(struct deck_session *session);

/*
 * A client's end of a connection to the server, or a negative errno with a cause; arg:
 * the session. Any thread.
 */
int deck_session_dial(void *arg, struct cause *cause);

/* Deck thread. Presses every power button; when asked again, switches everything off. */
void deck_session_end_guests(struct deck_session *session);

#endif

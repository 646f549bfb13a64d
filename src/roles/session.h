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
#include "roles/logfile.h"
#include "roles/roles.h"
#include "roles/signals.h"

struct deck_session {
	struct deck *deck;
	pthread_mutex_t lock;
	struct server *server; /* guarded by lock once the deck thread runs; NULL at its end */
	struct deck_signals signals; /* not of one that is alone */
	struct thread thread;
	bool started; /* the thread */
	const char *profiles[2];
	const struct endpoint *endpoint;
	char *lock_path; /* of the profiles; NULL: they are not locked */
	int lock_fd;
	struct loop_timer look; /* whether the lock is there */
	struct logfile log; /* but for a deck that is alone */
	struct loop_task start;
	struct loop_timer listen; /* alone: who asks for the guest can wait until it has begun */
	/* For the role to post to the deck's loop: */
	struct loop_task over; /* no guest is started any more */
	struct loop_task off;  /* takes every guest's power and ends the deck */
	struct loop_task press, force; /* as a first and a second signal do */
	struct loop_task left; /* this process is no client of the deck any more */
	char given_up[200];  /* guests, see deck_session_gave_up(); or "" */
	bool captures_left;
	bool keep;  /* the deck stays when nobody uses it */
	bool alone; /* starts nothing by itself, and does without a socket that another deck has */
};

/*
 * The deck and its server, on no thread yet. Zeroed but for keep and alone. On failure
 * it is to be closed all the same.
 */
int deck_session_open(struct deck_session *session, const struct role_config *config,
		      struct cause *cause);

/*
 * Serves the deck until it is told to quit; then closes every connection. On the
 * deck thread, which deck_session_start() makes.
 */
void deck_session_serve(struct deck_session *session);
int deck_session_start(struct deck_session *session, struct cause *cause);

/* Waits for the end of the deck that was started. Valid after a failure. */
void deck_session_close(struct deck_session *session);

/* After that: whether something of it could not be ended, so that the process is to end; what. */
bool deck_session_gave_up(const struct deck_session *session);
void deck_session_say_given_up(const struct deck_session *session);

/*
 * A client's end of a connection to the server, or a negative errno with a cause; arg:
 * the session. Any thread.
 */
int deck_session_dial(void *arg, struct cause *cause);

#endif

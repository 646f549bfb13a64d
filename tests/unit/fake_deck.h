/*
 * A deck without machines, for tests of the control server and of its
 * clients: guests that change state when told, consoles that tests print to,
 * switches and captures of invented content. The deck's loop runs on a thread
 * of its own, as in the program.
 *
 * Guests at first: "broken" (invalid), "db" (defined, 4 CPUs), "web" (running,
 * 2 CPUs). "db" has a virtio console. "broken" has no statistics. Starting "db" works; starting it while
 * fake->start_crashes makes it crash.
 */
#ifndef TESTS_UNIT_FAKE_DECK_H
#define TESTS_UNIT_FAKE_DECK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "control/client.h"
#include "core/bus/screen.h"
#include "core/deck/deck.h"
#include "core/server/server.h"
#include "net/capture/capture.h"

#define FAKE_TYPED_MAX 65536

struct fake_deck {
	struct deck *deck;
	struct server *server;
	pthread_t thread;
	char folder[64];	/* temporary, mode 0700 */
	char socket[96];	/* in it */
	struct endpoint endpoint; /* the same */
	atomic_bool quit;	/* deck.quit has come to its end */
	atomic_bool start_crashes;
	atomic_bool forced;	/* by deck_end() */
	atomic_bool answers;	/* whoever has a file of a path with "hung" in it */
	char notice[256];	/* guarded by lock */

	/* What was typed into "web", and how much its serial port takes of it. */
	pthread_mutex_t lock;
	char typed[FAKE_TYPED_MAX];
	size_t typed_size, typed_room;
	unsigned breaks; /* that were sent */
	unsigned window_line, rows, columns; /* of the console of which something was said last */

	/* What "web", and no other, has on its screen, and what was typed on its keyboard. */
	struct screen screen;
	char keys[4096];
	size_t keys_size, keys_room;
};

/* Starts a deck, its loop and a server on fake->socket. */
void fake_start(struct fake_deck *fake);
void fake_stop(struct fake_deck *fake);

/* For cmocka: *state is a deck that clients find by VMDECK_SOCKET. */
int fake_setup(void **state);
int fake_teardown(void **state);

/* Calls run(deck, arg) on the deck thread and waits for its end. */
void fake_call(struct fake_deck *fake, void (*run)(struct deck *deck, void *arg), void *arg);

/* A connected client over a socketpair; the caller frees it. */
struct link *fake_link(struct fake_deck *fake);
int fake_socket(struct fake_deck *fake); /* its bare fd */

/* Any thread: the guest prints. */
void fake_print(struct fake_deck *fake, const char *guest, const void *data, size_t size);

/* A new sample of all statistics of a guest: each field gets base + its number. */
void fake_sample(struct fake_deck *fake, const char *guest, float base);

/* Changes a guest's state, with an event. */
void fake_set_state(struct fake_deck *fake, const char *guest, enum guest_state state,
		    const char *reason);
void fake_log(struct fake_deck *fake, const char *text);

/* The guest's profile goes away. */
void fake_remove(struct fake_deck *fake, const char *guest);

/* count packets pass; every running capture gets them, on a thread that is not the deck's. */
void fake_packets(struct fake_deck *fake, unsigned count);

/* Every capture to a file or stream ends by itself. */
void fake_end_captures(struct fake_deck *fake, int error, const char *why);

bool fake_noticed(struct fake_deck *fake, const char *text); /* the last deck_notice() */
unsigned fake_captures(struct fake_deck *fake); /* that run now */
unsigned fake_prepared(struct fake_deck *fake); /* captures prepared since the program began */

#endif

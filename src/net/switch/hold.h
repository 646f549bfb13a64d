/*
 * A breakpoint of a port: a frame that the port sends and that matches a filter is held, and
 * behind it, in order, all that the port sends after it, until somebody has decided what becomes
 * of the first one. Then it goes on, and what was behind it up to the next one that matches.
 *
 * Who sends from the port offers frames, and lets go what goes on, in the port's turn. Who looks
 * and decides is any thread. The lock is held for no longer than one of these takes.
 */
#ifndef NET_SWITCH_HOLD_H
#define NET_SWITCH_HOLD_H

#include <pthread.h>
#include <stdbool.h>

#include "base/filter.h"
#include "net/frame/frame.h"

#define HOLD_FRAMES 1024u	/* at most, */
#define HOLD_BYTES (8u << 20)	/* or so many; a single one always fits */

struct held_frame {
	struct held_frame *next;
	uint64_t since; /* CLOCK_REALTIME, ns */
	struct net_frame frame;
	struct iovec rest;
	uint8_t bytes[];
};

struct hold {
	pthread_mutex_t lock; /* guards what follows */
	struct filter filter;
	char *words; /* what that was compiled from; NULL: nothing is stopped any more */
	struct held_frame *first, **end;
	unsigned count;
	size_t bytes;
	bool decided, dropped;	    /* of the first one */
	bool stopped, told;	    /* it waits for a decision, and that was told */
	uint8_t whole[NET_FRAME_MAX]; /* a frame that is looked at */
};

enum hold_fate {
	HOLD_PASSES, /* it goes on at once */
	HOLD_STOPS,  /* the first one that is held */
	HOLD_KEEPS,  /* behind it */
	HOLD_FULL,   /* there is no room for it */
};

struct hold *hold_new(void);	     /* that stops nothing; NULL: no memory */
void hold_free(struct hold *hold); /* with what it holds; NULL is valid */

/*
 * What is stopped from here on; both are taken over. words NULL: nothing, and all that is held is
 * to go on. What is held otherwise stays so.
 */
void hold_set(struct hold *hold, struct filter *filter, char *words);

/* Nothing is stopped from here on; both are the caller's, words NULL if nothing was. */
void hold_give_up(struct hold *hold, struct filter *filter, char **words);

/* A frame without unfinished offloads. */
enum hold_fate hold_offer(struct hold *hold, const struct net_frame *frame);

/*
 * Decides about the first one. frame: bytes to go on in its place, NET_FRAME_MIN to NET_FRAME_MAX,
 * or NULL. -ENOENT: none is held; -EALREADY: that was decided; -ENOMEM.
 */
int hold_decide(struct hold *hold, bool drop, const struct net_frame *frame);

/* The next one that goes on, which is the caller's, or that was to be dropped; NULL: none does. */
struct held_frame *hold_take(struct hold *hold, bool *dropped);

/* Whether something is held about which nothing is decided; that goes on; or nothing is held. */
enum hold_state { HOLD_EMPTY, HOLD_READY, HOLD_STOPPED };
enum hold_state hold_state(struct hold *hold);

#endif

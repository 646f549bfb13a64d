/*
 * One way of a port on which frames are impaired: what is drawn for each, and a bounded store of
 * copies of those that go on later, or that wait behind others for the receiver's room.
 *
 * Threads that send frames this way offer them; the thread of late.h takes what is due. Each
 * lane has a lock, which is held for no longer than one of these takes.
 */
#ifndef NET_SWITCH_LANE_H
#define NET_SWITCH_LANE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counter.h"
#include "net/frame/frame.h"
#include "net/switch/impair.h"

#define LANE_BYTES (64u << 20)
#define LANE_NEVER UINT64_MAX

struct net_port;

struct lane_frame {
	uint64_t time;	/* when it goes on: CLOCK_MONOTONIC, ns */
	uint64_t order; /* among those of one time */
	uint32_t from;	/* slot of the port that sent it */
	struct net_frame frame;
	struct iovec rest;
	uint8_t bytes[];
};

struct lane {
	struct net_port *port;
	enum net_way way;
	struct lane *next; /* of all lanes, see late.h */

	pthread_mutex_t lock; /* guards what follows */
	struct impair impair;
	struct lane_frame **heap; /* by time and order */
	size_t count, room, bytes;
	uint64_t orders;
	bool open;     /* all that it holds is due */
	uint64_t hold; /* nothing goes on before: the receiver had no room */
	struct net_impaired done;
};

struct lane *lane_new(struct net_port *port, enum net_way way); /* NULL: no memory */
void lane_free(struct lane *lane); /* with what it holds; NULL is valid */

/* Begins with these settings; seed is for those that have none. */
void lane_begin(struct lane *lane, const struct net_impairment *settings, uint64_t seed);

/* What it holds is due, and no more is held: the settings do nothing any more. */
void lane_open(struct lane *lane);

/*
 * A frame comes this way. Returns how many times it goes on at once; else *verdict is set to the
 * NET_DROP_* of one that goes on neither now nor later. *due: when the lane has something due,
 * if that is earlier than it was, else LANE_NEVER.
 */
unsigned lane_offer(struct lane *lane, const struct net_frame *frame, uint32_t from, uint64_t now,
		    enum net_verdict *verdict, uint64_t *due);

/* A frame that went on finds no room: it waits at the front. False: there is no room here. */
bool lane_keep(struct lane *lane, const struct net_frame *frame, uint32_t from, uint64_t now,
	       uint64_t *due);

/* The next one that is due, which is the caller's; NULL: none is. */
struct lane_frame *lane_take(struct lane *lane, uint64_t now);

/* Takes one back for which there was no room, and holds the lane until then. */
void lane_put_back(struct lane *lane, struct lane_frame *frame, uint64_t hold);

/* When something is due, or LANE_NEVER. */
uint64_t lane_due(struct lane *lane);

/* Forgets what the port at this slot has sent, or all that it holds; returns how many frames. */
#define LANE_ALL UINT32_MAX

size_t lane_forget(struct lane *lane, uint32_t from);

void lane_count(struct lane *lane, struct net_impaired *out);

#endif

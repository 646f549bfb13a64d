/*
 * Frames that go on later: all lanes of a set of switches, and what lets go on what is due, a
 * timer of the thread that serves the switches' own ports.
 *
 * lock is held while frames go on, so that who has it knows that none does. It is taken before a
 * port's turn, a lane's lock and those of deliver(), and behind the set's.
 */
#ifndef NET_SWITCH_LATE_H
#define NET_SWITCH_LATE_H

#include <stdatomic.h>

#include "base/loop.h"
#include "net/switch/lane.h"

struct late {
	pthread_mutex_t lock; /* guards lanes */
	struct lane *lanes;
	struct loop *loop; /* NULL: nobody serves them, and late_run() is to be called */
	struct loop_timer timer;
	struct loop_task task;
	_Atomic uint64_t next; /* when it looks at them of its own accord */
	uint64_t (*now)(void); /* CLOCK_MONOTONIC, or a test's */
	void (*release)(struct lane *lane, uint64_t now); /* see release.h */
};

void late_init(struct late *late, void (*release)(struct lane *lane, uint64_t now));
void late_destroy(struct late *late); /* without lanes, and its loop does not run */

/* From now on the loop's thread runs it. Once, before there is a lane. */
void late_serve(struct late *late, struct loop *loop);

/* Any thread, the lock held. */
void late_add(struct late *late, struct lane *lane);
void late_remove(struct late *late, struct lane *lane); /* NULL is valid */

/* Any thread, no lock held: a lane has something due then. */
void late_wake(struct late *late, uint64_t due);

/* Lets go on what is due; returns when there will be more, or LANE_NEVER. */
uint64_t late_run(struct late *late);

#endif

/*
 * The last buffers of a receive queue, kept for senders that fill little of it: a
 * port that floods another, or all of them, would leave no room for what the others
 * send there. How many the driver gives at most is watched, as it need not fill the
 * ring. Accounting alone; whatever guards the queue guards this.
 */
#ifndef NET_PORT_RESERVE_H
#define NET_PORT_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

#define RESERVE_PART 8	  /* of the driver's buffers one is kept */
#define RESERVE_HEAVY 16  /* a sender of more than such a part of the last frames gets none of it */
#define RESERVE_FRAMES 1024 /* these frames, about */
#define RESERVE_PLACES 64 /* senders with the same remainder are taken for one */

struct reserve {
	uint32_t recent[RESERVE_PLACES]; /* frames of senders, halved now and then */
	uint32_t total;			 /* their sum */
	uint32_t most, seen; /* buffers free just after the driver gave some: of late, this period */
	uint32_t left;	     /* free at most, unless the driver gives some */
};

/* A driver begins. */
void reserve_init(struct reserve *reserve);

/* A sender has a frame while so many buffers are free; whether it may have what there is. */
bool reserve_admit(struct reserve *reserve, uint32_t from, uint32_t free);

#endif

/*
 * Frames that stay with their sender, because the one receiver that they go to has no room
 * for now but tells when it has. A burst decides of each frame whether it stays; the sender
 * offers what stayed again, in order, with switch_send(). What goes to the same receiver stays
 * behind it, what goes to others does not. A receiver that has taken nothing for as long as a frame
 * stays is waited for no more until it has taken something. While a sender has frames for
 * several, those for one of them may not fill all the room that it has for frames that stay. The
 * sender's thread.
 */
#ifndef NET_SWITCH_PARKING_H
#define NET_SWITCH_PARKING_H

#include "net/switch/burst.h"

/* Of a sender; sets of receivers. */
struct parking {
	struct port_set held;  /* frames for them have stayed since switch_offer_again() */
	struct port_set stuck; /* they are not waited for */
	struct port_set took;  /* they have taken something since a frame for them stayed too long */
	struct port_set late;  /* in this burst a frame for them has stayed too long */
	bool is_late;
	uint16_t counts[NET_PORTS_MAX]; /* frames that stay, of those held */
	uint32_t last;			/* receiver */
	unsigned mixed; /* in the last PARKING_MIXED bursts there was another: so many are left */
};

#define PARKING_MIXED 64u

static inline bool parking_holds(const struct net_port *sender, uint32_t slot)
{
	return sender->parking && port_set_has(&sender->parking->held, slot);
}

/* The receiver at slot has taken a frame. */
static inline void parking_took(struct net_port *sender, uint32_t slot)
{
	if (!sender->parking)
		return;
	port_set_add(&sender->parking->took, slot);
	port_set_remove(&sender->parking->stuck, slot);
}

/* Frames of the burst go to the receiver at slot. */
static inline void parking_aim(struct net_port *sender, uint32_t slot)
{
	struct parking *parking = sender->parking;

	if (parking && parking->last != slot) {
		parking->last = slot;
		parking->mixed = PARKING_MIXED;
	}
}

/* Whether frame index, for which there is no room, stays. */
bool parking_park(struct burst *burst, const struct net_port *to, unsigned index);

/* The burst is over. */
void parking_settle(struct net_port *sender);

#endif

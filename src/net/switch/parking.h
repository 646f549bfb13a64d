/*
 * Frames that stay with their sender, because the one receiver that they go to has no room
 * for now but tells when it has. A burst decides of each frame whether it stays; the sender
 * offers what stayed again, in order, with switch_send(). What goes to the same receiver stays
 * behind it, what goes to others does not. A receiver that has taken nothing for as long as a frame
 * stays is waited for no more until it has taken something. The sender's thread.
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
};

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

/* Whether frame index, for which there is no room, stays. */
bool parking_park(struct burst *burst, const struct net_port *to, unsigned index);

/* The burst is over. */
void parking_settle(struct net_port *sender);

#endif

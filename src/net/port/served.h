/*
 * What all ports of the uplink thread have: the way of frames to it, the port in the switch, and
 * frames from it that their receivers have no room for yet.
 */
#ifndef NET_PORT_SERVED_H
#define NET_PORT_SERVED_H

#include "net/port/inbox.h"
#include "net/port/thread.h"

struct served {
	struct uplink *uplink;
	struct inbox inbox;
	struct net_port *net_port; /* NULL: it is not plugged in, or no more */
	struct loop_timer retry;
};

/* 0 or -ENOMEM; to be destroyed in both cases. Any thread but the uplink's, as what follows. */
int served_init(struct served *served, struct uplink *uplink, const struct inbox_ops *ops,
		void *owner);

/* ops NULL: all goes to the inbox, and backend is not looked at. */
int served_plug_in(struct served *served, struct net_switch *sw,
		   const struct net_port_config *config, const struct net_port_ops *ops,
		   void *backend, struct cause *cause);

/* After served_close(). Valid for one that is not plugged in. */
void served_unplug(struct served *served);

void served_destroy(struct served *served); /* valid after a failed served_init() */

/* --- the uplink thread --- */

/* The end of a burst of the port. */
void served_flush(struct served *served);

/* Nothing is taken or sent any more. */
void served_close(struct served *served);

/* Room for a frame of the port, as burst_reserve(); it is sent by served_flush() at the latest. */
static inline uint8_t *served_reserve(struct served *served, size_t size)
{
	return burst_reserve(&served->uplink->burst, &served->inbox, size);
}

/* What is at the room that was reserved last, and not committed yet. */
static inline const uint8_t *served_frame(const struct served *served)
{
	const struct burst *burst = &served->uplink->burst;

	return burst->bytes + burst->used;
}

/* As burst_commit(), with what is unfinished of it; NULL: nothing. */
static inline void served_commit(struct served *served, size_t size,
				 const struct net_offload *offload)
{
	struct burst *burst = &served->uplink->burst;

	burst_commit(burst, size);
	if (size && offload)
		burst->frames[burst->count - 1].offload = *offload;
}

#endif

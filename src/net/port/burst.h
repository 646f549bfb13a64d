/*
 * Frames on their way from a port of the uplink thread into the switch: they
 * are collected, so that the switch sees a burst at a time. The uplink thread's
 * alone. A burst is of one port; it is flushed before that port's turn ends.
 */
#ifndef NET_PORT_BURST_H
#define NET_PORT_BURST_H

#include <stddef.h>
#include <stdint.h>

#include "net/frame/frame.h"
#include "net/port/inbox.h"

struct burst {
	uint8_t *bytes;
	size_t used;
	unsigned count;
	struct net_frame frames[NET_BURST_MAX];
	struct iovec rests[NET_BURST_MAX];
};

int burst_init(struct burst *burst); /* 0 or -ENOMEM */
void burst_destroy(struct burst *burst); /* valid on a zeroed one */

/*
 * Room for a frame of port, of size bytes, at most NET_FRAME_MAX, to be
 * followed by burst_commit(). May flush what was collected before.
 */
uint8_t *burst_reserve(struct burst *burst, struct inbox *port, size_t size);

/* The frame is as large as was reserved, or smaller; 0 takes the room back. */
void burst_commit(struct burst *burst, size_t size);

/* Sends what port has collected; drops it if the port is no more. */
void burst_flush(struct burst *burst, struct inbox *port);

#endif

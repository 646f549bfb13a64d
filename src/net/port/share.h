/*
 * A bounded queue shared out among the ports that fill it, so that one that
 * floods leaves room for the others. A port may hold as much as is still free:
 * one alone takes half of the queue, two take a third each, and a port that
 * comes later finds its place (dynamic thresholds with alpha 1: Choudhury and
 * Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet Switches",
 * IEEE/ACM Transactions on Networking 6(2), 1998). Accounting alone; whatever
 * guards the queue guards this.
 */
#ifndef NET_PORT_SHARE_H
#define NET_PORT_SHARE_H

#include <stdint.h>

#include "net/frame/frame.h"

struct share {
	uint32_t room; /* of the whole queue, in the owner's unit; below 2^31 */
	uint32_t used;
	uint32_t held[NET_PORTS_MAX]; /* by the sender's slot; their sum is used */
};

/* Nothing is held. */
void share_init(struct share *share, uint32_t room);

/*
 * The sender, a slot below NET_PORTS_MAX, wants cost more. NET_FORWARD: it has
 * it; else NET_DROP_NO_BUFFER, nobody could have it, or NET_DROP_OVER_SHARE.
 */
enum net_verdict share_take(struct share *share, uint32_t from, uint32_t cost);

/* What share_take() would say. */
enum net_verdict share_ask(const struct share *share, uint32_t from, uint32_t cost);

/* Of what the sender holds. */
void share_give(struct share *share, uint32_t from, uint32_t cost);

/* All of it, by everyone: the queue is empty. */
void share_clear(struct share *share);

#endif

/*
 * One call of a port's into its switch while it lasts, and what the files on the way of a
 * frame do with it. The sender's thread. Nobody else includes this.
 */
#ifndef NET_SWITCH_BURST_H
#define NET_SWITCH_BURST_H

#include <string.h>

#include "net/switch/switch_private.h"

struct burst {
	struct net_port *sender;
	struct net_switch *sw;
	const struct net_frame *frames;
	unsigned count;
	uint64_t bytes;
	uint64_t offloaded; /* bit i: frame i has something unfinished */
	const struct net_frame *list[NET_BURST_MAX];
	enum net_verdict verdicts[NET_BURST_MAX];
	struct net_port *to[NET_BURST_MAX]; /* of NET_FORWARD */
	uint8_t runs[NET_BURST_MAX];	    /* where runs of frames that went the same way end */
	unsigned run_count;
	enum net_verdict refusals[NET_BURST_MAX]; /* shaped: by the sender's own settings */
	uint16_t tags[NET_BURST_MAX]; /* shaped: the VLAN, and above it the priority */
	uint16_t tag;		      /* of the run that is under way */
	const struct net_frame *passed; /* frames as they go on; NULL: as they are */
	bool shaped;		     /* the sender is not a plain port */
	bool locked;		     /* it is this burst's turn at the sender */
	const struct net_stay *stay; /* what finds no room at its one receiver stays; or NULL */
	uint64_t parked;  /* bit i: frame i stays */
	uint32_t bound;	  /* places above it are not looked at in this burst */
	struct port_set touched; /* to flush */
};

/* Between them ports are there that are found. One at a time of a sender. */
void burst_begin(struct burst *burst, struct net_port *port, const struct net_frame *frames,
		 unsigned count);
void burst_end(const struct burst *burst); /* flushes the ports that were touched */

/* Whether a frame is what it says: NET_FORWARD, or NET_DROP_*. */
enum net_verdict burst_check(const struct net_frame *frame);

/* The sender's, or NULL: no memory. */
struct offload_scratch *burst_scratch(const struct burst *burst);

/* All that there is to be done of its frames; refusals are set if shaped is. */
void burst_pass(struct burst *burst);

/* Frames first to first + count - 1 to one port; verdicts[0] is the first one's. */
void burst_deliver(struct burst *burst, struct net_port *to, unsigned first, unsigned count,
		   enum net_verdict *verdicts);

/* The same of a port that is not asked whether it is in the frames' VLAN and so on. */
void burst_offer(struct burst *burst, struct net_port *to, unsigned first, unsigned count,
		 enum net_verdict *verdicts);

/* Frames first to first + count - 1 to all ports but the sender's. */
void burst_flood(struct burst *burst, unsigned first, unsigned count);

/* Counts, at the receiver, what became of frames that were offered to it. */
void burst_account(struct net_port *to, const struct net_frame *const *frames, unsigned count,
		   const enum net_verdict *verdicts, unsigned taken);

/* Whether there is no room for now, which is no reason against the frame itself. */
static inline bool verdict_is_want_of_room(enum net_verdict verdict)
{
	return verdict == NET_DROP_NO_BUFFER || verdict == NET_DROP_OVER_SHARE;
}

static inline struct net_port *burst_port(const struct burst *burst, uint32_t slot)
{
	if (slot >= burst->bound)
		return NULL; /* added since the burst began */
	/* Ordered after the mark that this thread's port is reading. */
	return atomic_load_explicit(&burst->sw->ports[slot], memory_order_seq_cst);
}

static inline void burst_clear(const struct burst *burst, struct port_set *set)
{
	memset(set->bits, 0, (burst->bound + 63) / 64 * sizeof(set->bits[0]));
}

/* The first of the set from slot on that is still there, with *slot its own; or NULL. */
static inline struct net_port *burst_next(const struct burst *burst, const struct port_set *set,
					  uint32_t *slot)
{
	for (; *slot < burst->bound; ++*slot) {
		uint64_t bits = set->bits[*slot / 64] >> *slot % 64;
		struct net_port *port;

		if (!bits) {
			*slot |= 63;
			continue;
		}
		*slot += (uint32_t)__builtin_ctzll(bits);
		port = burst_port(burst, *slot);
		if (port)
			return port;
	}
	return NULL;
}

#endif

/*
 * Frames that their receivers have no room for, of a sender that has them kept for a while:
 * a list for each receiver, in order. The sender's thread.
 */
#ifndef NET_SWITCH_WAITING_H
#define NET_SWITCH_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "net/frame/frame.h"

#define WAITING_FRAMES 128u /* of a receiver */
#define WAITING_BYTES (256u * 1024)
#define WAITING_ALL 1024u /* frames of all receivers */
#define WAITING_TIME (NS_PER_S / 2)

struct waiting_frame {
	struct waiting_frame *next;
	uint64_t since; /* CLOCK_MONOTONIC, ns */
	uint32_t vlan;
	bool tagged; /* as its receiver is to see it, it has the tag of that */
	struct net_frame frame;
	struct iovec rest;
	uint8_t bytes[];
};

struct waiting_list {
	struct waiting_list *next;
	uint32_t slot; /* of the receiver */
	unsigned count;
	size_t bytes;
	struct waiting_frame *first, **end;
};

struct waiting {
	struct waiting_list *lists; /* none is empty, but where waiting_drop() leaves one */
	unsigned count;		    /* frames in all of them */
};

/* What waits for the receiver at slot, or NULL. */
struct waiting_list *waiting_find(const struct waiting *waiting, uint32_t slot);

/* Keeps a copy as the last one of its receiver, in that VLAN. False: there is no room for it. */
bool waiting_put(struct waiting *waiting, uint32_t slot, uint32_t vlan, bool tagged,
		 const struct net_frame *frame, uint64_t now);

/* Forgets the first one of a list. */
void waiting_drop(struct waiting *waiting, struct waiting_list *list);

/* Removes lists that are empty. */
void waiting_tidy(struct waiting *waiting);

void waiting_destroy(struct waiting *waiting); /* valid for one that is all zero */

#endif

/*
 * A bound on what libslirp keeps of TCP segments that came before those that go
 * first (RFC 9293 §3.10.7.4). It keeps each in a buffer for the largest packet, in a list
 * that it walks for each further one: a guest that leaves out a byte and sends the
 * others one by one takes the memory, and the time, of all. It keeps what is ahead
 * of the number that it acknowledges, until that moves on.
 * The NAT process.
 */
#ifndef NET_PORT_NAT_ORDER_H
#define NET_PORT_NAT_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAT_ORDER_SETS 128u /* a power of two */
#define NAT_ORDER_WAYS 16u
#define NAT_ORDER_CONNECTION 128u /* segments kept of a connection */
#define NAT_ORDER_GUEST 1024u	  /* and of all of a guest's */

/* A connection, of those that libslirp has answered last. */
struct nat_order_entry {
	uint64_t key;	  /* ports and the other side's address; 0: free */
	uint32_t missing; /* the number that is acknowledged */
	uint32_t kept;	  /* segments since then that are ahead of it */
};

/* Of a guest. */
struct nat_order {
	uint64_t seed; /* odd, at random: nobody can aim at a set */
	uint32_t kept; /* of all entries */
	/* Far more than a guest has sockets; in each set the one answered last is the first. */
	struct nat_order_entry entries[NAT_ORDER_SETS][NAT_ORDER_WAYS];
};

/* It is zeroed. */
void nat_order_init(struct nat_order *order);

/* A frame of libslirp's on its way to the guest, of size bytes. */
void nat_order_sent(struct nat_order *order, const uint8_t *frame, size_t size);

/*
 * Whether libslirp may be given a frame of the guest's, which nat_guard() let pass:
 * not a segment that is ahead when enough of those are kept. It is counted then.
 */
bool nat_order_admits(struct nat_order *order, const uint8_t *frame, size_t size);

#endif

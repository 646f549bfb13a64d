/*
 * The host's ports that lead to one guest: which there are to be, and which libslirp
 * listens at. In the NAT process, whose only thread this is.
 *
 * A guest's stack is made anew for each guest at a slot, and its address is known once
 * it has sent something, or has a lease: whenever that may have changed, they are looked
 * through. One that cannot be had is tried again.
 */
#ifndef NET_PORT_NAT_FORWARD_H
#define NET_PORT_NAT_FORWARD_H

#include "net/port/nat_channel.h"
#include "net/port/nat_stack.h"

/* Told of what has become of the port at slot's number index: an errno, or 0: it listens. */
typedef void nat_forward_say(void *arg, uint32_t slot, uint32_t index, int error);

/* Of one port. */
struct nat_forwarder {
	struct nat_host *host;
	nat_forward_say *say;
	void *arg;
	uint32_t slot;
	struct nat_forwards wanted;
	uint64_t stack;	  /* the number of the stack that listens, or 0 */
	uint32_t address; /* and the address that it leads to, in host byte order */
	int errors[NET_FORWARDS_MAX]; /* as told last; -1: not yet */
	struct loop_timer again;
};

/*
 * What the port at slot is to have, in the place of what it had: makes *forwarder, which is
 * NULL before the first one, as long as there is memory. Turns are to be ended then.
 */
void nat_forward_set(struct nat_forwarder **forwarder, struct nat_host *host, uint32_t slot,
		     const struct nat_forwards *wanted, nat_forward_say *say, void *arg);

/* The port has sent a frame. Turns are to be ended then. */
void nat_forward_look(struct nat_forwarder *forwarder);

/* The port is no more. */
void nat_forward_free(struct nat_forwarder **forwarder);

#endif

/*
 * libslirp: a stack is the NAT of one guest. Each guest has its own, so that
 * nothing that one of them fills (the table of ARP, the list of sockets, queues)
 * is another's. In the NAT process, whose only thread this is: libslirp keeps its
 * clock and its DNS servers per process and is not thread-safe.
 *
 * Work comes in turns, in which a stack may be given frames; what is ready is
 * handed over when its turn begins, and what it then waits for is taken down
 * when all turns end.
 */
#ifndef NET_PORT_NAT_STACK_H
#define NET_PORT_NAT_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/loop.h"
#include "net/port/nat_channel.h"
#include "net/port/share.h"

struct nat_stack;
struct nat_watch;

/* What the process is to its stacks; arg is what nat_host_init() was given. */
struct nat_host_ops {
	/* A frame for the guests. */
	void (*send)(void *arg, const uint8_t *frame, size_t size);

	/* Whether there is room for what one socket or one frame can bring about. */
	bool (*has_room)(void *arg);

	/* A stack's time has come; turns have begun, and are to be ended. */
	void (*due)(void *arg);
};

/* What all stacks share. */
struct nat_host {
	struct loop *loop;
	struct nat_setup setup;
	const struct nat_host_ops *ops;
	void *arg;
	struct share sockets; /* by slot */
	uint32_t refused;     /* frames that would have opened one more */
	uint32_t listeners;   /* beside the sockets, at most NAT_LISTENERS_MAX */
	uint64_t made;	      /* stacks, ever */
	int epoll_fd;	      /* set of all sockets */
	bool held;	      /* a socket was ready, but there was no room */
	struct nat_watch *watches; /* by file descriptor */
	uint32_t watch_room;
	struct nat_stack *turns; /* those whose turn it is */
	struct nat_stack *stacks[NET_PORTS_MAX]; /* by slot; NULL: that port has sent nothing */
};

/* Loads libslirp: 0, or a negative errno with a cause that names the package. */
int nat_stack_load(struct cause *cause);

/* For good. 0 or a negative errno. */
int nat_host_init(struct nat_host *host, struct loop *loop, const struct nat_setup *setup,
		  const struct nat_host_ops *ops, void *arg);

/* Begins the turns of those whose sockets are ready. */
void nat_host_poll(struct nat_host *host);

/*
 * Begins the turn of the slot's stack and gives it a frame, at least an Ethernet header; it may
 * be changed.
 */
void nat_host_input(struct nat_host *host, uint32_t slot, uint8_t *frame, size_t size);

/* The slot's stack, if it has a guest's; else NULL. */
struct nat_stack *nat_host_stack(const struct nat_host *host, uint32_t slot);

/* Sees to it that the slot has one, as long as there is memory. Ends all turns. */
void nat_host_stack_new(struct nat_host *host, uint32_t slot);

uint64_t nat_stack_number(const struct nat_stack *stack);  /* no other has had it; not 0 */
uint32_t nat_stack_address(const struct nat_stack *stack); /* that the guest last used, or 0 */

/*
 * Begins the stack's turn and has it take connections for the guest at that address, in host
 * byte order. 0 or a negative errno.
 */
int nat_stack_listen(struct nat_stack *stack, const struct net_forward *forward, uint32_t address);
void nat_stack_unlisten(struct nat_stack *stack, const struct net_forward *forward);

/* Ends all turns. */
void nat_host_end(struct nat_host *host);

/*
 * The port at this slot is no more; ends all turns. Its stack stays for a while:
 * a guest that is loaded from where it was saved comes back to the slot with the
 * same MAC, and goes on with its connections.
 */
void nat_host_forget(struct nat_host *host, uint32_t slot);

#endif

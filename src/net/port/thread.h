/*
 * The uplink thread, one a process: an epoll loop that serves all ports that
 * switches have of their own accord.
 */
#ifndef NET_PORT_THREAD_H
#define NET_PORT_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/loop.h"
#include "base/thread.h"
#include "net/port/burst.h"
#include "net/port/probe.h"

/* Told of what its ports have to say, on the uplink thread, but for what says otherwise. */
struct uplink_listener {
	void (*notice)(void *arg, const char *text); /* a sentence, for the call; any thread; or NULL */
	void (*leased)(void *arg); /* somebody has an address by DHCP, anew or for longer; or NULL */
	void (*held)(void *arg); /* a breakpoint has stopped a frame, or gone; any thread; or NULL */
	void *arg;
};

struct uplink {
	struct loop loop;
	struct uplink_listener listener;
	struct thread thread;
	bool running;
	struct burst burst; /* of the port whose turn it is */
	struct probes probes; /* of its ports */
	int32_t sockets;    /* of the host's, that are left for NAT of further switches */
};

#define UPLINK_SOCKETS 4096 /* that NAT of all switches may have */

/* Starts the thread. Any thread. */
int uplink_new(struct uplink **out, const struct uplink_listener *listener, struct cause *cause);
void uplink_free(struct uplink *uplink); /* its ports have been destroyed; NULL is valid */

/* A port has something to say. Any thread. */
void uplink_notice(struct uplink *uplink, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Has the uplink thread call run(arg), and waits for that. Any thread but the uplink's. */
void uplink_call(struct uplink *uplink, void (*run)(void *arg), void *arg);

#endif

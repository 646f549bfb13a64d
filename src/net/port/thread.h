/*
 * The uplink thread, one a process: an epoll loop that serves all ports that
 * switches have of their own accord.
 *
 * libslirp is not thread-safe, so all instances live on this one thread.
 */
#ifndef NET_PORT_THREAD_H
#define NET_PORT_THREAD_H

#include <stdbool.h>

#include "base/cause.h"
#include "base/loop.h"
#include "base/thread.h"
#include "net/port/burst.h"

struct uplink {
	struct loop loop;
	struct thread thread;
	bool running;
	struct burst burst; /* of the port whose turn it is */
};

/* Starts the thread. Any thread. */
int uplink_new(struct uplink **out, struct cause *cause);
void uplink_free(struct uplink *uplink); /* its ports have been destroyed; NULL is valid */

/* Has the uplink thread call run(arg), and waits for that. Any thread but the uplink's. */
void uplink_call(struct uplink *uplink, void (*run)(void *arg), void *arg);

#endif

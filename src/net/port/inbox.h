/*
 * The way of frames from the switch to a port of the uplink thread.
 *
 * The senders' threads copy what the port wants into a bounded queue, under one
 * short lock; flush wakes the uplink thread once a burst. That takes the whole
 * queue by exchanging two buffers and hands over frame by frame. A full queue
 * is a counted drop, never a wait; each sender has a share of it.
 */
#ifndef NET_PORT_INBOX_H
#define NET_PORT_INBOX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "net/frame/frame.h"
#include "net/port/share.h"
#include "net/switch/switch.h"

/* A copy of a frame. */
struct inbox_frame {
	uint32_t size;
	uint16_t from; /* slot of the port that sent it */
	uint16_t mark; /* admit()'s, for take() */
	uint8_t data[];
};

#define INBOX_GONE UINT16_MAX /* from: that port is no more; such a frame is not handed over */

/* What the port is to its inbox; owner is what inbox_init() was given. */
struct inbox_ops {
	/* On the senders' threads, several at once: whether the port takes such a frame at all. */
	bool (*wants)(const void *owner, const struct net_frame *frame);

	/*
	 * The same, of a copy that nobody else writes to, with the queue's lock
	 * held: NET_FORWARD, with size the same or less and mark as take() is to
	 * find them, or why it is refused.
	 */
	enum net_verdict (*admit)(const void *owner, struct inbox_frame *frame);

	/*
	 * On the uplink thread: the port at this slot is no more, and none of its frames comes
	 * after this. A new port may have the slot then. Not between begin() and end(). Or NULL.
	 */
	void (*forget)(void *owner, uint32_t from);

	/* On the thread that adds a port, at slot from; it takes at most one lock. Or NULL. */
	void (*greet)(void *owner, uint32_t from, const struct net_port_config *config);

	/* On the uplink thread: some frames, with a beginning and an end. */
	void (*begin)(void *owner);
	void (*take)(void *owner, const struct inbox_frame *frame);
	void (*end)(void *owner);
};

/* Copies of frames, each at a multiple of 8. */
struct frame_store {
	uint8_t *bytes;
	size_t used;
	unsigned count;
};

struct inbox {
	const struct inbox_ops *ops;
	void *owner;
	struct loop *loop;

	pthread_mutex_t lock; /* guards queue, share, gone and net_port */
	struct frame_store queue;
	struct share share; /* of queue, in bytes */
	uint64_t gone[NET_PORTS_MAX / 64]; /* bits: senders that forget() is still to be told of */
	bool some_gone;
	struct net_port *net_port; /* NULL: not yet, or no more */
	struct frame_store work;   /* the uplink thread's half */
	bool held;		   /* the uplink thread's: the queue is not taken */
	atomic_bool stored;	   /* since the last flush */
	atomic_bool woken;	   /* the task is queued and has not taken the queue yet */
	struct loop_task task;
};

/* 0 or -ENOMEM; to be destroyed in both cases. Any thread. */
int inbox_init(struct inbox *inbox, struct loop *loop, const struct inbox_ops *ops, void *owner);

/* Neither the switch nor the loop knows it any more. */
void inbox_destroy(struct inbox *inbox);

/* The ops of the port in the switch; backend is the inbox. */
unsigned inbox_deliver(void *backend, uint32_t from, const struct net_frame *const *frames,
		       unsigned count, enum net_verdict *verdicts);
void inbox_flush(void *backend);
void inbox_greet_sender(void *backend, uint32_t from, const struct net_port_config *config);
void inbox_forget_sender(void *backend, uint32_t from);

/* The port has been added to the switch: frames that came before are looked at. Any thread. */
void inbox_open(struct inbox *inbox, struct net_port *net_port);

/* The uplink thread: whether frames stay in the queue, and in their senders' shares, for now. */
void inbox_hold(struct inbox *inbox, bool held);

/* The uplink thread: nothing is taken or sent any more. The port is yet to be removed. */
void inbox_close(struct inbox *inbox);

/* The uplink thread, when the port has been removed: nothing is left to run. */
void inbox_forget(struct inbox *inbox);

/* The port in the switch while it is open, or NULL. Any thread. */
struct net_port *inbox_port(struct inbox *inbox);

#endif

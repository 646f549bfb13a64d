/*
 * The uplink thread and the port by which a switch is on its own network.
 *
 * Frames come from the guests' threads: deliver() copies those that concern
 * the switch into the port's queue under one short lock, flush() wakes the
 * thread once a burst. The thread takes the whole queue by exchanging two
 * buffers, answers DHCP (RFC 2131) itself, gives the rest to libslirp or, on a
 * switch without uplink, to the responder, and sends what comes of it into the
 * switch in bursts.
 *
 * uplink_new(), uplink_attach() and their opposites run on their caller's
 * thread and wait for the uplink thread; the rest is the uplink thread's but
 * for the port ops.
 */
#include "net/port/own.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/clock.h"
#include "base/loop.h"
#include "net/port/nat.h"
#include "net/port/nat_guard.h"
#include "net/service/dhcp.h"
#include "net/service/responder.h"

#define QUEUE_FRAMES 512u
#define QUEUE_BYTES (512u * 1024)
#define BURST_BYTES (128u * 1024) /* at least one frame of NET_FRAME_MAX */
#define NAT_PREFIX_MAX 29         /* the switch, its DNS address and a guest need three */

/* Copies of frames, each behind its size and at a multiple of 8. */
struct frame_store {
	uint8_t *bytes;
	size_t used;
	unsigned count;
};

struct stored_frame {
	uint32_t size;
	uint32_t dhcp; /* not 0: for the DHCP server */
	uint8_t data[];
};

/* Frames that wait for switch_input(); all of one port. */
struct burst {
	uint8_t *bytes;
	size_t used;
	unsigned count;
	struct net_frame frames[NET_BURST_MAX];
	struct iovec rests[NET_BURST_MAX];
};

struct uplink {
	struct loop loop;
	pthread_t thread;
	bool running;
	struct burst burst;
};

struct uplink_port {
	struct uplink *uplink;
	struct switch_config config;
	uint8_t mac[NET_MAC_SIZE];
	uint32_t dns;    /* the address of the DNS of NAT; 0: none */
	struct nat *nat; /* NULL: the responder answers */

	pthread_mutex_t lock; /* guards queue and net_port */
	struct frame_store queue;
	struct net_port *net_port; /* NULL: not yet, or no more */
	struct frame_store work;   /* the uplink thread's half */
	atomic_bool stored;        /* since the last flush() */
	atomic_bool woken;         /* the task is queued and has not taken the queue yet */
	struct loop_task task;

	pthread_mutex_t lease_lock; /* guards dhcp */
	struct dhcp_server *dhcp;
};

/* A function that the uplink thread runs while the caller waits for it. */
struct call {
	struct loop_task task;
	void (*run)(void *arg);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t done_changed;
	bool done;
};

static void run_call(void *arg)
{
	struct call *call = arg;

	call->run(call->arg);
	pthread_mutex_lock(&call->lock);
	call->done = true;
	pthread_cond_signal(&call->done_changed);
	pthread_mutex_unlock(&call->lock);
}

static void uplink_call(struct uplink *uplink, void (*run)(void *arg), void *arg)
{
	struct call call = { .run = run, .arg = arg };

	pthread_mutex_init(&call.lock, NULL);
	pthread_cond_init(&call.done_changed, NULL);
	call.task.run = run_call;
	call.task.arg = &call;
	loop_post(&uplink->loop, &call.task);
	pthread_mutex_lock(&call.lock);
	while (!call.done)
		pthread_cond_wait(&call.done_changed, &call.lock);
	pthread_mutex_unlock(&call.lock);
	pthread_cond_destroy(&call.done_changed);
	pthread_mutex_destroy(&call.lock);
}

static void *uplink_main(void *arg)
{
	struct uplink *uplink = arg;

	loop_run(&uplink->loop);
	return NULL;
}

int uplink_new(struct uplink **out, struct cause *cause)
{
	struct uplink *uplink = calloc(1, sizeof(*uplink));
	sigset_t all, old;
	int error;

	*out = NULL;
	if (!uplink)
		return cause_errno(cause, ENOMEM, "uplink");
	uplink->loop.epoll_fd = -1;
	uplink->burst.bytes = malloc(BURST_BYTES);
	if (!uplink->burst.bytes) {
		uplink_free(uplink);
		return cause_errno(cause, ENOMEM, "uplink");
	}
	error = loop_init(&uplink->loop, cause);
	if (error) {
		uplink_free(uplink);
		return cause_prefix(cause, error, "uplink");
	}
	/* Signals are for other threads; libslirp writes to sockets without MSG_NOSIGNAL. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&uplink->thread, NULL, uplink_main, uplink);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error) {
		uplink_free(uplink);
		return cause_errno(cause, error, "uplink thread");
	}
	uplink->running = true;
	pthread_setname_np(uplink->thread, "uplink");
	*out = uplink;
	return 0;
}

void uplink_free(struct uplink *uplink)
{
	if (!uplink)
		return;
	if (uplink->running) {
		loop_stop(&uplink->loop);
		pthread_join(uplink->thread, NULL);
	}
	loop_destroy(&uplink->loop);
	free(uplink->burst.bytes);
	free(uplink);
}

/* Sends what a port has collected. */
static void burst_flush(void *arg)
{
	struct uplink_port *port = arg;
	struct burst *burst = &port->uplink->burst;
	struct net_port *net_port;

	if (!burst->count)
		return;
	pthread_mutex_lock(&port->lock);
	net_port = port->net_port;
	pthread_mutex_unlock(&port->lock);
	if (net_port)
		switch_input(net_port, burst->frames, burst->count);
	burst->count = 0;
	burst->used = 0;
}

/* Room for a frame of size bytes, at most BURST_BYTES, to be followed by burst_commit(). */
static uint8_t *burst_reserve(struct uplink_port *port, size_t size)
{
	struct burst *burst = &port->uplink->burst;

	if (burst->count == NET_BURST_MAX || size > BURST_BYTES - burst->used)
		burst_flush(port);
	return burst->bytes + burst->used;
}

/* The frame is as large as was reserved, or smaller; 0 takes the room back. */
static void burst_commit(struct uplink_port *port, size_t size)
{
	struct burst *burst = &port->uplink->burst;
	struct net_frame *frame = &burst->frames[burst->count];
	struct iovec *rest = &burst->rests[burst->count];

	if (!size)
		return;
	memset(frame, 0, sizeof(*frame));
	frame->head = burst->bytes + burst->used;
	frame->size = (uint32_t)size;
	frame->head_size = frame->size < NET_HEAD_MAX ? frame->size : NET_HEAD_MAX;
	rest->iov_base = burst->bytes + burst->used + frame->head_size;
	rest->iov_len = size - frame->head_size;
	frame->rest = rest;
	frame->rest_count = rest->iov_len ? 1 : 0;
	burst->used += size;
	burst->count++;
}

static void on_nat_send(void *arg, const uint8_t *frame, size_t size)
{
	struct uplink_port *port = arg;

	if (size > NET_FRAME_MAX)
		return;
	memcpy(burst_reserve(port, size), frame, size);
	burst_commit(port, size);
}

static void take_dhcp(struct uplink_port *port, const uint8_t *frame, size_t size)
{
	uint8_t *reply = burst_reserve(port, DHCP_REPLY_MAX);
	size_t reply_size;

	pthread_mutex_lock(&port->lease_lock);
	reply_size = dhcp_input(port->dhcp, clock_monotonic(), frame, size, reply);
	pthread_mutex_unlock(&port->lease_lock);
	burst_commit(port, reply_size);
}

static void take_frame(struct uplink_port *port, const struct stored_frame *frame)
{
	size_t size = frame->size;
	uint8_t *reply;

	if (frame->dhcp) {
		take_dhcp(port, frame->data, size);
	} else if (port->nat) {
		nat_input(port->nat, frame->data, size);
	} else {
		reply = burst_reserve(port,
				      size < RESPONDER_REPLY_MIN ? RESPONDER_REPLY_MIN : size);
		burst_commit(port, responder_input(port->mac, port->config.address, frame->data,
						   size, reply));
	}
}

/* Takes all that is queued. */
static void take_queue(void *arg)
{
	struct uplink_port *port = arg;
	struct frame_store work;
	size_t at = 0;

	atomic_store(&port->woken, false);
	pthread_mutex_lock(&port->lock);
	if (!port->net_port) { /* uplink_attach() posts the task when there is one */
		pthread_mutex_unlock(&port->lock);
		return;
	}
	work = port->queue;
	port->queue = port->work;
	port->work = work;
	pthread_mutex_unlock(&port->lock);

	if (port->nat && work.count)
		nat_begin(port->nat);
	for (unsigned i = 0; i < work.count; i++) {
		const struct stored_frame *stored = (const void *)(work.bytes + at);

		take_frame(port, stored);
		at += align_up(sizeof(*stored) + stored->size, 8);
	}
	if (port->nat && work.count)
		nat_end(port->nat);
	burst_flush(port);
	port->work.used = 0;
	port->work.count = 0;
}

/* Whether a frame is for the switch: its address filter, as a NIC has one. */
static bool is_ours(const struct uplink_port *port, const struct net_frame *frame)
{
	static const uint8_t all[NET_MAC_SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const uint8_t *head = frame->head;
	bool broadcast;
	uint16_t type;

	if (frame->head_size < NET_FRAME_MIN)
		return false;
	type = get_be16(head + 12);
	broadcast = memcmp(head, all, NET_MAC_SIZE) == 0;
	/* NAT's two addresses have MACs made of 52:55 and the IPv4 address. */
	if (!broadcast && memcmp(head, port->mac, NET_MAC_SIZE) != 0 &&
	    (!port->dns || memcmp(head, port->mac, 2) != 0 || get_be32(head + 2) != port->dns))
		return false;
	if (type == 0x0800)
		return !broadcast || dhcp_is_request(head, frame->head_size, frame->size);
	return type == 0x0806;
}

/* Copies a frame to data, which has room for frame->size; returns how much that was. */
static size_t copy_frame(uint8_t *data, const struct net_frame *frame)
{
	size_t at = frame->head_size;

	memcpy(data, frame->head, at);
	for (uint32_t i = 0; i < frame->rest_count && at < frame->size; i++) {
		size_t n = frame->rest[i].iov_len;

		if (n > frame->size - at)
			n = frame->size - at;
		memcpy(data + at, frame->rest[i].iov_base, n);
		at += n;
	}
	return at;
}

/*
 * Appends a copy to the queue. Whether it is for the DHCP server, and whether
 * libslirp may see it, is decided on the copy: the guest may be changing the
 * original. NET_FORWARD, or why it was refused. The caller holds port->lock.
 */
static enum net_verdict store_frame(struct uplink_port *port, const struct net_frame *frame)
{
	struct frame_store *store = &port->queue;
	struct stored_frame *stored = (void *)(store->bytes + store->used);
	enum net_verdict verdict = NET_FORWARD;
	size_t size;

	if (frame->size > NET_FRAME_MAX || frame->head_size > frame->size ||
	    store->count == QUEUE_FRAMES ||
	    align_up(sizeof(*stored) + frame->size, 8) > QUEUE_BYTES - store->used)
		return NET_DROP_NO_BUFFER;
	size = copy_frame(stored->data, frame);
	stored->dhcp = dhcp_is_request(stored->data, size, size);
	if (!stored->dhcp && port->config.uplink == SWITCH_UPLINK_NAT)
		verdict = nat_guard(stored->data, &size);
	if (verdict != NET_FORWARD)
		return verdict;
	stored->size = (uint32_t)size;
	store->used += align_up(sizeof(*stored) + size, 8);
	store->count++;
	return NET_FORWARD;
}

static unsigned port_deliver(void *backend, const struct net_frame *const *frames, unsigned count,
			     enum net_verdict *verdicts)
{
	struct uplink_port *port = backend;
	unsigned taken = count, stored = 0;
	bool locked = false;

	for (unsigned i = 0; i < count; i++) {
		enum net_verdict verdict;

		if (!is_ours(port, frames[i]))
			continue;
		if (!locked)
			pthread_mutex_lock(&port->lock);
		locked = true;
		verdict = store_frame(port, frames[i]);
		if (verdict == NET_FORWARD) {
			stored++;
		} else {
			verdicts[i] = verdict;
			taken--;
		}
	}
	if (locked)
		pthread_mutex_unlock(&port->lock);
	if (stored)
		atomic_store(&port->stored, true);
	return taken;
}

static void port_flush(void *backend)
{
	struct uplink_port *port = backend;

	if (atomic_exchange(&port->stored, false) && !atomic_exchange(&port->woken, true))
		loop_post(&port->uplink->loop, &port->task);
}

static const struct net_port_ops nat_ops = {
	.kind = "nat",
	.deliver = port_deliver,
	.flush = port_flush,
};

static const struct net_port_ops service_ops = {
	.kind = "service",
	.deliver = port_deliver,
	.flush = port_flush,
};

static void port_free(struct uplink_port *port)
{
	free(port->queue.bytes);
	free(port->work.bytes);
	dhcp_free(port->dhcp);
	pthread_mutex_destroy(&port->lock);
	pthread_mutex_destroy(&port->lease_lock);
	free(port);
}

struct nat_start {
	struct uplink_port *port;
	struct cause *cause;
	int error;
};

static void start_nat(void *arg)
{
	struct nat_start *start = arg;
	struct uplink_port *port = start->port;
	struct nat_config config = {
		.address = port->config.address,
		.dns = port->dns,
		.prefix = port->config.prefix,
		.send = on_nat_send,
		.sent = burst_flush,
		.arg = port,
	};

	start->error = nat_new(&port->nat, &port->uplink->loop, &config, start->cause);
}

static void stop_port(void *arg)
{
	struct uplink_port *port = arg;

	pthread_mutex_lock(&port->lock);
	port->net_port = NULL;
	pthread_mutex_unlock(&port->lock);
	nat_free(port->nat);
	port->nat = NULL;
	port->uplink->burst.count = 0;
	port->uplink->burst.used = 0;
}

static void forget_task(void *arg)
{
	struct uplink_port *port = arg;

	loop_unpost(&port->uplink->loop, &port->task);
}

/* The address after the switch's own, or before it if that is the last one. */
static uint32_t dns_address(const struct switch_config *config)
{
	uint32_t hosts = UINT32_MAX >> config->prefix;

	return ((config->address + 1) & hosts) == hosts ? config->address - 1 : config->address + 1;
}

static int port_new(struct uplink_port **out, struct uplink *uplink,
		    const struct switch_config *config, struct cause *cause)
{
	bool nat = config->uplink == SWITCH_UPLINK_NAT;
	struct uplink_port *port = calloc(1, sizeof(*port));
	struct dhcp_config dhcp = { 0 };
	int error;

	*out = NULL;
	if (!port)
		return cause_errno(cause, ENOMEM, "uplink");
	port->uplink = uplink;
	port->config = *config;
	port->mac[0] = 0x52;
	port->mac[1] = 0x55;
	put_be32(port->mac + 2, config->address);
	port->task.run = take_queue;
	port->task.arg = port;
	pthread_mutex_init(&port->lock, NULL);
	pthread_mutex_init(&port->lease_lock, NULL);
	if (nat)
		port->dns = dns_address(config);

	dhcp.address = config->address;
	dhcp.prefix = config->prefix;
	memcpy(dhcp.mac, port->mac, NET_MAC_SIZE);
	dhcp.router = nat ? config->address : 0;
	dhcp.dns = port->dns;
	dhcp.lease_s = DHCP_LEASE_S;
	error = dhcp_new(&port->dhcp, &dhcp, cause);
	if (error) {
		port_free(port);
		return error;
	}
	/* Beyond malloc's mmap threshold: pages cost memory once frames have used them. */
	port->queue.bytes = malloc(QUEUE_BYTES);
	port->work.bytes = malloc(QUEUE_BYTES);
	if (!port->queue.bytes || !port->work.bytes) {
		port_free(port);
		return cause_errno(cause, ENOMEM, "uplink");
	}
	*out = port;
	return 0;
}

int uplink_attach(struct uplink_port **out, struct uplink *uplink, struct net_switch *sw,
		  const struct switch_config *config, struct cause *cause)
{
	bool nat = config->uplink == SWITCH_UPLINK_NAT;
	struct net_port_config port_config = { 0 };
	char name[NET_PORT_NAME_MAX];
	struct uplink_port *port;
	struct net_port *net_port;
	struct nat_start start = { .cause = cause };
	int error;

	*out = NULL;
	if (nat && config->prefix > NAT_PREFIX_MAX)
		return cause_set(cause, EINVAL,
				 "with NAT the network's prefix is at most %u, not %u",
				 NAT_PREFIX_MAX, config->prefix);
	error = port_new(&port, uplink, config, cause);
	if (error)
		return error;
	if (nat) {
		start.port = port;
		uplink_call(uplink, start_nat, &start);
		if (start.error) {
			port_free(port);
			return start.error;
		}
	}
	snprintf(name, sizeof(name), "%s/%s", config->name, nat ? "nat" : "dhcp");
	port_config.name = name;
	memcpy(port_config.mac, port->mac, NET_MAC_SIZE);
	error = switch_port_add(&net_port, sw, &port_config, nat ? &nat_ops : &service_ops, port,
				cause);
	if (error) {
		uplink_call(uplink, stop_port, port);
		port_free(port);
		return error;
	}
	pthread_mutex_lock(&port->lock);
	port->net_port = net_port;
	pthread_mutex_unlock(&port->lock);
	loop_post(&uplink->loop, &port->task); /* for frames that were quicker than net_port */
	*out = port;
	return 0;
}

void uplink_detach(struct uplink_port *port)
{
	struct net_port *net_port;

	if (!port)
		return;
	net_port = port->net_port;
	uplink_call(port->uplink, stop_port, port);
	switch_port_remove(net_port);
	uplink_call(port->uplink, forget_task, port);
	port_free(port);
}

size_t uplink_list_leases(struct uplink_port *port, struct dhcp_lease_info *out, size_t room)
{
	size_t count;

	pthread_mutex_lock(&port->lease_lock);
	count = dhcp_list(port->dhcp, clock_monotonic(), out, room);
	pthread_mutex_unlock(&port->lease_lock);
	return count;
}

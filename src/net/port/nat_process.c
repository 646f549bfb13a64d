/*
 * The process of a switch's NAT: an epoll loop between its channel and libslirp.
 * Its only thread. What comes through the channel is checked as if the deck were
 * not to be trusted, and what makes no sense ends the process.
 */
#include "net/port/nat_process.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/clock.h"
#include "net/port/nat_channel.h"
#include "net/port/nat_forward.h"
#include "net/port/nat_segments.h"
#include "net/port/nat_stack.h"

#define FRAMES_A_PASS 128u /* between two looks at what else there is to do */
#define ROOM (160u * 1024) /* for what comes of one frame or socket: 128 KiB in segments */
#define DESCRIPTORS_OWN 24u /* beside the sockets */
#define STATUS_BROKEN 2
#define PATIENCE (10 * NS_PER_S) /* to end it costs connections: a busy host is no reason */

/* In one range of memory that never moves: the process has one. */
struct nat {
	struct channel *channel;
	struct loop loop;
	struct loop_source wake, sockets;
	struct loop_task again;
	struct nat_host host;
	struct nat_forwarder *forwarders[NET_PORTS_MAX]; /* by slot; NULL: nothing leads there */
	bool set_up;
	bool blocked; /* until there is room for what the process sends */
	bool sent;    /* since the last publish */
	bool deaf;    /* to sockets, while it is blocked */
	uint8_t frame[NET_FRAME_MAX];
};

static void pass(void *arg);

static void put_record(struct nat *nat, const uint8_t *frame, size_t size, uint32_t mark)
{
	struct channel_writer *out = &nat->channel->out;
	void *room = size <= NET_FRAME_MAX ? channel_reserve(out, (uint32_t)size) : NULL;

	if (!room)
		return;
	memcpy(room, frame, size);
	channel_commit(out, (uint32_t)size, mark);
	nat->sent = true;
}

static void put_plain(void *arg, const uint8_t *frame, size_t size)
{
	put_record(arg, frame, size, 0);
}

static void send_frame(void *arg, const uint8_t *frame, size_t size)
{
	uint32_t segment = nat_segment_of(frame, size);

	if (segment)
		put_record(arg, frame, size, segment);
	else
		nat_fragment(frame, size, put_plain, arg);
}

static void say(void *arg, uint32_t slot, uint32_t index, int error)
{
	const struct nat_said said = { .index = index, .error = (uint32_t)error };

	put_record(arg, (const uint8_t *)&said, sizeof(said), NAT_SAID | slot);
}

static bool has_room(void *arg)
{
	const struct nat *nat = arg;

	return channel_reserve(&nat->channel->out, ROOM) != NULL;
}

static const struct nat_host_ops host_ops = {
	.send = send_frame,
	.has_room = has_room,
	.due = pass,
};

static void __attribute__((noreturn)) broken(void)
{
	_exit(STATUS_BROKEN);
}

static void on_sockets(void *arg, uint32_t events)
{
	(void)events;
	pass(arg);
}

static void set_up(struct nat *nat, const struct nat_setup *setup)
{
	if (nat_host_init(&nat->host, &nat->loop, setup, &host_ops, nat) < 0 ||
	    loop_add(&nat->loop, &nat->sockets, nat->host.epoll_fd, EPOLLIN, on_sockets, nat) < 0)
		broken();
	nat->set_up = true;
}

/* Turns are ended by who has them begun. */
static bool take_forwards(struct nat *nat, uint32_t slot, uint32_t size)
{
	struct nat_forwards wanted;

	if (!nat->set_up || size != sizeof(wanted))
		return false;
	memcpy(&wanted, nat->frame, sizeof(wanted));
	if (wanted.forwards.count > NET_FORWARDS_MAX)
		return false;
	nat_forward_set(&nat->forwarders[slot], &nat->host, slot, &wanted, say, nat);
	return true;
}

static bool take_record(struct nat *nat, uint32_t mark, uint32_t size)
{
	uint32_t slot = mark & 0xffff;
	struct nat_setup setup;

	if (slot >= NET_PORTS_MAX)
		return false;
	switch (mark >> 16) {
	case NAT_SETUP:
		memcpy(&setup, nat->frame, sizeof(setup));
		if (nat->set_up || size != sizeof(setup) || !setup.prefix || setup.prefix > 30 ||
		    setup.sockets < NAT_SOCKETS_MIN || setup.sockets > NAT_SOCKETS_MAX)
			return false;
		set_up(nat, &setup);
		return true;
	case NAT_FORGET:
		if (!nat->set_up)
			return false;
		nat_forward_free(&nat->forwarders[slot]);
		nat_host_forget(&nat->host, slot);
		return true;
	case NAT_FORWARDS:
		return take_forwards(nat, slot, size);
	case NAT_FRAME:
		if (!nat->set_up || size < NET_FRAME_MIN)
			return false;
		nat_host_input(&nat->host, slot, nat->frame, size);
		if (nat->forwarders[slot])
			nat_forward_look(nat->forwarders[slot]);
		return true;
	}
	return false;
}

/* Takes some records. False: there is nothing to take, or no room for what comes of it. */
static bool take_records(struct nat *nat)
{
	struct channel_reader *in = &nat->channel->in;
	uint32_t size, mark;
	int result = 1;

	for (unsigned i = 0; i < FRAMES_A_PASS; i++) {
		nat->blocked = !has_room(nat);
		result = nat->blocked ? 0 : channel_next(in, &size, &mark);
		if (result <= 0)
			break;
		if (size > sizeof(nat->frame))
			broken();
		channel_copy(in, nat->frame, size);
		channel_drop(in);
		if (!take_record(nat, mark, size))
			broken();
	}
	if (result < 0)
		broken();
	channel_release(in);
	return result > 0;
}

static void publish(struct nat *nat)
{
	struct nat_shared *shared = (void *)nat->channel->shared;

	if (nat->sent)
		channel_publish(&nat->channel->out);
	nat->sent = false;
	atomic_store_explicit(&shared->sockets, nat->host.sockets.used, memory_order_relaxed);
	atomic_store_explicit(&shared->refused, nat->host.refused, memory_order_relaxed);
}

/* When the deck has not made room, sockets are left as they are: they would be ready for ever. */
static void sleep_for_room(struct nat *nat)
{
	if (nat->set_up && !nat->deaf)
		loop_change(&nat->loop, &nat->sockets, 0);
	nat->deaf = nat->set_up;
	if (!channel_wait_for_room(&nat->channel->out, ROOM))
		loop_post(&nat->loop, &nat->again);
}

static void pass(void *arg)
{
	struct nat *nat = arg;
	bool more;

	if (nat->set_up) {
		nat->host.held = false;
		nat_host_poll(&nat->host);
	}
	more = take_records(nat);
	if (nat->set_up)
		nat_host_end(&nat->host);
	publish(nat);
	if (nat->blocked || nat->host.held) {
		sleep_for_room(nat);
		return;
	}
	if (nat->deaf)
		loop_change(&nat->loop, &nat->sockets, EPOLLIN);
	nat->deaf = false;
	if (more || !channel_wait_for_record(&nat->channel->in))
		loop_post(&nat->loop, &nat->again);
}

static void on_wake(void *arg, uint32_t events)
{
	struct nat *nat = arg;

	(void)events;
	channel_woken(nat->channel);
	pass(nat);
}

static void run(struct channel *channel, const char *label)
{
	static struct nat nat;

	(void)label;
	nat.channel = channel;
	nat.again = (struct loop_task){ .run = pass, .arg = &nat };
	if (loop_init(&nat.loop, NULL) < 0 ||
	    loop_add(&nat.loop, &nat.wake, channel->wake_fd, EPOLLIN, on_wake, &nat) < 0)
		broken();
	pass(&nat);
	loop_run(&nat.loop);
}

/*
 * libslirp reads the name server's address in the file, again when that changes,
 * which most often is another file then: hence the folders.
 */
#define NAMES_FILE "/etc/resolv.conf"

static char names_folder[PATH_MAX]; /* of what that links to */
static const char *const readable[] = { "/etc", names_folder, NULL };

/*
 * It has short work and others wait for it: a short slice lets the scheduler take
 * it soon (sched_setattr(2); Linux 6.12 heeds it). It gets no more time by that.
 */
static void ask_for_short_slices(void)
{
	/* struct sched_attr, which no C library declares beside sched.h before glibc 2.41 */
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attributes = { .size = sizeof(attributes), .runtime = NS_PER_S / 10000 };

	syscall(SYS_sched_setattr, 0, &attributes, 0);
}

static int prepare(struct cause *cause)
{
	char *slash;

	ask_for_short_slices();
	if (!realpath(NAMES_FILE, names_folder))
		snprintf(names_folder, sizeof(names_folder), NAMES_FILE);
	slash = strrchr(names_folder, '/');
	*slash = 0;
	return nat_stack_load(cause);
}

/* A connection has buffers of 256 KiB. */
const struct sandbox_kind nat_process = {
	.name = "nat",
	.patience = PATIENCE,
	.layout = { .to_process = NAT_TO_PROCESS, .from_process = NAT_FROM_PROCESS,
		    .shared = 4096 },
	.walls = { .readable = readable, .filter = FILTER_NAT,
		   .memory = (NAT_SOCKETS_MAX / 4 + 256ull) << 20,
		   .descriptors = NAT_SOCKETS_MAX + NAT_LISTENERS_MAX + DESCRIPTORS_OWN, .network = true },
	.prepare = prepare,
	.run = run,
};

/*
 * A port that plays a capture into its switch: at its own pace, a factor of that, or as fast as
 * it goes. What the switch sends to it is for the machines in the capture, and ends here.
 *
 * Theory of operation: a process behind walls reads the file and puts packets with their stamps
 * into its ring until that is full (replay_process.h). Here they are looked at once, checked, and
 * given when they are due, a bounded number a turn.
 */
#include "net/port/outside.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/clock.h"
#include "net/port/replay_process.h"

#define FRAMES_A_TURN (2u * NET_BURST_MAX)
#define LOOK_EVERY (NS_PER_S / 5) /* whether somebody has come */
#define READ_PATIENCE (10 * NS_PER_S) /* with a process that has no packet */
#define AGAIN_EVERY (NS_PER_S / 10)   /* passes of a capture without packets that can be given */
#define SPEED_UNIT 1000u /* a speed of 1 */
#define SPEED_MAX (1000 * SPEED_UNIT)

enum replay_begin { BEGIN_WITH_GUEST, BEGIN_NOW }; /* in the order of the key's choices */

struct replay_section {
	struct port_section section;
	char *path;
	uint32_t speed; /* in SPEED_UNIT; 0: as fast as it goes */
	bool loop;
	unsigned begin;
};

struct replay {
	struct outside outside;
	const struct replay_section *section;
	int fd; /* or -1 */
	struct sandbox *sandbox;
	bool playing;	    /* a pass is under way */
	bool given_some;    /* in this pass */
	uint64_t began;	    /* CLOCK_MONOTONIC, ns: when the first one was due */
	struct loop_timer due, patience;
	struct loop_task more, end;
	bool pending; /* record is a packet that is not due yet */
	uint32_t size; /* of record */
	atomic_ullong packets; /* given, of all passes */
	_Alignas(8) uint8_t record[sizeof(struct replay_packet) + NET_FRAME_MAX];
};

static struct replay *replay_of(const struct outside *outside)
{
	return (struct replay *)(uintptr_t)outside; /* its first member */
}

static struct loop *loop_of(const struct replay *replay)
{
	return &replay->outside.served.uplink->loop;
}

/* --- a pass --- */

static void begin_pass(struct replay *replay)
{
	struct channel *channel = sandbox_channel(replay->sandbox);

	if (!channel || !channel_reserve(&channel->out, 0))
		return;
	replay->playing = true;
	replay->given_some = replay->pending = false;
	replay->began = 0;
	channel_commit(&channel->out, 0, REPLAY_BEGIN);
	channel_publish(&channel->out);
	outside_up(&replay->outside, "plays %s", replay->section->path);
	loop_timer_set(loop_of(replay), &replay->patience, READ_PATIENCE);
	if (!channel_wait_for_record(&channel->in))
		loop_post(loop_of(replay), &replay->more);
}

/* Nobody would hear what is played before anybody is there. */
static void look_for_receivers(void *arg)
{
	struct replay *replay = arg;
	struct net_port *net_port = outside_net_port(&replay->outside);

	if (replay->playing)
		return;
	if (replay->section->begin == BEGIN_NOW || replay->packets ||
	    (net_port && switch_has_receivers(net_port))) {
		begin_pass(replay);
		return;
	}
	outside_waits(&replay->outside, "waits for somebody on the switch to play %s to",
		      replay->section->path);
	loop_timer_set(loop_of(replay), &replay->due, LOOK_EVERY);
}

static void end_pass(struct replay *replay)
{
	struct replay_end end;

	if (replay->size != sizeof(end)) {
		sandbox_broken(replay->sandbox, "it sent what it must not");
		return;
	}
	memcpy(&end, replay->record, sizeof(end));
	replay->playing = false;
	loop_timer_cancel(loop_of(replay), &replay->patience);
	if (end.left_out)
		outside_tell(&replay->outside, "%s: %" PRIu64 " packet%s left out: not whole, "
			     "or too long", replay->section->path, end.left_out,
			     end.left_out == 1 ? " is" : "s are");
	if (!replay->section->loop)
		outside_waits(&replay->outside, "has played %s", replay->section->path);
	else if (replay->given_some)
		begin_pass(replay);
	else
		loop_timer_set(loop_of(replay), &replay->due, AGAIN_EVERY);
}

/* libpcap's words: foreign text. */
static void fail(struct replay *replay)
{
	size_t size = replay->size < 160 ? replay->size : 160;

	for (size_t i = 0; i < size; i++)
		if (replay->record[i] < ' ' || replay->record[i] > '~')
			replay->record[i] = '?';
	outside_down(&replay->outside, "%s: %.*s", replay->section->path, (int)size,
		     (const char *)replay->record);
}

/* --- packets --- */

static bool is_due(struct replay *replay)
{
	const struct replay_packet *packet = (const void *)replay->record;
	uint64_t now, after;

	if (!replay->section->speed)
		return true;
	now = clock_monotonic();
	if (!replay->began)
		replay->began = now;
	if (__builtin_mul_overflow(packet->stamp / replay->section->speed, SPEED_UNIT, &after))
		after = UINT64_MAX / 2;
	else
		after += packet->stamp % replay->section->speed * SPEED_UNIT / replay->section->speed;
	if (after <= now - replay->began)
		return true;
	loop_timer_set(loop_of(replay), &replay->due, after - (now - replay->began));
	return false;
}

static void give(struct replay *replay)
{
	const struct replay_packet *packet = (const void *)replay->record;
	size_t size = replay->size - sizeof(*packet);

	memcpy(served_reserve(&replay->outside.served, size), packet->frame, size);
	served_commit(&replay->outside.served, size, NULL);
	replay->pending = false;
	replay->given_some = true;
	atomic_fetch_add_explicit(&replay->packets, 1, memory_order_relaxed);
}

/* Takes the next record. 1: it is a packet; 0: there is none now; -1: this turn is over. */
static int take_record(struct replay *replay, struct channel_reader *in)
{
	uint32_t mark;
	int there = channel_next(in, &replay->size, &mark);

	if (there <= 0) {
		if (there < 0)
			sandbox_broken(replay->sandbox, "it sent what it must not");
		return there;
	}
	if (!replay->playing || replay->size > sizeof(replay->record) || mark == REPLAY_BEGIN ||
	    mark > REPLAY_ERROR ||
	    (mark == REPLAY_PACKET && replay->size <= sizeof(struct replay_packet))) {
		sandbox_broken(replay->sandbox, "it sent what it must not");
		return -1;
	}
	channel_copy(in, replay->record, replay->size);
	channel_drop(in);
	if (mark == REPLAY_PACKET) {
		replay->pending = true;
		return 1;
	}
	channel_release(in);
	if (mark == REPLAY_END)
		end_pass(replay);
	else
		fail(replay);
	return -1;
}

/* What is due of what has come. */
static void play(void *arg)
{
	struct replay *replay = arg;
	struct channel *channel = sandbox_channel(replay->sandbox);
	unsigned given = 0;
	int there = 1;

	if (!channel || !replay->playing)
		return;
	while (given < FRAMES_A_TURN && (replay->pending ||
					 (there = take_record(replay, &channel->in)) > 0)) {
		if (!is_due(replay))
			break;
		give(replay);
		given++;
	}
	served_flush(&replay->outside.served);
	if (there < 0)
		return;
	channel_release(&channel->in);
	if (replay->pending) {
		loop_timer_cancel(loop_of(replay), &replay->patience);
		return;
	}
	if (replay->playing)
		loop_timer_set(loop_of(replay), &replay->patience, READ_PATIENCE);
	if (given == FRAMES_A_TURN || !channel_wait_for_record(&channel->in))
		loop_post(loop_of(replay), &replay->more);
}

static void on_due(void *arg)
{
	struct replay *replay = arg;

	if (replay->playing)
		play(replay);
	else
		look_for_receivers(replay);
}

static void on_patience(void *arg)
{
	struct replay *replay = arg;

	sandbox_broken(replay->sandbox, "it has found no packet for 10 seconds");
}

/* --- the process --- */

static void on_ready(void *arg)
{
	look_for_receivers(arg);
}

static void on_ended(void *arg, const char *why, uint64_t again_ns)
{
	struct replay *replay = arg;

	(void)again_ns;
	outside_down(&replay->outside, "%s: what reads it has ended: %s", replay->section->path, why);
}

static const struct sandbox_ops sandbox_ops = {
	.ready = on_ready,
	.input = play,
	.ended = on_ended,
};

/* --- its coming up --- */

static int order(const struct outside *outside, struct opener_order *out, struct cause *cause)
{
	const struct replay_section *section = (const void *)outside->port.section;

	out->what = OPENER_FILE;
	if ((size_t)snprintf(out->path, sizeof(out->path), "%s", section->path) >= sizeof(out->path))
		return cause_set(cause, ENAMETOOLONG, "the path is too long");
	return 0;
}

static void opened(struct outside *outside, int fd)
{
	struct replay *replay = replay_of(outside);
	struct cause cause;

	replay->fd = fd;
	if (sandbox_start_with(&replay->sandbox, loop_of(replay), &replay_process,
			       outside->switch_name, fd, &sandbox_ops, replay, &cause) < 0)
		outside_down(outside, "%s", cause.text);
}

static void explain(const struct outside *outside, enum opener_step step, int error, char *out,
		    size_t size)
{
	const struct replay_section *section = (const void *)outside->port.section;

	(void)step;
	snprintf(out, size, "%s: %s", section->path,
		 error == EINVAL ? "it is no file" :
		 error == ENOEXEC ? "unknown file format" : strerror(error));
}

/* A sandbox must not be stopped by what it calls. */
static void put_down(void *arg)
{
	struct replay *replay = arg;

	sandbox_stop(replay->sandbox);
	replay->sandbox = NULL;
	if (replay->fd >= 0)
		close(replay->fd);
	replay->fd = -1;
}

static void close_file(struct outside *outside)
{
	struct replay *replay = replay_of(outside);

	loop_timer_cancel(loop_of(replay), &replay->due);
	loop_timer_cancel(loop_of(replay), &replay->patience);
	loop_unpost(loop_of(replay), &replay->more);
	replay->playing = replay->pending = false;
	if (outside->stopped) {
		loop_unpost(loop_of(replay), &replay->end);
		put_down(replay);
	} else {
		loop_post(loop_of(replay), &replay->end);
	}
}

static int prepare(struct outside *outside, struct cause *cause)
{
	struct replay *replay = replay_of(outside);

	(void)cause;
	replay->section = (const void *)outside->port.section;
	replay->fd = -1;
	replay->due = (struct loop_timer){ .fire = on_due, .arg = replay };
	replay->patience = (struct loop_timer){ .fire = on_patience, .arg = replay };
	replay->more = (struct loop_task){ .run = play, .arg = replay };
	replay->end = (struct loop_task){ .run = put_down, .arg = replay };
	return 0;
}

static bool wants(const void *owner, const struct net_frame *frame)
{
	(void)owner;
	(void)frame;
	return false;
}

static const struct inbox_ops inbox_ops = { .wants = wants };

static const struct outside_ops outside_ops = {
	.inbox = &inbox_ops,
	.order = order,
	.opened = opened,
	.explain = explain,
	.close = close_file,
};

/* --- the kind --- */

static int create(struct port **out, struct uplink *uplink, struct net_switch *sw,
		  const struct switch_config *config, const struct port_section *section,
		  struct cause *cause)
{
	return outside_create(out, sizeof(struct replay), &port_replay, &outside_ops, uplink, sw,
			      config, section, prepare, cause);
}

static size_t describe(const struct port *port, struct port_field *out, size_t room)
{
	const struct replay *replay = replay_of(outside_of(port));
	unsigned long long packets = atomic_load(&replay->packets);
	size_t count = outside_describe(port, out, room), used;

	if (room && packets) {
		used = strlen(out->text);
		snprintf(out->text + used, sizeof(out->text) - used, ", %llu packets", packets);
	}
	return count;
}

/* "0.25", "10" or "max", in SPEED_UNIT. */
static int parse_speed(void *field, const char *text, char *fault, size_t room)
{
	uint32_t value = 0, unit = SPEED_UNIT, *out = field;
	const char *at = text;

	if (!strcmp(text, "max")) {
		*out = 0;
		return 0;
	}
	for (; *at >= '0' && *at <= '9' && value <= SPEED_MAX; at++)
		value = value * 10 + (uint32_t)(*at - '0') * SPEED_UNIT;
	if (*at == '.' && at != text)
		for (at++; *at >= '0' && *at <= '9' && unit > 1; at++)
			value += (uint32_t)(*at - '0') * (unit /= 10);
	*out = value;
	if (!*at && value && value <= SPEED_MAX && at[-1] != '.')
		return 0;
	snprintf(fault, room, "'%.20s' is no speed; write max, or a number from 0.001 to 1000 such as "
		 "0.5", text);
	return -EINVAL;
}

static const struct profile_key keys[] = {
	{ .key = "path", .type = PROFILE_PATH, .required = true,
	  .offset = offsetof(struct replay_section, path),
	  .help = "Path of the capture, in pcap or pcapng, of Ethernet frames. "
		  "Packets that were captured in part are left out." },
	{ .key = "speed", .type = PROFILE_PARSED, .size = sizeof(uint32_t), .parse = parse_speed,
	  .standard = "1", .offset = offsetof(struct replay_section, speed),
	  .help = "How fast it is played: a factor of its own pace, from 0.001 to 1000, or "
		  "{Ic max}, as fast as it goes." },
	{ .key = "loop", .type = PROFILE_BOOL, .standard = "no",
	  .offset = offsetof(struct replay_section, loop),
	  .help = "Whether it begins anew at its end." },
	{ .key = "begin", .type = PROFILE_CHOICE, .choices = "guest|now", .standard = "guest",
	  .offset = offsetof(struct replay_section, begin),
	  .help = "When it begins: once somebody is on the switch to hear it, a guest's card or "
		  "what another port leads to ({Ic guest}), or at once ({Ic now})." },
	{ .key = NULL },
};

const struct port_kind port_replay = {
	.name = "replay",
	.section_keys = keys,
	.section_size = sizeof(struct replay_section),
	.section_help = "A capture that is played to the guests. "
			"What they answer goes nowhere. "
			"A process of its own, vmdeck-replay, reads the file.",
	.create = create,
	.destroy = outside_destroy,
	.describe = describe,
};

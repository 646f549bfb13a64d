/* See shape.h. */
#include "net/switch/shape.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "net/switch/vlan.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8


/* Bytes of the longest frame that there is on a cable of one whose sender has it segmented. */
static uint32_t longest(const struct net_frame *frame)
{
	uint32_t headers = frame->offload.csum_start, at = headers + 12;

	if (!frame->offload.gso_type || at >= frame->head_size)
		return frame->size;
	headers += (uint32_t)(frame->head[at] >> 4) * 4 + frame->offload.gso_size;
	return headers < frame->size ? headers : frame->size;
}

bool shape_is_long(const struct net_port_settings *settings, const struct net_frame *frame)
{
	uint32_t most = settings->mtu + NET_FRAME_MIN;

	if (!settings->mtu)
		return false;
	if (vlan_has_tag(frame))
		most += VLAN_TAG_SIZE;
	return longest(frame) > most;
}

#define IP_SOURCE 12u /* from the packet's start */
#define ARP_SOURCE 14u

/* The IPv4 address that a frame is said to be from, by IPv4 or ARP, or 0. */
static uint32_t source_ip(const struct net_frame *frame)
{
	uint32_t at = 12, type;

	for (unsigned tags = 0; tags < 3 && at + 2 <= frame->head_size; tags++, at += 4) {
		type = get_be16(frame->head + at);
		if (type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ)
			continue;
		if (type != ETHERTYPE_IPV4 && type != ETHERTYPE_ARP)
			return 0;
		at += 2 + (type == ETHERTYPE_ARP ? ARP_SOURCE : IP_SOURCE);
		return at + 4 <= frame->head_size ? get_be32(frame->head + at) : 0;
	}
	return 0;
}

/* Whether a frame of a locked port is from another one than it may send from. */
static bool is_forged(struct net_port *port, enum net_lock lock, const struct net_frame *frame)
{
	uint32_t ip, own = 0;

	if (frame->head_size < NET_FRAME_MIN)
		return false;
	if (memcmp(frame->head + NET_MAC_SIZE, port->addresses[0].mac, NET_MAC_SIZE) != 0)
		return true;
	ip = lock == NET_LOCK_MAC_IP ? source_ip(frame) : 0;
	if (!ip)
		return false;
	/* The first one is its own, unless DHCP has just given it one. */
	return !atomic_compare_exchange_strong(&port->ip, &own, ip) && own != ip;
}

/* By all settings but those of VLANs. */
static enum net_verdict refusal(struct net_port *port,
				const struct net_port_settings *settings,
				const struct net_frame *frame)
{
	if (settings->link == NET_LINK_DOWN)
		return NET_DROP_LINK_DOWN;
	if (settings->span != NET_SPAN_NO)
		return NET_DROP_SPAN;
	if (shape_is_long(settings, frame))
		return NET_DROP_LONG;
	if (settings->lock != NET_LOCK_NO && is_forged(port, settings->lock, frame))
		return NET_DROP_FORGED;
	return NET_FORWARD;
}

void shape_check(struct burst *burst, const struct port_shape *shape)
{
	const struct net_port_settings *settings = &shape->settings;

	burst->shaped = true;
	burst->passed = NULL;
	for (unsigned i = 0; i < burst->count; i++) {
		burst->refusals[i] = refusal(burst->sender, settings, &burst->frames[i]);
		burst->tags[i] = 0;
	}
	if (shape->vlans)
		vlan_enter(burst, settings);
}

enum net_verdict shape_flood(struct burst *burst)
{
	const struct port_shape *shape = port_shape(burst->sender);
	struct net_port *sender = burst->sender;
	uint64_t second;

	if (!shape || !shape->settings.storm_limit)
		return NET_FLOOD;
	second = burst->sw->set->late.now() / NS_PER_S;
	if (second != sender->storm_second)
		sender->storm_count = 0;
	sender->storm_second = second;
	if (sender->storm_count >= shape->settings.storm_limit)
		return NET_DROP_STORM;
	sender->storm_count++;
	return NET_FLOOD;
}

/* What goes on at once of a burst whose frames are looked at one by one, and what is refused. */
struct gathering {
	struct burst *burst;
	const struct port_shape *shape;
	uint64_t now, next; /* when something is due that goes on later */
	bool stopped;	    /* one is held that was not before */
	unsigned count;
	struct net_frame frames[NET_BURST_MAX];
	enum net_verdict refusals[NET_BURST_MAX];
};

static void pass_gathered(struct gathering *some)
{
	struct burst *burst = some->burst;

	if (!some->count)
		return;
	burst->frames = some->frames;
	burst->count = some->count;
	burst->bytes = burst->offloaded = burst->parked = 0;
	shape_check(burst, some->shape);
	for (unsigned i = 0; i < some->count; i++)
		if (some->refusals[i] != NET_FORWARD)
			burst->refusals[i] = some->refusals[i];
	burst_pass(burst);
	some->count = 0;
}

static void gather(struct gathering *some, const struct net_frame *frame, enum net_verdict refusal)
{
	if (some->count == NET_BURST_MAX)
		pass_gathered(some);
	some->frames[some->count] = *frame;
	some->refusals[some->count++] = refusal;
}

static void go_on(struct gathering *some, const struct net_frame *frame)
{
	struct lane *lane = some->shape->lanes[NET_WAY_OUT];
	enum net_verdict refusal = NET_FORWARD;
	unsigned at_once;
	uint64_t due;

	if (!lane) {
		gather(some, frame, NET_FORWARD);
		return;
	}
	at_once = lane_offer(lane, frame, some->burst->sender->slot, some->now, &refusal, &due);
	some->next = due < some->next ? due : some->next;
	if (refusal != NET_FORWARD)
		gather(some, frame, refusal);
	while (at_once--)
		gather(some, frame, NET_FORWARD);
}

static void take(struct gathering *some, const struct net_frame *frame)
{
	struct hold *hold = some->shape->hold;
	enum hold_fate fate = hold ? hold_offer(hold, frame) : HOLD_PASSES;

	if (fate == HOLD_PASSES)
		go_on(some, frame);
	else if (fate == HOLD_FULL)
		gather(some, frame, NET_DROP_LIMIT);
	some->stopped |= fate == HOLD_STOPS;
}

/* What the sender leaves to its NIC is done before: on a cable it would have been. */
static void take_parts(struct gathering *some, const struct net_frame *frame)
{
	struct offload_scratch *scratch = burst_scratch(some->burst);
	unsigned count;

	if (!scratch) {
		gather(some, frame, NET_DROP_NO_BUFFER);
		return;
	}
	offload_begin(scratch, frame);
	while ((count = offload_next(scratch))) {
		for (unsigned i = 0; i < count; i++)
			take(some, scratch->list[i]);
		pass_gathered(some); /* before they are overwritten */
	}
}

static void begin(struct gathering *some, struct burst *burst, const struct port_shape *shape)
{
	some->burst = burst;
	some->shape = shape;
	some->now = burst->sw->set->late.now();
	some->next = LANE_NEVER;
	some->stopped = false;
	some->count = 0;
	burst->stay = NULL;
}

static void end(struct gathering *some)
{
	const struct switch_set *set = some->burst->sw->set;

	pass_gathered(some);
	late_wake(&some->burst->sw->set->late, some->next);
	if (some->stopped && set->held)
		set->held(set->notice_arg);
}

static void pass_each(struct burst *burst, const struct port_shape *shape)
{
	const struct net_frame *frames = burst->frames;
	unsigned count = burst->count;
	struct gathering some;

	begin(&some, burst, shape);
	for (unsigned i = 0; i < count; i++) {
		enum net_verdict mistake = burst_check(&frames[i]);

		if (mistake != NET_FORWARD) {
			gather(&some, &frames[i], mistake);
		} else if (frames[i].offload.flags || frames[i].offload.gso_type) {
			pass_gathered(&some);
			take_parts(&some, &frames[i]);
		} else {
			take(&some, &frames[i]);
		}
	}
	end(&some);
}

void shape_let_go(struct burst *burst, const struct port_shape *shape)
{
	struct held_frame *taken[NET_BURST_MAX];
	struct gathering some;
	unsigned count;
	bool dropped;

	begin(&some, burst, shape);
	do {
		for (count = 0; count < NET_BURST_MAX; count++) {
			taken[count] = hold_take(shape->hold, &dropped);
			if (!taken[count])
				break;
			if (dropped)
				gather(&some, &taken[count]->frame, NET_DROP_DECIDED);
			else
				go_on(&some, &taken[count]->frame);
		}
		pass_gathered(&some);
		for (unsigned i = 0; i < count; i++)
			free(taken[i]);
	} while (count == NET_BURST_MAX);
	some.stopped = hold_state(shape->hold) == HOLD_STOPPED;
	end(&some);
}

void shape_pass(struct burst *burst, const struct port_shape *shape)
{
	/* A burst that began before the port was shared has no turn, and its frames none. */
	if ((shape->lanes[NET_WAY_OUT] || shape->hold) && burst->locked) {
		pass_each(burst, shape);
		return;
	}
	shape_check(burst, shape);
	burst_pass(burst);
}

/*
 * The way of a frame: from a port's thread through the switch to the others.
 * All of this runs on the sending port's thread, without a lock or a system
 * call but those of deliver() and flush(). The rules are a plain bridge's
 * (IEEE 802.1Q §8.6 to §8.8, without spanning tree).
 */
#include "net/switch/switch.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "net/switch/burst.h"
#include "net/switch/parking.h"
#include "net/switch/shape.h"
#include "net/switch/span.h"
#include "net/switch/vlan.h"

#define ETHERTYPE_ARP 0x0806
#define ARP_SENDER_IP 28 /* from the frame's start */

enum net_verdict burst_check(const struct net_frame *frame)
{
	if (frame->size < NET_FRAME_MIN || frame->head_size < NET_FRAME_MIN)
		return NET_DROP_SHORT;
	if (frame->size > NET_FRAME_MAX || frame->rest_count > NET_REST_MAX)
		return NET_DROP_LONG;
	if ((frame->offload.flags || frame->offload.gso_type) && !offload_valid(frame))
		return NET_DROP_BAD_OFFLOAD;
	return NET_FORWARD;
}

static bool is_arp(const struct net_frame *frame)
{
	return get_be16(frame->head + 12) == ETHERTYPE_ARP;
}

/* ARP (RFC 826) in which the sender claims an address that another port was given. */
static bool claims_guarded(const struct burst *burst, const struct net_frame *frame)
{
	uint64_t guarded;
	uint32_t ip;

	if (!is_arp(frame) || frame->head_size < ARP_SENDER_IP + 4)
		return false;
	ip = get_be32(frame->head + ARP_SENDER_IP);
	for (unsigned i = 0; i < GUARDED_MAX; i++) {
		guarded = atomic_load_explicit(&burst->sw->guarded[i], memory_order_relaxed);
		if (guarded && (uint32_t)guarded == ip &&
		    guarded >> 32 != burst->sender->slot + 1)
			return true;
	}
	return false;
}

/* Whether the sender may send such a frame, by source address and type; what is new is learned. */
static enum net_verdict check_origin(const struct burst *burst, const struct net_frame *frame,
				     uint32_t vlan, uint32_t now)
{
	struct net_port *sender = burst->sender;
	uint64_t source = mac_load(frame->head + NET_MAC_SIZE);

	if (mac_is_group(source) || !source)
		return NET_DROP_BAD_SOURCE;
	if (!mac_table_learn(&burst->sw->macs, &sender->hint, mac_in_vlan(source, vlan),
			     sender->slot, now) ||
	    claims_guarded(burst, frame))
		return NET_DROP_FORGED;
	return NET_FORWARD;
}

/* Where a frame to address goes. */
static enum net_verdict look_up(const struct burst *burst, uint64_t address, uint32_t now,
				struct net_port **to)
{
	uint32_t slot;

	*to = NULL;
	if (mac_is_group(address))
		return NET_FLOOD;
	slot = mac_table_find(&burst->sw->macs, address, now);
	if (slot == MAC_NONE)
		return NET_FLOOD;
	*to = burst_port(burst, slot);
	if (*to && slot == burst->sender->slot)
		return NET_DROP_SAME_PORT;
	return *to ? NET_FORWARD : NET_FLOOD;
}

/* Decides on every frame and learns from it. */
static void decide(struct burst *burst)
{
	uint64_t last_origin = 0, last_address = 0;
	enum net_verdict verdict = NET_DROP_SHORT;
	struct net_port *to = NULL;
	const struct net_frame *frames = burst->passed ? burst->passed : burst->frames;
	uint32_t now = seconds_now(), vlan = 0;
	const bool shaped = burst->shaped;

	for (unsigned i = 0; i < burst->count; i++) {
		const struct net_frame *frame = &frames[i];
		enum net_verdict mistake = burst_check(frame);
		uint64_t origin, address;

		if (__builtin_expect(shaped, 0)) {
			if (burst->refusals[i] != NET_FORWARD)
				mistake = burst->refusals[i];
			if (vlan != (burst->tags[i] & NET_VLAN_MAX))
				last_origin = last_address = 0;
			vlan = burst->tags[i] & NET_VLAN_MAX;
			burst->bytes += burst->frames[i].size - frame->size; /* of its tag */
		}
		burst->list[i] = frame;
		burst->to[i] = NULL;
		burst->bytes += frame->size;
		if (mistake != NET_FORWARD) {
			burst->verdicts[i] = mistake;
			continue;
		}
		memcpy(&origin, frame->head + NET_MAC_SIZE, sizeof(origin));
		if (origin != last_origin || !origin) {
			mistake = check_origin(burst, frame, vlan, now);
			if (mistake != NET_FORWARD) {
				burst->verdicts[i] = mistake;
				continue;
			}
			last_origin = is_arp(frame) ? 0 : origin; /* ARP is looked at each time */
			last_address = 0; /* what was just learned may change the answer */
		}
		address = mac_load(frame->head);
		if (address != last_address || !address) {
			verdict = look_up(burst, mac_in_vlan(address, vlan), now, &to);
			last_address = address;
		}
		burst->verdicts[i] = verdict;
		burst->to[i] = to;
		if (__builtin_expect(shaped, 0) && verdict == NET_FLOOD)
			burst->verdicts[i] = shape_flood(burst);
		if (frame->offload.flags || frame->offload.gso_type)
			burst->offloaded |= 1ull << i;
	}
}

/* Frames first to end - 1 go their way in the VLAN of the run. */
static void count_in_vlan(const struct burst *burst, unsigned first, unsigned end)
{
	struct vlan_traffic *vlans = atomic_load_explicit(&burst->sw->vlans, memory_order_acquire);
	uint32_t vlan = burst->tag & NET_VLAN_MAX;
	uint64_t bytes = 0;

	if (!vlan || vlan == NET_VLAN_MAX)
		return;
	for (unsigned i = first; i < end; i++)
		bytes += burst->list[i]->size;
	counter_add_shared(&vlans[vlan].frames, end - first);
	counter_add_shared(&vlans[vlan].bytes, bytes);
}

/* Hands over runs of frames that go the same way, in order. */
static void hand_over(struct burst *burst)
{
	const bool shaped = burst->shaped;

	burst->run_count = 0;
	for (unsigned i = 0, end; i < burst->count; i = end) {
		enum net_verdict verdict = burst->verdicts[i];
		struct net_port *to = burst->to[i];

		end = i + 1;
		while (end < burst->count && burst->verdicts[end] == verdict &&
		       burst->to[end] == to &&
		       (!shaped || burst->tags[end] == burst->tags[i]))
			end++;
		burst->tag = shaped ? burst->tags[i] : 0;
		burst->runs[burst->run_count++] = (uint8_t)end;
		if (__builtin_expect(shaped, 0) && verdict < NET_DROP_SHORT)
			count_in_vlan(burst, i, end);
		if (verdict == NET_FORWARD)
			burst_deliver(burst, to, i, end - i, burst->verdicts + i);
		else if (verdict == NET_FLOOD)
			burst_flood(burst, i, end - i);
		else
			counter_add(&burst->sender->sent_drops[verdict], end - i);
	}
}

static void record_run(struct recording *recording, const struct burst *burst, unsigned first,
		       unsigned end)
{
	const struct net_port *to = burst->to[first];

	for (unsigned i = first, next; i < end; i = next + 1) {
		uint64_t parked = burst->parked >> i;

		/* The next one that stays. */
		next = parked ? i + (unsigned)__builtin_ctzll(parked) : end;
		next = next < end ? next : end;
		if (next > i)
			capture_tap_append(recording, burst->frames + i, next - i,
					   burst->verdicts + i, to ? to->tap : NULL);
	}
}

static void record(const struct burst *burst, uint32_t snap)
{
	struct recording recording;
	unsigned i = 0;

	capture_tap_begin(&recording, burst->sender->tap, snap);
	for (unsigned run = 0; run < burst->run_count; i = burst->runs[run++])
		record_run(&recording, burst, i, burst->runs[run]);
	capture_tap_end(&recording);
}

static unsigned passed(const struct burst *burst)
{
	return burst->count - (unsigned)__builtin_popcountll(burst->parked);
}

/* What stays with the sender is counted once it no longer does. */
static void count_sent(const struct burst *burst)
{
	uint64_t bytes = burst->bytes;

	for (uint64_t bits = burst->parked; bits; bits &= bits - 1)
		bytes -= burst->frames[__builtin_ctzll(bits)].size;
	counter_add(&burst->sender->rx_frames, passed(burst));
	counter_add(&burst->sender->rx_bytes, bytes);
}

void burst_begin(struct burst *burst, struct net_port *port, const struct net_frame *frames,
		 unsigned count)
{
	uint64_t mark;

	burst->locked = atomic_load_explicit(&port->shared, memory_order_acquire);
	if (__builtin_expect(burst->locked, 0))
		pthread_mutex_lock(&port->turn);
	mark = atomic_load_explicit(&port->reading, memory_order_relaxed);
	assert(!(mark & 1));
	burst->sender = port;
	burst->sw = port->sw;
	burst->frames = frames;
	burst->count = count;
	burst->bytes = burst->offloaded = burst->parked = 0;
	burst->stay = NULL;
	burst->shaped = false;
	burst->passed = NULL;
	burst->tag = 0;
	/* An exchange, because the mark must be seen before a port is looked up. */
	atomic_exchange_explicit(&port->reading, mark + 1, memory_order_seq_cst);
	burst->bound = atomic_load_explicit(&burst->sw->bound, memory_order_acquire);
	burst_clear(burst, &burst->touched);
}

void burst_end(const struct burst *burst)
{
	struct net_port *port = burst->sender, *to;
	uint64_t mark = atomic_load_explicit(&port->reading, memory_order_relaxed);

	for (uint32_t slot = 0; (to = burst_next(burst, &burst->touched, &slot)); slot++)
		to->ops.flush(to->backend);
	atomic_store_explicit(&port->reading, mark + 1, memory_order_release);
	if (__builtin_expect(burst->locked, 0))
		pthread_mutex_unlock(&port->turn);
}

void burst_pass(struct burst *burst)
{
	uint32_t snap;

	decide(burst);
	/* Before somebody has them, unless it is not known yet which these are. */
	if (!burst->stay)
		count_sent(burst);
	hand_over(burst);
	if (burst->stay)
		count_sent(burst);
	snap = passed(burst) ? capture_tap_wants(burst->sender->tap, passed(burst)) : 0;
	if (__builtin_expect(snap, 0))
		record(burst, snap);
	if (__builtin_expect(atomic_load_explicit(&burst->sw->spans, memory_order_relaxed), 0))
		span_pass(burst);
}

/* What there is to be done of a burst that has begun. */
static void pass(struct burst *burst)
{
	const struct port_shape *shape = port_shape(burst->sender);

	if (__builtin_expect(shape == NULL, 1))
		burst_pass(burst);
	else
		shape_pass(burst, shape);
}

void switch_input(struct net_port *port, const struct net_frame *frames, unsigned count)
{
	struct burst burst;

	assert(count && count <= NET_BURST_MAX);
	burst_begin(&burst, port, frames, count);
	pass(&burst);
	burst_end(&burst);
}

uint64_t switch_send(struct net_port *port, const struct net_frame *frames, unsigned count,
		     struct net_stay *stay)
{
	struct burst burst;

	assert(count && count <= NET_BURST_MAX);
	burst_begin(&burst, port, frames, count);
	burst.stay = stay;
	pass(&burst);
	parking_settle(port);
	for (uint64_t bits = burst.parked; bits; bits &= bits - 1) {
		unsigned i = (unsigned)__builtin_ctzll(bits);

		stay->to[i] = (uint16_t)burst.to[i]->slot;
	}
	burst_end(&burst);
	return burst.parked;
}

/* --- what waits for room --- */

/* Whether the port is there still, and the frame's address is: a slot is given again. */
static bool is_reached(const struct burst *burst, const struct net_port *to,
		       const struct waiting_frame *waiting)
{
	uint64_t address = mac_in_vlan(mac_load(waiting->frame.head), waiting->vlan);

	return to && mac_table_find(&burst->sw->macs, address, seconds_now()) == to->slot;
}

/* Whether the port, which may have been set anew since, is one for it: NET_FORWARD, or why not. */
static enum net_verdict readmit(const struct net_port *to, const struct waiting_frame *waiting)
{
	const struct port_shape *shape = port_shape(to);
	const struct net_port_settings *settings = shape ? &shape->settings : NULL;

	if (!vlan_admits(settings, waiting->vlan) ||
	    vlan_is_tagged(settings, waiting->vlan) != waiting->tagged)
		return NET_DROP_VLAN;
	return port_is_unplugged(to) ? NET_DROP_LINK_DOWN : NET_FORWARD;
}

/* What of a list finds room or has waited too long; false: the first one is to wait longer. */
static bool retry_first(struct burst *burst, struct net_port *to, struct waiting_list *list,
			uint64_t now)
{
	const struct net_frame *frame = &list->first->frame;
	enum net_verdict verdict;

	if (is_reached(burst, to, list->first)) {
		unsigned taken = 0;

		verdict = readmit(to, list->first);
		if (verdict == NET_FORWARD)
			taken = to->ops.deliver(to->backend, burst->sender->slot, &frame, 1,
						&verdict);
		if (!taken && verdict_is_want_of_room(verdict) && now - list->first->since < WAITING_TIME)
			return false;
		burst_account(to, &frame, 1, &verdict, taken);
		port_set_add(&burst->touched, to->slot);
	}
	waiting_drop(&burst->sender->waiting, list);
	return true;
}

bool switch_waits(const struct net_port *port)
{
	return port->waiting.count;
}

bool switch_retry(struct net_port *port)
{
	uint64_t now = clock_monotonic();
	struct waiting_list *list;
	struct burst burst;

	if (!switch_waits(port))
		return false;
	burst_begin(&burst, port, NULL, 0);
	for (list = port->waiting.lists; list; list = list->next)
		while (list->first && retry_first(&burst, burst_port(&burst, list->slot), list, now))
			;
	waiting_tidy(&port->waiting);
	burst_end(&burst);
	return switch_waits(port);
}

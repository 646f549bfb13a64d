/*
 * The way of a frame: from a port's thread through the switch to the others.
 * All of this runs on the sending port's thread, without a lock or a system
 * call but those of deliver() and flush(). The rules are a plain bridge's
 * (IEEE 802.1Q §8.6 to §8.8, without VLANs and spanning tree).
 */
#include "net/switch/switch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "net/switch/switch_private.h"

#define ETHERTYPE_ARP 0x0806
#define ARP_SENDER_IP 28 /* from the frame's start */

/* Ports of a switch, a bit each; valid below the burst's bound. */
struct port_set {
	uint64_t bits[NET_PORTS_MAX / 64];
};

/* One call of switch_input(). */
struct burst {
	struct net_port *sender;
	struct net_switch *sw;
	const struct net_frame *frames;
	unsigned count;
	uint64_t offloaded; /* bit i: frame i has something unfinished */
	const struct net_frame *list[NET_BURST_MAX];
	enum net_verdict verdicts[NET_BURST_MAX];
	struct net_port *to[NET_BURST_MAX]; /* of NET_FORWARD */
	uint8_t runs[NET_BURST_MAX];	    /* where runs of frames that went the same way end */
	unsigned run_count;
	uint32_t bound;			    /* places above it are not looked at in this burst */
	struct port_set touched;	    /* to flush */
};

static struct net_port *port_at(const struct burst *burst, uint32_t slot)
{
	if (slot >= burst->bound)
		return NULL; /* added since the burst began */
	/* Ordered after the mark that this thread's port is reading. */
	return atomic_load_explicit(&burst->sw->ports[slot], memory_order_seq_cst);
}

static void add_port(struct port_set *set, uint32_t slot)
{
	set->bits[slot / 64] |= 1ull << slot % 64;
}

static void clear_set(const struct burst *burst, struct port_set *set)
{
	memset(set->bits, 0, (burst->bound + 63) / 64 * sizeof(set->bits[0]));
}

/* The first of the set from slot on that is still there, with *slot its own; or NULL. */
static struct net_port *next_of(const struct burst *burst, const struct port_set *set,
				uint32_t *slot)
{
	for (; *slot < burst->bound; ++*slot) {
		uint64_t bits = set->bits[*slot / 64] >> *slot % 64;
		struct net_port *port;

		if (!bits) {
			*slot |= 63;
			continue;
		}
		*slot += (uint32_t)__builtin_ctzll(bits);
		port = port_at(burst, *slot);
		if (port)
			return port;
	}
	return NULL;
}

static enum net_verdict check(const struct net_frame *frame)
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
				     uint32_t now)
{
	struct net_port *sender = burst->sender;
	uint64_t source = mac_load(frame->head + NET_MAC_SIZE);

	if (mac_is_group(source) || !source)
		return NET_DROP_BAD_SOURCE;
	if (!mac_table_learn(&burst->sw->macs, &sender->hint, source, sender->slot, now) ||
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
	*to = port_at(burst, slot);
	if (*to == burst->sender)
		return NET_DROP_SAME_PORT;
	return *to ? NET_FORWARD : NET_FLOOD;
}

/* Decides on every frame and learns from it. */
static void decide(struct burst *burst)
{
	struct net_port *sender = burst->sender;
	uint64_t last_origin = 0, last_address = 0, bytes = 0;
	enum net_verdict verdict = NET_DROP_SHORT;
	struct net_port *to = NULL;
	uint32_t now = seconds_now();

	for (unsigned i = 0; i < burst->count; i++) {
		const struct net_frame *frame = &burst->frames[i];
		enum net_verdict mistake = check(frame);
		uint64_t origin, address;

		burst->list[i] = frame;
		burst->to[i] = NULL;
		bytes += frame->size;
		if (mistake != NET_FORWARD) {
			burst->verdicts[i] = mistake;
			continue;
		}
		memcpy(&origin, frame->head + NET_MAC_SIZE, sizeof(origin));
		if (origin != last_origin || !origin) {
			mistake = check_origin(burst, frame, now);
			if (mistake != NET_FORWARD) {
				burst->verdicts[i] = mistake;
				continue;
			}
			last_origin = is_arp(frame) ? 0 : origin; /* ARP is looked at each time */
			last_address = 0; /* what was just learned may change the answer */
		}
		address = mac_load(frame->head);
		if (address != last_address || !address) {
			verdict = look_up(burst, address, now, &to);
			last_address = address;
		}
		burst->verdicts[i] = verdict;
		burst->to[i] = to;
		if (frame->offload.flags || frame->offload.gso_type)
			burst->offloaded |= 1ull << i;
	}
	counter_add(&sender->rx_frames, burst->count);
	counter_add(&sender->rx_bytes, bytes);
}

/* Frames are refused in rows for the same reason: a full queue, a link that is down. */
static void account_refused(struct net_port *to, const enum net_verdict *verdicts, unsigned count)
{
	for (unsigned i = 0, end; i < count; i = end) {
		enum net_verdict verdict = verdicts[i];

		end = i + 1;
		while (end < count && verdicts[end] == verdict)
			end++;
		if (verdict >= NET_DROP_SHORT)
			counter_add_shared(&to->refused[verdict], end - i);
	}
}

/* Counts, at the receiver, what became of a run. */
static void account(struct net_port *to, const struct net_frame *const *frames, unsigned count,
		    const enum net_verdict *verdicts, unsigned taken)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < count; i++)
		if (taken == count || verdicts[i] < NET_DROP_SHORT)
			bytes += frames[i]->size;
	/* Several senders may be here at once. */
	counter_add_shared(&to->tx_frames, taken);
	counter_add_shared(&to->tx_bytes, bytes);
	if (taken < count)
		account_refused(to, verdicts, count);
}

static bool is_want_of_room(enum net_verdict verdict)
{
	return verdict == NET_DROP_NO_BUFFER || verdict == NET_DROP_OVER_SHARE;
}

/* What finds no room waits, and what comes behind that. The rest is counted. */
static void deliver_with_backlog(struct net_port *sender, struct net_port *to,
				 const struct net_frame *const *frames, unsigned count,
				 enum net_verdict *verdicts)
{
	const struct net_frame *others[NET_BURST_MAX];
	enum net_verdict theirs[NET_BURST_MAX];
	unsigned taken = 0, n = 0;

	if (!waiting_find(&sender->waiting, to->slot)) {
		taken = to->ops.deliver(to->backend, sender->slot, frames, count, verdicts);
	} else {
		for (unsigned i = 0; i < count; i++)
			verdicts[i] = NET_DROP_NO_BUFFER;
	}
	for (unsigned i = 0; i < count; i++) {
		if (taken < count && is_want_of_room(verdicts[i]) &&
		    waiting_put(&sender->waiting, to->slot, frames[i], clock_monotonic())) {
			verdicts[i] = NET_FORWARD;
			continue;
		}
		others[n] = frames[i];
		theirs[n++] = verdicts[i];
	}
	account(to, others, n, theirs, taken);
}

static void deliver(struct net_port *sender, struct net_port *to,
		    const struct net_frame *const *frames, unsigned count,
		    enum net_verdict *verdicts)
{
	unsigned taken;

	if (sender->keeps_backlog && verdicts[0] == NET_FORWARD) {
		deliver_with_backlog(sender, to, frames, count, verdicts);
		return;
	}
	taken = to->ops.deliver(to->backend, sender->slot, frames, count, verdicts);
	account(to, frames, count, verdicts, taken);
}

/* Allocates once for a port: it is large, and most ports need none. */
static struct offload_scratch *sender_scratch(struct net_port *sender)
{
	if (!sender->scratch)
		sender->scratch = malloc(sizeof(*sender->scratch));
	return sender->scratch;
}

static uint32_t accepts_of(const struct net_port *to)
{
	return atomic_load_explicit(&to->accepts, memory_order_relaxed);
}

/* A receiver that does not accept any frame. */
static void refuse_all(struct net_port *to, unsigned count, enum net_verdict *verdicts)
{
	for (unsigned i = 0; i < count; i++)
		verdicts[i] = NET_DROP_LINK_DOWN;
	account_refused(to, verdicts, count);
}

/* Marks the port as one to be flushed. False: its link is down, and the frames are refused. */
static bool reach(struct burst *burst, struct net_port *to, unsigned count,
		  enum net_verdict *verdicts)
{
	if (accepts_of(to) & NET_ACCEPTS_NOTHING) {
		refuse_all(to, count, verdicts);
		return false;
	}
	add_port(&burst->touched, to->slot);
	return true;
}

/* A frame that the receiver cannot take as it is. It is refused if all of its parts are. */
static void deliver_resolved(const struct burst *burst, struct net_port *to,
			     const struct net_frame *frame, enum net_verdict *verdict)
{
	struct offload_scratch *scratch = sender_scratch(burst->sender);
	enum net_verdict parts[NET_BURST_MAX], final = *verdict;
	bool some = false;
	unsigned count;

	if (!scratch) {
		*verdict = NET_DROP_NO_BUFFER;
		account_refused(to, verdict, 1);
		return;
	}
	offload_begin(scratch, frame);
	while ((count = offload_next(scratch))) {
		for (unsigned i = 0; i < count; i++)
			parts[i] = *verdict;
		deliver(burst->sender, to, scratch->list, count, parts);
		for (unsigned i = 0; i < count; i++) {
			if (parts[i] == *verdict)
				some = true;
			else
				final = parts[i];
		}
	}
	if (!some)
		*verdict = final;
}

/* The bits of those that have something unfinished among count frames from first on. */
static uint64_t offloaded_of(const struct burst *burst, unsigned first, unsigned count)
{
	return burst->offloaded & (count < 64 ? (1ull << count) - 1 : ~0ull) << first;
}

/* Frames first to first + count - 1 to one port; verdicts[0] is the first one's. */
static void deliver_run(struct burst *burst, struct net_port *to, unsigned first, unsigned count,
			enum net_verdict *verdicts)
{
	uint32_t accepts;
	unsigned start = 0;

	if (!reach(burst, to, count, verdicts))
		return;
	if (!offloaded_of(burst, first, count)) {
		deliver(burst->sender, to, burst->list + first, count, verdicts);
		return;
	}
	accepts = accepts_of(to);
	for (unsigned i = 0; i < count; i++) {
		if (!offload_unresolved(&burst->frames[first + i].offload, accepts))
			continue;
		if (i > start)
			deliver(burst->sender, to, burst->list + first + start, i - start,
				verdicts + start);
		deliver_resolved(burst, to, &burst->frames[first + i], &verdicts[i]);
		start = i + 1;
	}
	if (count > start)
		deliver(burst->sender, to, burst->list + first + start, count - start,
			verdicts + start);
}

/* Frames to all of the set, as they are. */
static void flood_list(const struct burst *burst, const struct port_set *set,
		       const struct net_frame *const *list, unsigned count)
{
	enum net_verdict verdicts[NET_BURST_MAX];
	struct net_port *to;

	for (uint32_t slot = 0; (to = next_of(burst, set, &slot)); slot++) {
		for (unsigned i = 0; i < count; i++)
			verdicts[i] = NET_FLOOD;
		deliver(burst->sender, to, list, count, verdicts);
	}
}

/* An unfinished frame: as it is to those who take it so, and resolved once for all others. */
static void flood_offloaded(const struct burst *burst, const struct port_set *set, unsigned index)
{
	struct offload_scratch *scratch = sender_scratch(burst->sender);
	enum net_verdict verdict;
	struct port_set others;
	struct net_port *to;
	unsigned count;

	clear_set(burst, &others);
	for (uint32_t slot = 0; (to = next_of(burst, set, &slot)); slot++) {
		verdict = NET_FLOOD;
		if (!offload_unresolved(&burst->frames[index].offload, accepts_of(to))) {
			deliver(burst->sender, to, burst->list + index, 1, &verdict);
		} else if (scratch) {
			add_port(&others, slot);
		} else {
			verdict = NET_DROP_NO_BUFFER;
			account_refused(to, &verdict, 1);
		}
	}
	if (!scratch)
		return;
	offload_begin(scratch, &burst->frames[index]);
	while ((count = offload_next(scratch)))
		flood_list(burst, &others, scratch->list, count);
}

static bool takes_run(const struct burst *burst, const struct net_port *to, unsigned first,
		      unsigned count)
{
	for (uint64_t bits = offloaded_of(burst, first, count); bits; bits &= bits - 1)
		if (offload_unresolved(&burst->frames[__builtin_ctzll(bits)].offload,
				       accepts_of(to)))
			return false;
	return true;
}

/* A run for ports that cannot take all of it as it is, in order. */
static void flood_mixed(const struct burst *burst, const struct port_set *set, unsigned first,
			unsigned count)
{
	unsigned end = first + count;

	for (unsigned i = first; i < end;) {
		unsigned plain = i;

		while (plain < end && !(burst->offloaded >> plain & 1))
			plain++;
		if (plain > i)
			flood_list(burst, set, burst->list + i, plain - i);
		if (plain < end)
			flood_offloaded(burst, set, plain);
		i = plain + 1;
	}
}

static void flood_run(struct burst *burst, unsigned first, unsigned count)
{
	enum net_verdict verdicts[NET_BURST_MAX];
	struct port_set mixed;
	bool some = false;

	if (offloaded_of(burst, first, count))
		clear_set(burst, &mixed);
	for (uint32_t slot = 0; slot < burst->bound; slot++) {
		struct net_port *to = port_at(burst, slot);

		if (!to || to == burst->sender)
			continue;
		for (unsigned i = 0; i < count; i++)
			verdicts[i] = NET_FLOOD;
		if (!reach(burst, to, count, verdicts))
			continue;
		if (takes_run(burst, to, first, count)) {
			deliver(burst->sender, to, burst->list + first, count, verdicts);
			continue;
		}
		add_port(&mixed, slot);
		some = true;
	}
	if (some)
		flood_mixed(burst, &mixed, first, count);
}

/* Hands over runs of frames that go the same way, in order. */
static void hand_over(struct burst *burst)
{
	burst->run_count = 0;
	for (unsigned i = 0, end; i < burst->count; i = end) {
		enum net_verdict verdict = burst->verdicts[i];
		struct net_port *to = burst->to[i];

		end = i + 1;
		while (end < burst->count && burst->verdicts[end] == verdict &&
		       burst->to[end] == to)
			end++;
		burst->runs[burst->run_count++] = (uint8_t)end;
		if (verdict == NET_FORWARD)
			deliver_run(burst, to, i, end - i, burst->verdicts + i);
		else if (verdict == NET_FLOOD)
			flood_run(burst, i, end - i);
		else
			counter_add(&burst->sender->sent_drops[verdict], end - i);
	}
}

static void record(struct burst *burst, uint32_t snap)
{
	struct recording recording;
	unsigned i = 0;

	capture_tap_begin(&recording, burst->sender->tap, snap);
	for (unsigned run = 0; run < burst->run_count; i = burst->runs[run++])
		capture_tap_append(&recording, burst->frames + i, burst->runs[run] - i,
				   burst->verdicts + i,
				   burst->to[i] ? burst->to[i]->tap : NULL);
	capture_tap_end(&recording);
}

static void flush(const struct burst *burst)
{
	struct net_port *to;

	for (uint32_t slot = 0; (to = next_of(burst, &burst->touched, &slot)); slot++)
		to->ops.flush(to->backend);
}

static void begin(struct burst *burst, struct net_port *port, const struct net_frame *frames,
		  unsigned count)
{
	uint64_t mark = atomic_load_explicit(&port->reading, memory_order_relaxed);

	assert(!(mark & 1));
	burst->sender = port;
	burst->sw = port->sw;
	burst->frames = frames;
	burst->count = count;
	burst->offloaded = 0;
	/* An exchange, because the mark must be seen before a port is looked up. */
	atomic_exchange_explicit(&port->reading, mark + 1, memory_order_seq_cst);
	burst->bound = atomic_load_explicit(&burst->sw->bound, memory_order_acquire);
	clear_set(burst, &burst->touched);
}

static void end(const struct burst *burst)
{
	struct net_port *port = burst->sender;
	uint64_t mark = atomic_load_explicit(&port->reading, memory_order_relaxed);

	flush(burst);
	atomic_store_explicit(&port->reading, mark + 1, memory_order_release);
}

void switch_input(struct net_port *port, const struct net_frame *frames, unsigned count)
{
	struct burst burst;
	uint32_t snap;

	assert(count && count <= NET_BURST_MAX);
	begin(&burst, port, frames, count);
	decide(&burst);
	hand_over(&burst);
	snap = capture_tap_wants(port->tap, count);
	if (__builtin_expect(snap, 0))
		record(&burst, snap);
	end(&burst);
}

/* --- what waits for room --- */

/* Whether the port is there still, and the frame's address is: a slot is given again. */
static bool is_reached(const struct burst *burst, const struct net_port *to,
		       const struct net_frame *frame)
{
	return to && mac_table_find(&burst->sw->macs, mac_load(frame->head), seconds_now()) ==
			     to->slot;
}

/* What of a list finds room or has waited too long; false: the first one is to wait longer. */
static bool retry_first(struct burst *burst, struct net_port *to, struct waiting_list *list,
			uint64_t now)
{
	const struct net_frame *frame = &list->first->frame;
	enum net_verdict verdict = NET_FORWARD;

	if (is_reached(burst, to, frame)) {
		unsigned taken = to->ops.deliver(to->backend, burst->sender->slot, &frame, 1,
						 &verdict);

		if (!taken && is_want_of_room(verdict) && now - list->first->since < WAITING_TIME)
			return false;
		account(to, &frame, 1, &verdict, taken);
		add_port(&burst->touched, to->slot);
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
	begin(&burst, port, NULL, 0);
	for (list = port->waiting.lists; list; list = list->next)
		while (list->first && retry_first(&burst, port_at(&burst, list->slot), list, now))
			;
	waiting_tidy(&port->waiting);
	end(&burst);
	return switch_waits(port);
}

/*
 * Frames to the ports that they go to: as they are, or with their offloads resolved, and
 * counted. The sending port's thread.
 */
#include "net/switch/burst.h"

#include <stdlib.h>

#include "net/switch/parking.h"
#include "net/switch/shape.h"
#include "net/switch/vlan.h"

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

void burst_account(struct net_port *to, const struct net_frame *const *frames, unsigned count,
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

/* What finds no room waits, and what comes behind that. The rest is counted. */
static void deliver_with_backlog(const struct burst *burst, struct net_port *to,
				 const struct net_frame *const *frames, unsigned count,
				 enum net_verdict *verdicts)
{
	struct net_port *sender = burst->sender;
	const struct port_shape *shape = port_shape(to);
	const struct net_frame *others[NET_BURST_MAX];
	enum net_verdict theirs[NET_BURST_MAX];
	uint32_t vlan = burst->tag & NET_VLAN_MAX;
	bool tagged = vlan_is_tagged(shape ? &shape->settings : NULL, vlan);
	unsigned taken = 0, n = 0;

	if (!waiting_find(&sender->waiting, to->slot)) {
		taken = to->ops.deliver(to->backend, sender->slot, frames, count, verdicts);
	} else {
		for (unsigned i = 0; i < count; i++)
			verdicts[i] = NET_DROP_NO_BUFFER;
	}
	for (unsigned i = 0; i < count; i++) {
		if (taken < count && verdict_is_want_of_room(verdicts[i]) &&
		    waiting_put(&sender->waiting, to->slot, vlan, tagged, frames[i],
				clock_monotonic())) {
			verdicts[i] = NET_FORWARD;
			continue;
		}
		others[n] = frames[i];
		theirs[n++] = verdicts[i];
	}
	burst_account(to, others, n, theirs, taken);
}

/* One that goes on at once. What finds no room is kept in the lane. */
static enum net_verdict deliver_one(struct net_port *sender, struct net_port *to,
				    struct lane *lane, const struct net_frame *frame,
				    enum net_verdict verdict, uint64_t now, uint64_t *due)
{
	unsigned taken = to->ops.deliver(to->backend, sender->slot, &frame, 1, &verdict);

	if (!taken && verdict_is_want_of_room(verdict) &&
	    lane_keep(lane, frame, sender->slot, now, due))
		return NET_FORWARD;
	burst_account(to, &frame, 1, &verdict, taken);
	return verdict;
}

/* To a port on whose way frames are impaired. */
static void deliver_by_lane(struct net_port *sender, struct net_port *to, struct lane *lane,
			    const struct net_frame *const *frames, unsigned count,
			    enum net_verdict *verdicts)
{
	struct late *late = &to->sw->set->late;
	uint64_t now = late->now(), next = LANE_NEVER, due;

	for (unsigned i = 0; i < count; i++) {
		enum net_verdict verdict = verdicts[i], kept;
		unsigned at_once = lane_offer(lane, frames[i], sender->slot, now, &verdicts[i],
					      &due);

		next = due < next ? due : next;
		if (verdicts[i] != verdict)
			account_refused(to, &verdicts[i], 1);
		while (at_once--) {
			due = LANE_NEVER;
			kept = deliver_one(sender, to, lane, frames[i], verdict, now, &due);
			next = due < next ? due : next;
			if (kept >= NET_DROP_SHORT)
				verdicts[i] = kept;
		}
	}
	late_wake(late, next);
}

/* As they are seen there. */
static void deliver_seen(const struct burst *burst, struct net_port *to,
			 const struct net_frame *const *frames, unsigned count,
			 enum net_verdict *verdicts)
{
	struct lane *lane = port_lane(to, NET_WAY_IN);
	struct net_port *sender = burst->sender;
	unsigned taken;

	if (__builtin_expect(lane != NULL, 0)) {
		deliver_by_lane(sender, to, lane, frames, count, verdicts);
		return;
	}
	if (sender->keeps_backlog && !sender->releasing && verdicts[0] == NET_FORWARD) {
		deliver_with_backlog(burst, to, frames, count, verdicts);
		return;
	}
	taken = to->ops.deliver(to->backend, sender->slot, frames, count, verdicts);
	burst_account(to, frames, count, verdicts, taken);
}

/* Whether a frame as the port sees it is one that it may see: NET_FORWARD, or why not. */
static enum net_verdict fit(const struct burst *burst, const struct port_shape *shape,
			    const struct net_frame *frame)
{
	if (!frame->size || shape_is_long(&shape->settings, frame))
		return NET_DROP_LONG;
	/* What its sender has behind a tag of its own, or without one, is no tag of a trunk. */
	if (shape->trunk && (burst->tag & NET_VLAN_MAX) == shape->settings.vlan &&
	    (vlan_has_tag(frame) || vlan_is_cut(frame)))
		return NET_DROP_VLAN;
	return NET_FORWARD;
}

static void deliver_fitting(struct burst *burst, struct net_port *to,
			    const struct port_shape *shape,
			    const struct net_frame *const *frames, unsigned count,
			    enum net_verdict *verdicts)
{
	for (unsigned i = 0, end; i < count; i = end) {
		enum net_verdict refusal = fit(burst, shape, frames[i]);

		end = i + 1;
		if (refusal != NET_FORWARD) {
			verdicts[i] = refusal;
			account_refused(to, &verdicts[i], 1);
			continue;
		}
		while (end < count && fit(burst, shape, frames[end]) == NET_FORWARD)
			end++;
		deliver_seen(burst, to, frames + i, end - i, verdicts + i);
	}
}

static void refuse_all(struct net_port *to, unsigned count, enum net_verdict *verdicts,
		       enum net_verdict refusal)
{
	for (unsigned i = 0; i < count; i++)
		verdicts[i] = refusal;
	account_refused(to, verdicts, count);
}

/* To a port that is not plain. */
static void deliver_shaped(struct burst *burst, struct net_port *to,
			   const struct port_shape *shape,
			   const struct net_frame *const *frames, unsigned count,
			   enum net_verdict *verdicts)
{
	frames = vlan_leave(burst, &shape->settings, frames, count);
	if (frames)
		deliver_fitting(burst, to, shape, frames, count, verdicts);
	else
		refuse_all(to, count, verdicts, NET_DROP_NO_BUFFER);
}

static void deliver(struct burst *burst, struct net_port *to,
		    const struct net_frame *const *frames, unsigned count,
		    enum net_verdict *verdicts)
{
	const struct port_shape *shape = port_shape(to);

	/* Copies are as they were sent. */
	if (__builtin_expect(shape != NULL, 0) && shape->settings.span == NET_SPAN_NO)
		deliver_shaped(burst, to, shape, frames, count, verdicts);
	else
		deliver_seen(burst, to, frames, count, verdicts);
}

/*
 * Frames first and so on of the burst, as they are seen at a port that tells when it has room: what
 * finds none stays with the sender, and what comes behind that.
 */
static void deliver_or_park(struct burst *burst, struct net_port *to,
			    const struct net_frame *const *frames, unsigned first, unsigned count,
			    enum net_verdict *verdicts)
{
	struct net_port *sender = burst->sender;
	const struct net_frame *others[NET_BURST_MAX];
	enum net_verdict theirs[NET_BURST_MAX];
	unsigned taken = 0, n = 0;

	parking_aim(sender, to->slot);
	if (!parking_holds(sender, to->slot)) {
		taken = to->ops.deliver(to->backend, sender->slot, frames, count, verdicts);
		if (taken)
			parking_took(sender, to->slot);
	} else {
		for (unsigned i = 0; i < count; i++)
			verdicts[i] = NET_DROP_NO_BUFFER;
	}
	if (taken == count) {
		burst_account(to, frames, count, verdicts, taken);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		if (verdict_is_want_of_room(verdicts[i]) && parking_park(burst, to, first + i))
			continue;
		others[n] = frames[i];
		theirs[n++] = verdicts[i];
	}
	burst_account(to, others, n, theirs, taken);
}

/* Frames first and so on as the port sees them, if they may stay for it; or NULL. */
static const struct net_frame *const *seen_to_stay(struct burst *burst, const struct net_port *to,
						   unsigned first, unsigned count)
{
	const struct port_shape *shape = port_shape(to);
	const struct net_frame *const *frames = burst->list + first;

	if (!burst->stay || !to->ops.resumes)
		return NULL;
	if (__builtin_expect(shape == NULL, 1))
		return frames;
	if (shape->lanes[NET_WAY_IN])
		return NULL;
	frames = vlan_leave(burst, &shape->settings, frames, count);
	for (unsigned i = 0; frames && i < count; i++)
		if (fit(burst, shape, frames[i]) != NET_FORWARD)
			return NULL;
	return frames;
}

static void deliver_plain(struct burst *burst, struct net_port *to, unsigned first, unsigned count,
			  enum net_verdict *verdicts)
{
	const struct net_frame *const *frames = seen_to_stay(burst, to, first, count);

	if (frames)
		deliver_or_park(burst, to, frames, first, count, verdicts);
	else
		deliver(burst, to, burst->list + first, count, verdicts);
}

/* Allocates once for a port: it is large, and most ports need none. */
struct offload_scratch *burst_scratch(const struct burst *burst)
{
	struct net_port *sender = burst->sender;

	if (!sender->scratch)
		sender->scratch = malloc(sizeof(*sender->scratch));
	return sender->scratch;
}

static uint32_t accepts_of(const struct net_port *to)
{
	uint32_t accepts = atomic_load_explicit(&to->accepts, memory_order_relaxed);

	/* What is lost or turned around is what there would be on a cable. */
	return port_lane(to, NET_WAY_IN) ? 0 : accepts;
}

/* Whether frames of the run may go to a port at all: NET_FORWARD, or why not. */
static enum net_verdict admit(const struct burst *burst, const struct net_port *to)
{
	const struct port_shape *shape = port_shape(to), *own;

	if (shape && shape->settings.span != NET_SPAN_NO)
		return NET_DROP_SPAN;
	if (!vlan_admits(shape ? &shape->settings : NULL, burst->tag & NET_VLAN_MAX))
		return NET_DROP_VLAN;
	own = burst->shaped ? port_shape(burst->sender) : NULL;
	if (shape && own && shape->settings.private && own->settings.private)
		return NET_DROP_PRIVATE;
	return NET_FORWARD;
}

/* Marks the port as one to be flushed. False: its link is down, and the frames are refused. */
static bool reach(struct burst *burst, struct net_port *to, unsigned count,
		  enum net_verdict *verdicts)
{
	if (!port_is_reached(to)) {
		refuse_all(to, count, verdicts, NET_DROP_LINK_DOWN);
		return false;
	}
	port_set_add(&burst->touched, to->slot);
	return true;
}

/* A frame that the receiver cannot take as it is. It is refused if all of its parts are. */
static void deliver_resolved(struct burst *burst, struct net_port *to,
			     const struct net_frame *frame, enum net_verdict *verdict)
{
	struct offload_scratch *scratch = burst_scratch(burst);
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
		deliver(burst, to, scratch->list, count, parts);
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

void burst_deliver(struct burst *burst, struct net_port *to, unsigned first, unsigned count,
			enum net_verdict *verdicts)
{
	enum net_verdict refusal = admit(burst, to);

	if (refusal == NET_FORWARD)
		burst_offer(burst, to, first, count, verdicts);
	else
		refuse_all(to, count, verdicts, refusal);
}

void burst_offer(struct burst *burst, struct net_port *to, unsigned first, unsigned count,
		 enum net_verdict *verdicts)
{
	uint32_t accepts;
	unsigned start = 0;

	if (!reach(burst, to, count, verdicts))
		return;
	if (!offloaded_of(burst, first, count)) {
		deliver_plain(burst, to, first, count, verdicts);
		return;
	}
	accepts = accepts_of(to);
	for (unsigned i = 0; i < count; i++) {
		if (!offload_unresolved(&burst->list[first + i]->offload, accepts))
			continue;
		if (i > start)
			deliver_plain(burst, to, first + start, i - start, verdicts + start);
		/* It may stay behind others, but not when some of its parts have been taken. */
		if (!burst->stay || !parking_holds(burst->sender, to->slot) ||
		    !parking_park(burst, to, first + i))
			deliver_resolved(burst, to, burst->list[first + i], &verdicts[i]);
		start = i + 1;
	}
	if (count > start)
		deliver_plain(burst, to, first + start, count - start, verdicts + start);
}

/* Frames to all of the set, as they are. */
static void flood_list(struct burst *burst, const struct port_set *set,
		       const struct net_frame *const *list, unsigned count)
{
	enum net_verdict verdicts[NET_BURST_MAX];
	struct net_port *to;

	for (uint32_t slot = 0; (to = burst_next(burst, set, &slot)); slot++) {
		for (unsigned i = 0; i < count; i++)
			verdicts[i] = NET_FLOOD;
		deliver(burst, to, list, count, verdicts);
	}
}

/* An unfinished frame: as it is to those who take it so, and resolved once for all others. */
static void flood_offloaded(struct burst *burst, const struct port_set *set, unsigned index)
{
	struct offload_scratch *scratch = burst_scratch(burst);
	enum net_verdict verdict;
	struct port_set others;
	struct net_port *to;
	unsigned count;

	burst_clear(burst, &others);
	for (uint32_t slot = 0; (to = burst_next(burst, set, &slot)); slot++) {
		verdict = NET_FLOOD;
		if (!offload_unresolved(&burst->list[index]->offload, accepts_of(to))) {
			deliver(burst, to, burst->list + index, 1, &verdict);
		} else if (scratch) {
			port_set_add(&others, slot);
		} else {
			verdict = NET_DROP_NO_BUFFER;
			account_refused(to, &verdict, 1);
		}
	}
	if (!scratch)
		return;
	offload_begin(scratch, burst->list[index]);
	while ((count = offload_next(scratch)))
		flood_list(burst, &others, scratch->list, count);
}

static bool takes_run(const struct burst *burst, const struct net_port *to, unsigned first,
		      unsigned count)
{
	for (uint64_t bits = offloaded_of(burst, first, count); bits; bits &= bits - 1)
		if (offload_unresolved(&burst->list[__builtin_ctzll(bits)]->offload,
				       accepts_of(to)))
			return false;
	return true;
}

/* A run for ports that cannot take all of it as it is, in order. */
static void flood_mixed(struct burst *burst, const struct port_set *set, unsigned first,
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

void burst_flood(struct burst *burst, unsigned first, unsigned count)
{
	enum net_verdict verdicts[NET_BURST_MAX];
	struct port_set mixed;
	bool some = false;

	if (offloaded_of(burst, first, count))
		burst_clear(burst, &mixed);
	for (uint32_t slot = 0; slot < burst->bound; slot++) {
		struct net_port *to = burst_port(burst, slot);

		if (!to || slot == burst->sender->slot || admit(burst, to) != NET_FORWARD)
			continue;
		for (unsigned i = 0; i < count; i++)
			verdicts[i] = NET_FLOOD;
		if (!reach(burst, to, count, verdicts))
			continue;
		if (takes_run(burst, to, first, count)) {
			deliver(burst, to, burst->list + first, count, verdicts);
			continue;
		}
		port_set_add(&mixed, slot);
		some = true;
	}
	if (some)
		flood_mixed(burst, &mixed, first, count);
}

/* See shape.h. */
#include "net/switch/shape.h"

#include <stdlib.h>

void shape_check(struct burst *burst, const struct port_shape *shape)
{
	bool unplugged = shape->settings.link == NET_LINK_DOWN;

	burst->shaped = true;
	for (unsigned i = 0; i < burst->count; i++)
		burst->refusals[i] = unplugged ? NET_DROP_LINK_DOWN : NET_FORWARD;
}

/* What goes on at once of a burst that is impaired, and what is refused. */
struct gathering {
	struct burst *burst;
	const struct port_shape *shape;
	uint64_t now, next; /* when something is due that goes on later */
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

static void impair(struct gathering *some, const struct net_frame *frame)
{
	enum net_verdict refusal = NET_FORWARD;
	uint64_t due;
	unsigned at_once = lane_offer(some->shape->lanes[NET_WAY_OUT], frame,
				      some->burst->sender->slot, some->now, &refusal, &due);

	some->next = due < some->next ? due : some->next;
	if (refusal != NET_FORWARD)
		gather(some, frame, refusal);
	while (at_once--)
		gather(some, frame, NET_FORWARD);
}

/* What the sender leaves to its NIC is done before: on a cable it would have been. */
static void impair_parts(struct gathering *some, const struct net_frame *frame)
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
			impair(some, scratch->list[i]);
		pass_gathered(some); /* before they are overwritten */
	}
}

static void pass_impaired(struct burst *burst, const struct port_shape *shape)
{
	struct late *late = &burst->sw->set->late;
	struct gathering some = { .burst = burst, .shape = shape, .now = late->now(),
				  .next = LANE_NEVER };
	const struct net_frame *frames = burst->frames;
	unsigned count = burst->count;

	burst->stay = NULL;
	for (unsigned i = 0; i < count; i++) {
		enum net_verdict mistake = burst_check(&frames[i]);

		if (mistake != NET_FORWARD) {
			gather(&some, &frames[i], mistake);
		} else if (frames[i].offload.flags || frames[i].offload.gso_type) {
			pass_gathered(&some);
			impair_parts(&some, &frames[i]);
		} else {
			impair(&some, &frames[i]);
		}
	}
	pass_gathered(&some);
	late_wake(late, some.next);
}

void shape_pass(struct burst *burst, const struct port_shape *shape)
{
	/* A burst that began before the port was shared has no turn, and its frames none. */
	if (shape->lanes[NET_WAY_OUT] && burst->locked) {
		pass_impaired(burst, shape);
		return;
	}
	shape_check(burst, shape);
	burst_pass(burst);
}

/* See span.h. The sending port's thread. */
#include "net/switch/span.h"

#include "net/switch/vlan.h"

static uint32_t vlan_of(const struct burst *burst, unsigned i)
{
	return burst->shaped ? burst->tags[i] & NET_VLAN_MAX : 0;
}

static bool mirrors(const struct net_port *port, enum net_way way)
{
	const struct port_shape *shape = port_shape(port);

	return shape && shape->settings.mirror >> way & 1;
}

/* Whether a port that mirrors what it gets is among those that a flood goes to. */
static bool floods_to_mirror(const struct burst *burst, uint32_t vlan)
{
	for (uint32_t slot = 0; slot < burst->bound; slot++) {
		const struct net_port *to = burst_port(burst, slot);

		if (to && to != burst->sender && mirrors(to, NET_WAY_IN) &&
		    vlan_admits(&port_shape(to)->settings, vlan))
			return true;
	}
	return false;
}

static bool is_mirrored(const struct burst *burst, unsigned i)
{
	if (mirrors(burst->sender, NET_WAY_OUT))
		return true;
	if (burst->verdicts[i] == NET_FLOOD)
		return floods_to_mirror(burst, vlan_of(burst, i));
	return burst->to[i] && mirrors(burst->to[i], NET_WAY_IN);
}

/* What went its way, or would have if there had been room; what stays comes again. */
static bool has_passed(const struct burst *burst, unsigned i)
{
	enum net_verdict verdict = burst->verdicts[i];

	return !(burst->parked >> i & 1) && (verdict == NET_FORWARD || verdict == NET_FLOOD ||
					     (burst->to[i] && verdict_is_want_of_room(verdict)));
}

static bool is_copied(const struct burst *burst, const struct port_shape *shape, unsigned i)
{
	const struct net_port_settings *settings = &shape->settings;

	if (!has_passed(burst, i))
		return false;
	if (shape->vlans && !vlan_admits(settings, vlan_of(burst, i)))
		return false;
	return settings->span == NET_SPAN_ALL || is_mirrored(burst, i);
}

static void copy(struct burst *burst, struct net_port *to, const struct port_shape *shape)
{
	enum net_verdict verdicts[NET_BURST_MAX];
	unsigned count = 0;

	burst->offloaded = 0;
	for (unsigned i = 0; i < burst->count; i++) {
		const struct net_frame *frame = &burst->frames[i];

		if (!is_copied(burst, shape, i))
			continue;
		if (frame->offload.flags || frame->offload.gso_type)
			burst->offloaded |= 1ull << count;
		verdicts[count] = NET_FLOOD;
		burst->list[count++] = frame;
	}
	if (count)
		burst_offer(burst, to, 0, count, verdicts);
}

void span_pass(struct burst *burst)
{
	const struct net_stay *stay = burst->stay;

	burst->stay = NULL; /* nobody waits for a copy's room */
	for (uint32_t slot = 0; slot < burst->bound; slot++) {
		struct net_port *to = burst_port(burst, slot);
		const struct port_shape *shape = to ? port_shape(to) : NULL;

		if (shape && shape->settings.span != NET_SPAN_NO)
			copy(burst, to, shape);
	}
	burst->stay = stay;
}

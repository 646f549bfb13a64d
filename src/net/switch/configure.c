/* Setting ports. Any thread but from deliver(); nothing here is on a frame's way. */
#include "net/switch/switch_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/suggest.h"

static bool is_plain(const struct net_port_settings *settings)
{
	static const struct net_port_settings plain;

	return memcmp(settings, &plain, sizeof(plain)) == 0;
}

void port_settings(const struct net_port *port, struct net_port_settings *out)
{
	const struct port_shape *shape = port_shape(port);

	if (shape)
		*out = shape->settings;
	else
		memset(out, 0, sizeof(*out));
}

static uint64_t any_seed(const struct net_port *port)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = clock_monotonic() ^ (uintptr_t)port;
	return seed;
}

/* The lane of a way that is to be impaired, ready. NULL with a cause. */
static struct lane *make_lane(struct net_port *port, enum net_way way,
			      const struct net_impairment *impairment, struct cause *cause)
{
	struct switch_set *set = port->sw->set;
	struct lane *lane = port->lanes[way];

	if (!lane) {
		if (!set->late.loop && set->serve(set, cause))
			return NULL;
		lane = lane_new(port, way);
		if (!lane) {
			cause_errno(cause, ENOMEM, "%s: its settings", port->name);
			return NULL;
		}
		port->lanes[way] = lane;
		pthread_mutex_lock(&set->late.lock);
		late_add(&set->late, lane);
		pthread_mutex_unlock(&set->late.lock);
	}
	if (way == NET_WAY_OUT)
		atomic_store(&port->shared, true);
	lane_begin(lane, impairment, any_seed(port));
	return lane;
}

/* Before a frame can be in a VLAN. */
static int count_vlans(struct net_switch *sw)
{
	struct vlan_traffic *vlans;

	if (atomic_load_explicit(&sw->vlans, memory_order_relaxed))
		return 0;
	vlans = calloc(NET_VLAN_MAX, sizeof(*vlans));
	if (!vlans)
		return -ENOMEM;
	atomic_store_explicit(&sw->vlans, vlans, memory_order_release);
	return 0;
}

/* *out is NULL of a plain port. */
static int make_shape(struct port_shape **out, struct net_port *port,
		      const struct net_port_settings *settings, struct cause *cause)
{
	static const struct net_vlans none;
	struct port_shape *shape;

	*out = NULL;
	if (is_plain(settings) && !port->hold)
		return 0;
	shape = calloc(1, sizeof(*shape));
	if (!shape)
		return cause_errno(cause, ENOMEM, "%s: its settings", port->name);
	shape->settings = *settings;
	shape->hold = port->hold;
	shape->trunk = memcmp(&settings->trunk, &none, sizeof(none)) != 0;
	shape->vlans = settings->vlan || shape->trunk;
	if (shape->vlans && count_vlans(port->sw)) {
		free(shape);
		return cause_errno(cause, ENOMEM, "%s: its settings", port->name);
	}
	for (unsigned way = 0; way < NET_WAYS; way++) {
		const struct net_impairment *impairment = &settings->impairments[way];

		if (!net_impairs(impairment))
			continue;
		shape->lanes[way] = make_lane(port, way, impairment, cause);
		if (!shape->lanes[way]) {
			free(shape);
			return -ENOMEM;
		}
	}
	*out = shape;
	return 0;
}

/* No frames go by lanes that are not in use any more: what they hold goes on at once. */
static void open_lanes(struct net_port *port, const struct port_shape *shape)
{
	for (unsigned way = 0; way < NET_WAYS; way++) {
		if (!port->lanes[way] || (shape && shape->lanes[way]))
			continue;
		lane_open(port->lanes[way]);
		late_wake(&port->sw->set->late, 0);
	}
}

void port_limit_macs(struct net_port *port)
{
	const struct port_shape *shape = port_shape(port);

	if (port->slot != NET_PORTS_MAX)
		mac_table_limit(&port->sw->macs, port->slot, shape ? shape->settings.macs : 0);
}

/* Under late's lock, when nobody sends by the old one: what was held has its tags by that. */
static void forget_other_vlans(struct net_port *port, const struct port_shape *shape,
			       const struct port_shape *old)
{
	static const struct net_port_settings plain;
	const struct net_port_settings *is = shape ? &shape->settings : &plain;
	const struct net_port_settings *was = old ? &old->settings : &plain;

	if (port->lanes[NET_WAY_IN] &&
	    (is->vlan != was->vlan || memcmp(&is->trunk, &was->trunk, sizeof(is->trunk)) != 0))
		counter_add_shared(&port->refused[NET_DROP_VLAN],
				   lane_forget(port->lanes[NET_WAY_IN], LANE_ALL));
}

/* Senders look for ports that get copies while there are any. */
static void count_span(struct net_switch *sw, const struct port_shape *shape,
		       const struct port_shape *old)
{
	if (shape && shape->settings.span != NET_SPAN_NO)
		atomic_fetch_add(&sw->spans, 1);
	if (old && old->settings.span != NET_SPAN_NO)
		atomic_fetch_sub(&sw->spans, 1);
}

int port_configure(struct net_port *port, const struct net_port_settings *settings,
		   struct cause *cause)
{
	bool was_unplugged = port_is_unplugged(port), unplugged;
	struct switch_set *set = port->sw->set;
	struct port_shape *shape, *old;
	int error = make_shape(&shape, port, settings, cause);

	if (error || (!shape && !port_shape(port))) /* plain, as it was */
		return error;
	pthread_mutex_lock(&set->late.lock);
	/* In one order with the marks of senders: who has begun before may see the old one. */
	old = atomic_exchange_explicit(&port->shape, shape, memory_order_seq_cst);
	switch_wait_for_senders(port->sw, port);
	forget_other_vlans(port, shape, old);
	count_span(port->sw, shape, old);
	pthread_mutex_unlock(&set->late.lock);
	free(old);
	port_limit_macs(port);
	open_lanes(port, shape);
	unplugged = port_is_unplugged(port);
	if (unplugged != was_unplugged && port->ops.link)
		port->ops.link(port->backend, !unplugged);
	return 0;
}

void port_unconfigure(struct net_port *port)
{
	struct late *late = &port->sw->set->late;
	uint64_t lost = port->waiting.count + (port->hold ? port->hold->count : 0);
	struct port_shape *shape;

	pthread_mutex_lock(&late->lock);
	for (struct lane *lane = late->lanes; lane; lane = lane->next)
		if (lane->port->sw == port->sw)
			lost += lane_forget(lane, lane->port == port ? LANE_ALL : port->slot);
	counter_add(&port->sw->lost, lost);
	for (unsigned way = 0; way < NET_WAYS; way++) {
		late_remove(late, port->lanes[way]);
		port->lanes[way] = NULL;
	}
	pthread_mutex_unlock(&late->lock);
	shape = atomic_exchange(&port->shape, NULL);
	count_span(port->sw, NULL, shape);
	free(shape);
	if (!port->hold)
		return;
	port_keep_break(port);
	hold_free(port->hold);
	port->hold = NULL;
	if (port->sw->set->held)
		port->sw->set->held(port->sw->set->notice_arg);
}

/* --- what is kept --- */

int port_make_kept(struct net_port *port, struct cause *cause)
{
	if (!port->kept || *port->kept)
		return 0;
	*port->kept = calloc(1, sizeof(**port->kept));
	return *port->kept ? 0 : cause_errno(cause, ENOMEM, "%s: its settings", port->name);
}

int port_begin(struct net_port *port, const struct net_port_settings *settings,
	       struct cause *cause)
{
	struct net_port_kept *kept = port->kept ? *port->kept : NULL;
	int error;

	if (kept && kept->set)
		settings = &kept->settings;
	error = settings ? port_configure(port, settings, cause) : 0;
	return error ? error : port_restore_break(port, cause);
}

/* Of a guest's card: with an address, which is none of the switch's own. */
static bool is_card(const struct net_port *port)
{
	static const uint8_t none[NET_MAC_SIZE];

	return memcmp(port->addresses[0].mac, none, sizeof(none)) != 0 && !port->addresses[0].ip;
}

int port_set(struct net_port *port, const struct net_port_settings *settings, struct cause *cause)
{
	int error;

	if (net_port_settings_fault(settings, is_card(port), cause))
		return cause_prefix(cause, -EINVAL, "%s", port->name);
	error = port_make_kept(port, cause);
	if (!error)
		error = port_configure(port, settings, cause);
	if (error || !port->kept)
		return error;
	(*port->kept)->settings = *settings;
	(*port->kept)->set = true;
	return 0;
}

int switch_port_set(struct net_port *port, const struct net_port_settings *settings,
		    struct cause *cause)
{
	struct switch_set *set = port->sw->set;
	int error;

	pthread_mutex_lock(&set->lock);
	error = port_set(port, settings, cause);
	pthread_mutex_unlock(&set->lock);
	return error;
}

void port_impaired(const struct net_port *port, struct net_impaired out[NET_WAYS])
{
	for (unsigned way = 0; way < NET_WAYS; way++)
		if (port->lanes[way])
			lane_count(port->lanes[way], &out[way]);
}

/* The port that comes next of all switches'; *sw and *slot are where to go on. Or NULL. */
static struct net_port *next_port(const struct net_switch **sw, uint32_t *slot)
{
	for (; *sw; *sw = (*sw)->next, *slot = 0) {
		while (*slot < atomic_load(&(*sw)->bound)) {
			struct net_port *port = atomic_load_explicit(&(*sw)->ports[(*slot)++],
								     memory_order_acquire);

			if (port)
				return port;
		}
	}
	return NULL;
}

struct net_port *switch_find_port(const struct switch_set *set, const char *name)
{
	const struct net_switch *sw = set->switches;
	struct net_port *port;
	uint32_t slot = 0;

	do
		port = next_port(&sw, &slot);
	while (port && strcmp(port->name, name) != 0);
	return port;
}

void switch_suggest_port(const struct switch_set *set, struct suggestion *suggestion)
{
	const struct net_switch *sw = set->switches;
	struct net_port *port;
	uint32_t slot = 0;

	while ((port = next_port(&sw, &slot)))
		suggest_offer(suggestion, port->name);
}

/*
 * Switches and their ports: adding, removing, counting, listing. Any thread but
 * from deliver(); nothing here is on a frame's way, which is in forward.c.
 */
#include "net/switch/switch.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/switch/switch_private.h"

struct net_switch *switch_find(const struct switch_set *set, const char *name)
{
	struct net_switch *sw = set->switches;

	while (sw && strcmp(sw->name, name))
		sw = sw->next;
	return sw;
}

/* Puts the switch at the end of the set's list; -EEXIST. */
static int enlist(struct switch_set *set, struct net_switch *sw)
{
	struct net_switch **end = &set->switches;
	int error = 0;

	pthread_mutex_lock(&set->lock);
	while (*end)
		end = &(*end)->next;
	if (switch_find(set, sw->name))
		error = -EEXIST;
	else
		*end = sw;
	pthread_mutex_unlock(&set->lock);
	return error;
}

#define FLAPS_QUIET 60u /* s without, after which they are said again */

/* The MAC table's: the ports are found while the sender is in its burst. */
static void on_flaps(void *arg, uint64_t mac, uint32_t from, uint32_t to)
{
	struct net_switch *sw = arg;
	const struct net_port *one = atomic_load(&sw->ports[from]);
	const struct net_port *other = atomic_load(&sw->ports[to]);
	uint32_t now = seconds_now(), last = atomic_exchange(&sw->last_flaps, now);
	char text[NET_PORT_NAME_MAX * 2 + 192];
	uint8_t bytes[sizeof(mac)];

	atomic_fetch_add(&sw->flaps, 1);
	if (!one || !other || !sw->set->notice || (last && now - last < FLAPS_QUIET))
		return;
	memcpy(bytes, &mac, sizeof(bytes));
	snprintf(text, sizeof(text), "switch %s: %02x:%02x:%02x:%02x:%02x:%02x moves between %s and "
		 "%s many times a second: a loop, or two with one address", sw->name, bytes[0],
		 bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], one->name, other->name);
	sw->set->notice(sw->set->notice_arg, text);
}

int switch_init(struct net_switch *sw, struct switch_set *set, const char *name,
		uint64_t patience)
{
	int error = mac_table_init(&sw->macs);

	if (error)
		return error;
	snprintf(sw->name, sizeof(sw->name), "%s", name);
	sw->set = set;
	sw->patience = patience;
	sw->macs.flaps.tell = on_flaps;
	sw->macs.flaps.arg = sw;
	error = enlist(set, sw);
	if (!error)
		capture_hub_add_switch(set->capture, &sw->captured, sw->name);
	return error;
}

static void delist(struct switch_set *set, struct net_switch *sw)
{
	struct net_switch **at = &set->switches;

	pthread_mutex_lock(&set->lock);
	while (*at && *at != sw)
		at = &(*at)->next;
	if (*at)
		*at = sw->next;
	pthread_mutex_unlock(&set->lock);
}

void switch_destroy(struct net_switch *sw)
{
	if (sw->set) {
		capture_hub_remove_switch(sw->set->capture, &sw->captured);
		delist(sw->set, sw);
	}
	for (uint32_t i = 0; i < NET_PORTS_MAX; i++)
		assert(!atomic_load(&sw->ports[i]));
	mac_table_destroy(&sw->macs);
	free(atomic_load(&sw->vlans));
}

static struct net_port *port_at(const struct net_switch *sw, uint32_t slot)
{
	return atomic_load_explicit(&sw->ports[slot], memory_order_acquire);
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv. */
static uint64_t hash_name(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 0x100000001b3;
	return hash;
}

static int taken_name(const struct net_port *port, const struct net_switch *sw,
		      struct cause *cause)
{
	return cause_set(cause, EEXIST, "%s: switch %s has a port of that name already", port->name,
			 sw->name);
}

static int taken_address(const struct net_port *port, uint64_t mac, const struct net_port *other,
			 struct cause *cause)
{
	uint8_t bytes[8];

	memcpy(bytes, &mac, sizeof(bytes));
	return cause_set(cause, EEXIST,
			 "%s: address %02x:%02x:%02x:%02x:%02x:%02x is used by %s on switch %s; "
			 "give one of them another",
			 port->name, bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5],
			 other->name, other->sw->name);
}

/* An address that both want, or 0. */
static uint64_t shared_address(const struct port_identity *one, const struct port_identity *other)
{
	for (unsigned i = 0; i < NET_PORT_ADDRESSES_MAX; i++)
		for (unsigned j = 0; j < NET_PORT_ADDRESSES_MAX; j++)
			if (one->macs[i] && one->macs[i] == other->macs[j])
				return one->macs[i];
	return 0;
}

/* Under the lock: whether the name is free in the network and the address in the switch. */
static int check_unique(const struct net_switch *sw, const struct net_port *port,
			const struct port_identity *wanted, struct cause *cause)
{
	for (const struct net_switch *s = sw->set->switches; s; s = s->next) {
		for (uint32_t i = 0; i < atomic_load(&s->bound); i++) {
			const struct port_identity *other = &s->identities[i];
			uint64_t mac = s == sw ? shared_address(wanted, other) : 0;

			if (!mac && other->name != wanted->name)
				continue;
			if (!port_at(s, i))
				continue;
			if (!strcmp(port_at(s, i)->name, port->name))
				return taken_name(port, s, cause);
			if (mac)
				return taken_address(port, mac, port_at(s, i), cause);
		}
	}
	return 0;
}

/* Nobody but the port at slot may claim the address. -ENOSPC. */
static int guard_ip(struct net_switch *sw, uint32_t ip, uint32_t slot)
{
	for (unsigned i = 0; i < GUARDED_MAX; i++) {
		if (atomic_load(&sw->guarded[i]))
			continue;
		atomic_store(&sw->guarded[i], ip | (uint64_t)(slot + 1) << 32);
		return 0;
	}
	return -ENOSPC;
}

static void disown_addresses(struct net_switch *sw, uint32_t slot)
{
	mac_table_forget(&sw->macs, slot);
	for (unsigned i = 0; i < GUARDED_MAX; i++)
		if (atomic_load(&sw->guarded[i]) >> 32 == slot + 1)
			atomic_store(&sw->guarded[i], 0);
}

/* The place that the port is about to have gets its addresses. */
static int own_addresses(struct net_switch *sw, const struct net_port *port,
			 const struct port_identity *identity, uint32_t slot, struct cause *cause)
{
	int error = 0;

	for (unsigned i = 0; i < NET_PORT_ADDRESSES_MAX && !error; i++) {
		if (identity->macs[i])
			error = mac_table_own(&sw->macs, identity->macs[i], slot, seconds_now());
		if (!error && port->addresses[i].ip)
			error = guard_ip(sw, port->addresses[i].ip, slot);
	}
	if (!error)
		return 0;
	disown_addresses(sw, slot);
	return cause_set(cause, -error, "%s: switch %s has no room for its addresses", port->name,
			 sw->name);
}

static void identify(const struct net_port *port, struct port_identity *identity)
{
	uint8_t mac[8] = { 0 };

	for (unsigned i = 0; i < NET_PORT_ADDRESSES_MAX; i++) {
		memcpy(mac, port->addresses[i].mac, NET_MAC_SIZE);
		identity->macs[i] = mac_load(mac);
	}
	identity->name = hash_name(port->name);
}

/* Under the lock: gives the port a place, after which frames come. */
static int place(struct net_switch *sw, struct net_port *port, struct cause *cause)
{
	struct port_identity identity;
	uint32_t slot = 0;
	int error;

	identify(port, &identity);
	error = check_unique(sw, port, &identity, cause);
	if (error)
		return error;
	while (slot < NET_PORTS_MAX && port_at(sw, slot))
		slot++;
	if (slot == NET_PORTS_MAX)
		return cause_set(cause, ENOSPC, "%s: switch %s has %u ports, which is the most",
				 port->name, sw->name, NET_PORTS_MAX);
	error = own_addresses(sw, port, &identity, slot, cause);
	if (error)
		return error;
	port->tap = capture_tap_new(sw->set->capture, port->name, sw->name,
				    port->addresses[0].mac);
	if (!port->tap) {
		disown_addresses(sw, slot);
		return cause_errno(cause, ENOMEM, "%s", port->name);
	}
	port->slot = slot;
	port_limit_macs(port);
	sw->identities[slot] = identity;
	atomic_store_explicit(&sw->ports[slot], port, memory_order_release);
	if (slot >= atomic_load(&sw->bound))
		atomic_store_explicit(&sw->bound, slot + 1, memory_order_release);
	return 0;
}

/* Under the lock: tells the other ports. */
static void greet(const struct net_port *port, const struct net_port_config *config)
{
	struct net_switch *sw = port->sw;

	for (uint32_t i = 0; i < atomic_load(&sw->bound); i++) {
		const struct net_port *other = port_at(sw, i);

		if (other && other != port && other->ops.greet)
			other->ops.greet(other->backend, port->slot, config);
	}
}

int switch_port_add(struct net_port **out, struct net_switch *sw,
		    const struct net_port_config *config, const struct net_port_ops *ops,
		    void *backend, struct cause *cause)
{
	struct net_port *port = aligned_alloc(CACHE_LINE, sizeof(*port));
	int error;

	if (!port)
		return cause_errno(cause, ENOMEM, "%s: memory for the port", config->name);
	memset(port, 0, sizeof(*port));
	memcpy(port->addresses, config->addresses, sizeof(port->addresses));
	snprintf(port->name, sizeof(port->name), "%s", config->name);
	port->kind = config->kind;
	port->ops = *ops;
	port->backend = backend;
	port->sw = sw;
	port->slot = NET_PORTS_MAX; /* no place yet */
	port->keeps_backlog = config->keeps_backlog;
	port->kept = config->kept;
	atomic_init(&port->accepts, config->accepts);
	pthread_mutex_init(&port->turn, NULL);
	pthread_mutex_lock(&sw->set->lock);
	error = port_begin(port, config->settings, cause);
	if (!error)
		error = place(sw, port, cause);
	if (!error)
		greet(port, config);
	else
		port_unconfigure(port);
	pthread_mutex_unlock(&sw->set->lock);
	if (error) {
		pthread_mutex_destroy(&port->turn);
		free(port);
		return error;
	}
	*out = port;
	return 0;
}

void switch_port_accepts(struct net_port *port, uint32_t accepts)
{
	atomic_store_explicit(&port->accepts, accepts, memory_order_relaxed);
}

/* Waits until the burst that port's thread was in at that mark, if it was in one, is over. */
static void wait_for_sender(const struct net_port *port, uint64_t mark)
{
	const struct timespec pause = { .tv_nsec = 20000 };

	for (unsigned tries = 0;
	     (mark & 1) && atomic_load_explicit(&port->reading, memory_order_acquire) == mark;
	     tries++) {
		if (tries < 16)
			sched_yield();
		else
			nanosleep(&pause, NULL);
	}
}

static uint64_t mark_of(const struct net_port *port)
{
	return atomic_load_explicit(&port->reading, memory_order_seq_cst);
}

/*
 * All marks are read first, so that it takes as long as the longest burst, not as long as one
 * of each sender. The port may have left its place.
 */
void switch_wait_for_senders(const struct net_switch *sw, const struct net_port *port)
{
	uint64_t marks[NET_PORTS_MAX], own = mark_of(port);
	uint32_t bound = atomic_load(&sw->bound);

	for (uint32_t i = 0; i < bound; i++) {
		const struct net_port *other = port_at(sw, i);

		marks[i] = other ? mark_of(other) : 0;
	}
	wait_for_sender(port, own);
	for (uint32_t i = 0; i < bound; i++)
		if (marks[i] & 1)
			wait_for_sender(port_at(sw, i), marks[i]);
}

/* Under the lock: tells the other ports. */
static void forget_sender(struct net_switch *sw, uint32_t slot)
{
	for (uint32_t i = 0; i < atomic_load(&sw->bound); i++) {
		const struct net_port *port = port_at(sw, i);

		if (port && port->ops.forget)
			port->ops.forget(port->backend, slot);
	}
}

void switch_port_remove(struct net_port *port)
{
	struct net_switch *sw = port->sw;
	uint32_t bound;

	pthread_mutex_lock(&sw->set->lock);
	atomic_store_explicit(&sw->ports[port->slot], NULL, memory_order_seq_cst);
	switch_wait_for_senders(sw, port);
	port_unconfigure(port);
	port_free_twin(port);
	bound = atomic_load(&sw->bound);
	while (bound && !port_at(sw, bound - 1))
		bound--;
	atomic_store_explicit(&sw->bound, bound, memory_order_release);
	disown_addresses(sw, port->slot);
	forget_sender(sw, port->slot);
	capture_tap_remove(port->tap);
	pthread_mutex_unlock(&sw->set->lock);
	pthread_mutex_destroy(&port->turn);
	free(port->scratch);
	free(port->vlans);
	free(port->parking);
	waiting_destroy(&port->waiting);
	free(port);
}

void switch_port_refuse(struct net_port *port, enum net_verdict verdict)
{
	counter_add_shared(&port->refused[verdict], 1);
}

void switch_name_address(struct net_port *port, uint32_t from, uint32_t address)
{
	struct net_switch *sw = port->sw;
	char name[NAME_SIZE] = "";

	pthread_mutex_lock(&sw->set->lock);
	if (from < NET_PORTS_MAX)
		port = port_at(sw, from);
	if (port) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(port->name, "/"), port->name);
		atomic_store(&port->ip, address);
	}
	pthread_mutex_unlock(&sw->set->lock);
	if (name[0])
		capture_hub_name(sw->set->capture, sw->name, address, name);
}

unsigned switch_leases(const struct net_port *port, uint32_t from, bool *outside)
{
	struct net_switch *sw = port->sw;
	struct net_port_settings settings = { 0 };
	const struct net_port *other;

	pthread_mutex_lock(&sw->set->lock);
	other = port_at(sw, from);
	if (other)
		port_settings(other, &settings);
	*outside = other && !sw->identities[from].macs[0];
	pthread_mutex_unlock(&sw->set->lock);
	return settings.leases;
}

void switch_port_counters(const struct net_port *port, struct net_port_counters *out)
{
	for (unsigned i = 0; i < NET_VERDICT_COUNT; i++)
		out->drops[i] = counter_get(&port->sent_drops[i]) + counter_get(&port->refused[i]);
	out->rx_frames = counter_get(&port->rx_frames);
	out->rx_bytes = counter_get(&port->rx_bytes);
	out->tx_frames = counter_get(&port->tx_frames);
	out->tx_bytes = counter_get(&port->tx_bytes);
}

uint64_t switch_lost(const struct net_switch *sw)
{
	return counter_get(&sw->lost);
}

uint32_t switch_flaps(const struct net_port *port)
{
	return atomic_load_explicit(&port->sw->flaps, memory_order_relaxed);
}

bool switch_take_flaps(struct net_port *port)
{
	uint32_t flaps = atomic_load(&port->sw->flaps);

	return atomic_exchange(&port->sw->taken_flaps, flaps) != flaps;
}

void switch_output(struct net_port *port, const struct net_frame *frame)
{
	enum net_verdict verdict = NET_FORWARD;

	(void)port->ops.deliver(port->backend, port->slot, &frame, 1, &verdict);
	port->ops.flush(port->backend);
}

bool switch_has_receivers(const struct net_port *port)
{
	struct net_switch *sw = port->sw;
	bool has = false;

	pthread_mutex_lock(&sw->set->lock);
	for (uint32_t i = 0; !has && i < atomic_load(&sw->bound); i++) {
		const struct net_port *other = port_at(sw, i);

		/* One with an address of the network is the switch's own. */
		has = other && other != port && !other->addresses[0].ip &&
		      !(atomic_load(&other->accepts) & NET_ACCEPTS_NOTHING);
	}
	pthread_mutex_unlock(&sw->set->lock);
	return has;
}

/* What twin sent is its port's. */
static void add_injected(const struct net_port *twin, struct net_port_counters *counters)
{
	struct net_port_counters its;

	switch_port_counters(twin, &its);
	for (unsigned i = 0; i < NET_VERDICT_COUNT; i++)
		counters->drops[i] += its.drops[i];
	counters->rx_frames += its.rx_frames;
	counters->rx_bytes += its.rx_bytes;
}

size_t switch_list_ports(struct net_switch *sw, struct switch_port_info *out, size_t room)
{
	size_t count = 0;

	pthread_mutex_lock(&sw->set->lock);
	for (uint32_t i = 0; i < atomic_load(&sw->bound); i++) {
		const struct net_port *port = port_at(sw, i);

		if (!port)
			continue;
		if (count < room) {
			memset(&out[count], 0, sizeof(out[count]));
			memcpy(out[count].name, port->name, sizeof(port->name));
			memcpy(out[count].mac, port->addresses[0].mac, NET_MAC_SIZE);
			out[count].kind = port->kind;
			out[count].slot = i;
			port_settings(port, &out[count].settings);
			port_impaired(port, out[count].impaired);
			switch_port_counters(port, &out[count].counters);
			if (port->twin)
				add_injected(port->twin, &out[count].counters);
		}
		count++;
	}
	pthread_mutex_unlock(&sw->set->lock);
	return count;
}

size_t switch_list_macs(struct net_switch *sw, struct switch_mac_info *out, size_t room)
{
	uint32_t now = seconds_now();
	size_t count = 0;

	pthread_mutex_lock(&sw->set->lock);
	for (uint32_t i = 0; i < MAC_ENTRIES; i++) {
		uint32_t slot, age;
		uint64_t mac;
		const struct net_port *port;

		if (!mac_table_get(&sw->macs, i, now, &mac, &slot, &age))
			continue;
		port = port_at(sw, slot);
		if (!port)
			continue;
		if (count < room) {
			memcpy(out[count].mac, &mac, NET_MAC_SIZE);
			memcpy(out[count].port, port->name, sizeof(port->name));
			out[count].age_s = age;
			out[count].vlan = (uint32_t)MAC_VLAN(mac);
		}
		count++;
	}
	pthread_mutex_unlock(&sw->set->lock);
	return count;
}

size_t switch_list_vlans(struct net_switch *sw, struct switch_vlan_info *out, size_t room)
{
	const struct vlan_traffic *vlans = atomic_load_explicit(&sw->vlans, memory_order_acquire);
	size_t count = 0;

	for (uint32_t vlan = 1; vlans && vlan < NET_VLAN_MAX; vlan++) {
		uint64_t frames = counter_get(&vlans[vlan].frames);

		if (!frames)
			continue;
		if (count < room)
			out[count] = (struct switch_vlan_info){ vlan, frames,
								counter_get(&vlans[vlan].bytes) };
		count++;
	}
	return count;
}

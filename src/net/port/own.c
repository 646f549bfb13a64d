/*
 * A switch's own port. Frames that concern the switch come through the inbox;
 * DHCP is answered here, the rest is for the backend, and what comes of it goes
 * into the switch in bursts.
 *
 * own_create() and the other ops of the kind run on their caller's thread and
 * wait for the uplink thread; the rest is the uplink thread's but for what the
 * senders call through the inbox.
 */
#include "net/port/own.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/clock.h"
#include "net/service/dhcp.h"
#include "net/service/dhcp_frame.h"
#include "net/service/responder.h"

#define ETHERTYPE_ARP 0x0806

enum { MARK_NONE, MARK_DHCP, MARK_ARP }; /* of frames in the inbox */

/* Of a frame with an Ethernet header. */
static bool is_arp(const uint8_t *head)
{
	return get_be16(head + 12) == ETHERTYPE_ARP;
}

static void note_bound(void *arg, uint32_t address)
{
	struct own_port *own = arg;

	own->bound = address;
}

static void change_lease(struct own_port *own, uint32_t from, uint32_t address)
{
	own->addresses[from] = address;
	if (own->backend->lease_changed)
		own->backend->lease_changed(own->state, from, address);
}

/* How many the port at that slot may have; 0: as many as any. */
static uint32_t leases_of(const struct own_port *own, const struct net_port *net_port,
			  uint32_t from)
{
	bool outside = false;
	uint32_t leases = net_port ? switch_leases(net_port, from, &outside) : 0;

	if (leases || !outside || own->config.leases_per_port > DHCP_OUTSIDE_LEASES)
		return leases;
	return DHCP_OUTSIDE_LEASES;
}

#define ARP_SIZE 42u /* with the Ethernet header */
#define ARP_SENDER 22u

/* ARP (RFC 826): whose address that is which the sender says is its own. */
static void take_arp(struct own_port *own, const struct inbox_frame *frame)
{
	struct net_port *net_port = inbox_port(&own->served.inbox);
	const uint8_t *sender = frame->data + ARP_SENDER, *mac = frame->data + NET_MAC_SIZE;

	if (frame->size < ARP_SIZE || memcmp(sender, mac, NET_MAC_SIZE) != 0)
		return;
	pthread_mutex_lock(&own->lease_lock);
	dhcp_saw(own->dhcp, clock_monotonic(), frame->from, leases_of(own, net_port, frame->from),
		 mac, get_be32(sender + NET_MAC_SIZE));
	pthread_mutex_unlock(&own->lease_lock);
}

static void take_dhcp(struct own_port *own, const struct inbox_frame *frame)
{
	struct burst *burst = &own->served.uplink->burst;
	uint8_t *reply = burst_reserve(burst, &own->served.inbox, DHCP_REPLY_MAX);
	struct net_port *net_port = inbox_port(&own->served.inbox);
	const struct uplink_listener *listener = &own->served.uplink->listener;
	uint32_t leases = leases_of(own, net_port, frame->from), address;
	enum net_verdict verdict;
	size_t size;

	own->bound = 0;
	pthread_mutex_lock(&own->lease_lock);
	size = dhcp_input(own->dhcp, clock_monotonic(), frame->from, leases, frame->data,
			  frame->size, reply, &verdict);
	address = dhcp_address_of(own->dhcp, clock_monotonic(), frame->from,
				  own->macs[frame->from]);
	pthread_mutex_unlock(&own->lease_lock);
	burst_commit(burst, size);
	if (address && address != own->addresses[frame->from])
		change_lease(own, frame->from, address);
	if (own->bound && listener->leased)
		listener->leased(listener->arg);
	if (own->bound && net_port)
		switch_name_address(net_port, frame->from, own->bound);
	if (verdict != NET_FORWARD && net_port)
		switch_port_refuse(net_port, verdict);
}

/* On the uplink thread, as behind whoever had the slot before. */
static void go_on(void *arg)
{
	struct own_port *own = arg;

	for (uint32_t from = 0; from < NET_PORTS_MAX; from++) {
		uint64_t bit = 1ull << from % 64;
		uint32_t address = 0;

		pthread_mutex_lock(&own->lease_lock);
		if (own->going_on[from / 64] & bit)
			address = dhcp_go_on(own->dhcp, clock_monotonic(), from, own->macs[from]);
		own->going_on[from / 64] &= ~bit;
		pthread_mutex_unlock(&own->lease_lock);
		if (!address)
			continue;
		change_lease(own, from, address);
		if (own->served.uplink->listener.leased)
			own->served.uplink->listener.leased(own->served.uplink->listener.arg);
	}
}

static void greet_sender(void *owner, uint32_t from, const struct net_port_config *config)
{
	struct own_port *own = owner;
	int error;

	pthread_mutex_lock(&own->lease_lock);
	if (config->goes_on && !own->stopped) {
		own->going_on[from / 64] |= 1ull << from % 64;
		loop_post(&own->served.uplink->loop, &own->go_on);
	}
	memcpy(own->macs[from], config->addresses[0].mac, NET_MAC_SIZE);
	error = dhcp_reserve(own->dhcp, from, config->addresses[0].mac, config->wanted_ip);
	pthread_mutex_unlock(&own->lease_lock);
	if (error)
		uplink_notice(own->served.uplink, "%s: switch %s gives it another address: that of "
			      "its profile is %s", config->name, own->config.name,
			      error == -EEXIST ? "reserved for another card" : "not to be had");
}

static void forget_sender(void *owner, uint32_t from)
{
	struct own_port *own = owner;

	pthread_mutex_lock(&own->lease_lock);
	dhcp_forget(own->dhcp, clock_monotonic(), from);
	own->addresses[from] = 0;
	pthread_mutex_unlock(&own->lease_lock);
	if (own->backend->forget)
		own->backend->forget(own->state, from);
}

static void begin(void *owner)
{
	struct own_port *own = owner;

	if (own->backend->begin)
		own->backend->begin(own->state);
}

static void take(void *owner, const struct inbox_frame *frame)
{
	struct own_port *own = owner;

	if (frame->mark == MARK_DHCP) {
		take_dhcp(own, frame);
		return;
	}
	if (frame->mark == MARK_ARP)
		take_arp(own, frame);
	if (own->backend->take)
		own->backend->take(own->state, frame->from, frame->data, frame->size);
}

static void end(void *owner)
{
	struct own_port *own = owner;

	if (own->backend->end)
		own->backend->end(own->state);
	served_flush(&own->served);
}

bool own_wants(const struct own_port *own, const struct net_frame *frame)
{
	static const uint8_t all[NET_MAC_SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const uint8_t *head = frame->head;
	bool broadcast;
	uint16_t type;

	if (frame->head_size < NET_FRAME_MIN)
		return false;
	type = get_be16(head + 12);
	broadcast = memcmp(head, all, NET_MAC_SIZE) == 0;
	/* See set_mac(). */
	if (!broadcast && memcmp(head, own->mac, NET_MAC_SIZE) != 0 &&
	    (!own->dns || memcmp(head, own->mac, 2) != 0 || get_be32(head + 2) != own->dns))
		return false;
	if (type == 0x0800)
		return !broadcast || dhcp_is_request(head, frame->head_size, frame->size);
	return type == ETHERTYPE_ARP;
}

bool own_is_arp(const struct net_frame *frame)
{
	return is_arp(frame->head);
}

static bool wants(const void *owner, const struct net_frame *frame)
{
	return own_wants(owner, frame);
}

/* Its mark: what the DHCP server has to do with it. */
static enum net_verdict admit(const void *owner, struct inbox_frame *frame)
{
	(void)owner;
	frame->mark = dhcp_is_request(frame->data, frame->size, frame->size) ? MARK_DHCP :
		      is_arp(frame->data) ? MARK_ARP : MARK_NONE;
	return NET_FORWARD;
}

static const struct inbox_ops inbox_ops = {
	.wants = wants,
	.admit = admit,
	.greet = greet_sender,
	.forget = forget_sender,
	.begin = begin,
	.take = take,
	.end = end,
};

/* Valid on a half-built one. */
static void own_free(struct own_port *own)
{
	if (own->backend->release)
		own->backend->release(own->state);
	served_destroy(&own->served);
	dhcp_free(own->dhcp);
	pthread_mutex_destroy(&own->lease_lock);
	free(own);
}

/* The MAC of an address of the switch: 52:55 and the IPv4 address, as libslirp has it. */
static void set_mac(uint8_t mac[NET_MAC_SIZE], uint32_t address)
{
	put_be16(mac, 0x5255);
	put_be32(mac + 2, address);
}

static void set_address(struct net_port_address *to, uint32_t address)
{
	set_mac(to->mac, address);
	to->ip = address;
}

static int own_new(struct own_port **out, const struct own_backend *backend, struct uplink *uplink,
		   const struct switch_config *config, struct cause *cause)
{
	struct own_port *own = calloc(1, sizeof(*own));
	struct dhcp_config dhcp = { 0 };
	int error;

	if (!own)
		return cause_errno(cause, ENOMEM, "uplink");
	own->backend = backend;
	own->state = backend->start ? NULL : own;
	own->config = *config;
	own->go_on = (struct loop_task){ .run = go_on, .arg = own };
	set_mac(own->mac, config->address);
	own->dns = backend->gateway ? switch_config_dns(config) : 0;
	pthread_mutex_init(&own->lease_lock, NULL);
	error = served_init(&own->served, uplink, &inbox_ops, own);
	if (error) {
		own_free(own);
		return cause_errno(cause, -error, "uplink");
	}
	dhcp.address = config->address;
	dhcp.prefix = config->prefix;
	memcpy(dhcp.mac, own->mac, NET_MAC_SIZE);
	dhcp.router = backend->gateway ? config->address : 0;
	dhcp.dns = own->dns;
	dhcp.settings = config->dhcp;
	dhcp.lease_s = config->dhcp.lease_s ? config->dhcp.lease_s : DHCP_LEASE_S;
	dhcp.port_leases = config->leases_per_port;
	dhcp.bound = note_bound;
	dhcp.arg = own;
	error = dhcp_new(&own->dhcp, &dhcp, cause);
	if (error) {
		own_free(own);
		return error;
	}
	*out = own;
	return 0;
}

struct start {
	struct own_port *own;
	struct cause *cause;
	int error;
};

static void start(void *arg)
{
	struct start *args = arg;
	struct own_port *own = args->own;

	args->error = own->backend->start(&own->state, own, args->cause);
}

/* What the backend still had to say is dropped. */
static void stop(void *arg)
{
	struct own_port *own = arg;

	inbox_close(&own->served.inbox);
	pthread_mutex_lock(&own->lease_lock);
	own->stopped = true;
	pthread_mutex_unlock(&own->lease_lock);
	loop_unpost(&own->served.uplink->loop, &own->go_on);
	if (own->backend->stop)
		own->backend->stop(own->state);
	served_close(&own->served);
}

static int plug_in(struct own_port *own, struct net_switch *sw, struct cause *cause)
{
	char name[NET_PORT_NAME_MAX];
	struct net_port_config config = { .name = name, .kind = own->port.kind->name,
					  .accepts = own->backend->accepts };
	int error;

	snprintf(name, sizeof(name), "%s/%s", own->config.name, own->backend->suffix);
	set_address(&config.addresses[0], own->config.address);
	if (own->dns)
		set_address(&config.addresses[1], own->dns);
	error = served_plug_in(&own->served, sw, &config, own->backend->ops, own, cause);
	if (!error)
		switch_name_address(own->served.net_port, NET_PORTS_MAX, own->config.address);
	return error;
}

int own_create(struct port **out, const struct port_kind *kind, const struct own_backend *backend,
	       struct uplink *uplink, struct net_switch *sw, const struct switch_config *config,
	       struct cause *cause)
{
	struct start args = { .cause = cause };
	struct own_port *own = NULL;
	int error;

	*out = NULL;
	error = own_new(&own, backend, uplink, config, cause);
	if (error)
		return error;
	own->port.kind = kind;
	args.own = own;
	if (backend->start)
		uplink_call(uplink, start, &args);
	error = args.error ? args.error : plug_in(own, sw, cause);
	if (error) {
		uplink_call(uplink, stop, own);
		own_free(own);
		return error;
	}
	*out = &own->port;
	return 0;
}

void own_destroy(struct port *port)
{
	struct own_port *own = container_of(port, struct own_port, port);

	uplink_call(own->served.uplink, stop, own);
	served_unplug(&own->served);
	own_free(own);
}

size_t own_describe(const struct port *port, struct port_field *out, size_t room)
{
	const struct own_port *own = container_of(port, struct own_port, port);
	uint32_t a = own->config.address;

	if (room) {
		out->name = "address";
		snprintf(out->text, sizeof(out->text), "%u.%u.%u.%u/%u", a >> 24, a >> 16 & 0xff,
			 a >> 8 & 0xff, a & 0xff, own->config.prefix);
	}
	return 1;
}

void own_restore_lease(struct port *port, const struct dhcp_lease_info *lease)
{
	struct own_port *own = container_of(port, struct own_port, port);

	pthread_mutex_lock(&own->lease_lock);
	dhcp_restore(own->dhcp, clock_monotonic(), lease);
	pthread_mutex_unlock(&own->lease_lock);
}

size_t own_list_leases(struct port *port, struct dhcp_lease_info *out, size_t room)
{
	struct own_port *own = container_of(port, struct own_port, port);
	size_t count;

	pthread_mutex_lock(&own->lease_lock);
	count = dhcp_list(own->dhcp, clock_monotonic(), out, room);
	for (size_t i = 0; i < count && i < room; i++)
		out[i].card = out[i].port != DHCP_NO_PORT &&
			      !memcmp(out[i].mac, own->macs[out[i].port], NET_MAC_SIZE);
	pthread_mutex_unlock(&own->lease_lock);
	return count;
}

/* The kind: nothing behind DHCP but ARP and ping. */

static void respond(void *state, uint32_t from, const uint8_t *frame, size_t size)
{
	struct own_port *own = state;
	struct burst *burst = &own->served.uplink->burst;
	uint8_t *reply = burst_reserve(burst, &own->served.inbox,
				       size < RESPONDER_REPLY_MIN ? RESPONDER_REPLY_MIN : size);

	(void)from;
	burst_commit(burst, responder_input(own->mac, own->config.address, frame, size, reply));
}

static const struct own_backend responder = { .suffix = "dhcp", .take = respond };

static bool wanted(const struct switch_config *config)
{
	return config->address && !(config->uplink && config->uplink->answers);
}

static int create(struct port **out, struct uplink *uplink, struct net_switch *sw,
		  const struct switch_config *config, const struct port_section *section,
		  struct cause *cause)
{
	(void)section;
	return own_create(out, &port_own, &responder, uplink, sw, config, cause);
}

#define DHCP(field) offsetof(struct switch_config, dhcp.field)

static const struct profile_key keys[] = {
	{ .key = "address", .type = PROFILE_ADDRESS,
	  .offset = offsetof(struct switch_config, address),
	  .help = "The switch's own IPv4 address in the network of its guests, with the prefix of "
		  "that network, /8 to /30, such as {Li 10.0.2.2/24}. "
		  "At this address the switch answers guests by DHCP, ARP and ping; "
		  "with NAT it is vmdeck-nat that answers ping. "
		  "The addresses of the network itself and of its broadcast are refused. "
		  "This key is required with {Ic uplink=nat}; "
		  "without an address the switch only passes frames on." },
	{ .key = "leases_per_port", .type = PROFILE_COUNT, .min = 1, .max = 1000,
	  .standard = "8", .offset = offsetof(struct switch_config, leases_per_port),
	  .help = "How many addresses DHCP gives to one port, such as a guest's NIC, at a time. "
		  "More than one is for guests within a guest, each with a MAC address of its "
		  "own; a port's own key {Ic leases} goes before it, and one that leads out has 64 "
		  "at least. "
		  "Addresses that a guest declined count for ten minutes." },
	{ .key = "pool", .type = PROFILE_PARSED, .offset = DHCP(pool),
	  .size = sizeof(struct dhcp_pool), .parse = dhcp_parse_pool,
	  .help = "The addresses of the switch's network that DHCP gives to whoever asks, from the "
		  "first to the last, as {Li 10.0.2.100-10.0.2.199}. "
		  "Without this key they are all. "
		  "Those that cards of guests ask for by {Ic address} may lie outside. "
		  "One that somebody uses of his own accord, as ARP has shown in the last ten "
		  "minutes, is given to nobody else. "
		  "This key and the next ones, up to {Ic guest_mtu}, do nothing on a switch "
		  "without {Ic address}." },
	{ .key = "lease_time", .type = PROFILE_COUNT, .min = 60, .max = 31536000,
	  .standard = "3600", .offset = DHCP(lease_s),
	  .help = "For how many seconds DHCP gives an address." },
	{ .key = "dns", .type = PROFILE_PARSED, .offset = DHCP(dns),
	  .size = sizeof(struct dhcp_addresses), .parse = dhcp_parse_addresses,
	  .help = "Name servers that guests are told of by DHCP, up to four addresses. "
		  "Without this key it is the one of NAT, if there is that." },
	{ .key = "domain", .type = PROFILE_PARSED, .offset = DHCP(domain),
	  .size = DHCP_DOMAIN_MAX, .parse = dhcp_parse_domain,
	  .help = "The domain that guests are told of by DHCP." },
	{ .key = "search", .type = PROFILE_PARSED, .offset = DHCP(search),
	  .size = sizeof(struct dhcp_search), .parse = dhcp_parse_search,
	  .help = "Domains in which guests look names up, as DHCP tells them, such as "
		  "{Li lab.example example.org}." },
	{ .key = "ntp", .type = PROFILE_PARSED, .offset = DHCP(ntp),
	  .size = sizeof(struct dhcp_addresses), .parse = dhcp_parse_addresses,
	  .help = "Time servers that guests are told of by DHCP, up to four addresses." },
	{ .key = "routes", .type = PROFILE_PARSED, .offset = DHCP(routes),
	  .size = sizeof(struct dhcp_routes), .parse = dhcp_parse_routes,
	  .help = "Ways to other networks that guests are told of by DHCP, up to eight, such as "
		  "{Li 192.168.7.0/24 via 10.0.2.9, 10.9.0.0/16 via 10.0.2.9}." },
	{ .key = "guest_mtu", .type = PROFILE_COUNT, .min = 576, .max = 65535,
	  .offset = DHCP(mtu),
	  .help = "The largest packet, in bytes, that guests are told by DHCP to send, for a "
		  "switch that leads on to where fewer pass. "
		  "Without this key they are told nothing." },
	{ .key = NULL },
};

_Static_assert(DHCP_LEASE_S == 3600, "the standard");
_Static_assert(DHCP_PORT_LEASES == 8, "the standard");
_Static_assert(offsetof(struct switch_config, prefix) ==
	       offsetof(struct switch_config, address) + sizeof(uint32_t), "PROFILE_ADDRESS");

const struct port_kind port_own = {
	.name = "service",
	.keys = keys,
	.wanted = wanted,
	.create = create,
	.destroy = own_destroy,
	.describe = own_describe,
	.list_leases = own_list_leases,
	.restore_lease = own_restore_lease,
};

/* The DHCP server: leases and answers (RFC 2131 §4.3). Pure; one thread at a time. */
#include "net/service/dhcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/clock.h"
#include "net/service/dhcp_frame.h"
#include "net/service/dhcp_message.h"

#define FIRST_HOST 15u /* the offset of the first address given away, as users of QEMU know it */
#define OFFER_NS (60 * NS_PER_S)
#define DECLINED_NS (600 * NS_PER_S)
#define SEEN_NS (600 * NS_PER_S)

_Static_assert(DHCP_REPLY_MAX == DHCP_FRAME_HEADERS + DHCP_PAYLOAD_MAX, "the largest answer");

enum lease_state {
	LEASE_UNUSED,
	LEASE_OFFERED,
	LEASE_BOUND,
	LEASE_ENDED,   /* released; the client gets it again unless it was needed */
	LEASE_DECLINED, /* somebody else answers for the address */
	LEASE_SEEN	/* somebody uses it without having been given it */
};

struct lease {
	uint64_t expires; /* of all states but UNUSED */
	uint16_t port;	  /* slot of the one it was given to; DHCP_NO_PORT: that is no more */
	uint8_t state;
	bool reserved;		/* for that MAC */
	uint16_t reserved_port; /* its, or DHCP_NO_PORT: that is no more */
	uint8_t reserved_mac[NET_MAC_SIZE];
	uint8_t mac[NET_MAC_SIZE];
	char hostname[sizeof(((struct dhcp_lease_info *)0)->hostname)];
};

/* Who sent a message. */
struct client {
	const uint8_t *mac;
	uint16_t port;
	uint32_t leases; /* that its port may have */
};

/* Slot n is the address n after the first one, going round the network once. */
struct dhcp_server {
	struct dhcp_config config;
	uint32_t network, size; /* first address, number of addresses */
	uint32_t first;         /* offset in the network of slot 0 */
	uint32_t slots;
	struct lease *leases;
	uint32_t room, used; /* slots allocated; slots that were ever touched */
};

static bool is_host(const struct dhcp_server *server, uint32_t address)
{
	uint32_t offset = address - server->network;

	return address >= server->network && offset > 0 && offset < server->size - 1;
}

static bool is_leasable(const struct dhcp_server *server, uint32_t address)
{
	return is_host(server, address) && address != server->config.address &&
	       address != server->config.dns && address != server->config.router;
}

/* Whether it is given to whom asks, and not to whom it is reserved for alone. */
static bool in_pool(const struct dhcp_server *server, uint32_t address)
{
	const struct dhcp_pool *pool = &server->config.settings.pool;

	return !pool->first || (address >= pool->first && address <= pool->last);
}

static uint32_t slot_address(const struct dhcp_server *server, uint32_t slot)
{
	return server->network + ((server->first + slot) & (server->size - 1));
}

/* The slot of an address, or UINT32_MAX if it is never leased. */
static uint32_t address_slot(const struct dhcp_server *server, uint32_t address)
{
	uint32_t slot = (address - server->network - server->first) & (server->size - 1);

	return is_leasable(server, address) && slot < server->slots ? slot : UINT32_MAX;
}

int dhcp_check_pool(const struct dhcp_pool *pool, uint32_t address, uint8_t prefix,
		    struct cause *cause)
{
	uint32_t hosts = UINT32_MAX >> prefix, network = address & ~hosts;

	if (!pool->first || (pool->first > network && pool->last < (network | hosts)))
		return 0;
	return cause_set(cause, EINVAL, "pool: its addresses are not all of hosts in the switch's "
			 "network, %u.%u.%u.%u/%u", network >> 24, network >> 16 & 255,
			 network >> 8 & 255, network & 255, prefix);
}

/* Of a large network the slots are but a part, which is to have the pool. */
static uint32_t first_slot(const struct dhcp_server *server)
{
	const struct dhcp_pool *pool = &server->config.settings.pool;
	uint32_t first = server->size > FIRST_HOST + 1 ? FIRST_HOST : 1;

	if (server->slots < server->size && pool->first &&
	    pool->last - server->network >= first + server->slots)
		return pool->first - server->network;
	return first;
}

int dhcp_new(struct dhcp_server **out, const struct dhcp_config *config, struct cause *cause)
{
	struct dhcp_server *server;

	int error;

	*out = NULL;
	if (config->prefix < 8 || config->prefix > 30)
		return cause_set(cause, EINVAL, "a network prefix must be from 8 to 30, not %u",
				 config->prefix);
	error = dhcp_check_pool(&config->settings.pool, config->address, config->prefix, cause);
	if (error)
		return error;
	server = calloc(1, sizeof(*server));
	if (!server)
		return cause_errno(cause, ENOMEM, "DHCP server");
	server->config = *config;
	if (!config->port_leases)
		server->config.port_leases = DHCP_PORT_LEASES;
	server->size = 1u << (32 - config->prefix);
	server->network = config->address & ~(server->size - 1);
	server->slots = server->size < DHCP_LEASES_MAX ? server->size : DHCP_LEASES_MAX;
	server->first = first_slot(server);
	if (!is_host(server, config->address)) {
		dhcp_free(server);
		return cause_set(cause, EINVAL,
				 "%u.%u.%u.%u/%u is the address of a network or a broadcast; "
				 "choose an address between them",
				 config->address >> 24, config->address >> 16 & 255,
				 config->address >> 8 & 255, config->address & 255, config->prefix);
	}
	*out = server;
	return 0;
}

void dhcp_free(struct dhcp_server *server)
{
	if (!server)
		return;
	free(server->leases);
	free(server);
}

/* The lease of a slot, made if need be; NULL when memory is short. */
static struct lease *touch_slot(struct dhcp_server *server, uint32_t slot)
{
	if (slot >= server->room) {
		uint32_t room = server->room ? server->room : 16;
		struct lease *leases;

		while (room <= slot)
			room *= 2;
		leases = realloc(server->leases, room * sizeof(*leases));
		if (!leases)
			return NULL;
		memset(leases + server->room, 0, (room - server->room) * sizeof(*leases));
		server->leases = leases;
		server->room = room;
	}
	if (slot >= server->used)
		server->used = slot + 1;
	return &server->leases[slot];
}

static bool in_force(const struct lease *lease, uint64_t now)
{
	return lease->state != LEASE_UNUSED && lease->expires > now;
}

/* The slot of who speaks here: its MAC's at its port, else one that no port holds any more. */
static uint32_t find_client(const struct dhcp_server *server, uint64_t now,
			    const struct client *client)
{
	uint32_t found = UINT32_MAX;

	for (uint32_t slot = 0; slot < server->used; slot++) {
		const struct lease *lease = &server->leases[slot];

		if (lease->state == LEASE_UNUSED || lease->state == LEASE_DECLINED ||
		    memcmp(lease->mac, client->mac, NET_MAC_SIZE) != 0)
			continue;
		if (lease->port == client->port)
			return slot;
		if (lease->port == DHCP_NO_PORT || !in_force(lease, now))
			found = slot;
	}
	return found;
}

/* Whether the client may have the lease of this slot: it counts, if it is not its port's yet. */
static bool within_limit(const struct dhcp_server *server, uint64_t now, uint32_t slot,
			 const struct client *client)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < server->used; i++)
		if (i != slot && server->leases[i].port == client->port &&
		    in_force(&server->leases[i], now))
			count++;
	return count < client->leases;
}

static bool is_clients(const struct lease *lease, const struct client *client)
{
	return lease->port == client->port && !memcmp(lease->mac, client->mac, NET_MAC_SIZE);
}

/* Whether nobody else has it, or uses it. */
static bool slot_free(const struct dhcp_server *server, uint32_t slot, uint64_t now,
		      const struct client *client)
{
	const struct lease *lease = &server->leases[slot];

	return slot >= server->used || lease->state == LEASE_UNUSED || lease->expires <= now ||
	       (lease->state == LEASE_SEEN && is_clients(lease, client));
}

/* Whether the client may be given this slot at all: of the pool, or its own. */
static bool may_have(const struct dhcp_server *server, uint32_t slot, const uint8_t *mac)
{
	if (slot < server->used && server->leases[slot].reserved)
		return memcmp(server->leases[slot].reserved_mac, mac, NET_MAC_SIZE) == 0;
	return in_pool(server, slot_address(server, slot));
}

/* The slot that is reserved for a MAC, or UINT32_MAX. */
static uint32_t find_reserved(const struct dhcp_server *server, const uint8_t *mac)
{
	for (uint32_t slot = 0; slot < server->used; slot++)
		if (server->leases[slot].reserved &&
		    memcmp(server->leases[slot].reserved_mac, mac, NET_MAC_SIZE) == 0)
			return slot;
	return UINT32_MAX;
}

/*
 * An address for a new client: one that nobody had, else the one that ended
 * first or, of those kept for clients whose port is no more, will end first.
 */
static uint32_t find_free(const struct dhcp_server *server, uint64_t now, const uint8_t *mac)
{
	uint32_t oldest = UINT32_MAX;

	for (uint32_t slot = 0; slot < server->slots; slot++) {
		const struct lease *lease;

		if (!is_leasable(server, slot_address(server, slot)) ||
		    !may_have(server, slot, mac))
			continue;
		if (slot >= server->used || server->leases[slot].state == LEASE_UNUSED)
			return slot;
		lease = &server->leases[slot];
		if ((lease->expires <= now || lease->port == DHCP_NO_PORT) &&
		    (oldest == UINT32_MAX || lease->expires < server->leases[oldest].expires))
			oldest = slot;
	}
	return oldest;
}

static void set_hostname(struct lease *lease, const struct dhcp_message *message)
{
	size_t n = 0;

	if (!message->hostname)
		return;
	while (n < message->hostname_size && n < sizeof(lease->hostname) - 1 &&
	       message->hostname[n]) {
		uint8_t c = message->hostname[n];

		lease->hostname[n++] = c > ' ' && c < 0x7f ? (char)c : '?';
	}
	lease->hostname[n] = '\0';
}

static struct lease *give(struct dhcp_server *server, uint32_t slot, enum lease_state state,
			  uint64_t expires, const struct client *client,
			  const struct dhcp_message *message)
{
	struct lease *lease = touch_slot(server, slot);

	if (!lease)
		return NULL;
	if (memcmp(lease->mac, client->mac, NET_MAC_SIZE) != 0)
		lease->hostname[0] = '\0';
	memcpy(lease->mac, client->mac, NET_MAC_SIZE);
	lease->port = client->port;
	lease->state = (uint8_t)state;
	lease->expires = expires;
	set_hostname(lease, message);
	return lease;
}

/*
 * RFC 4702 §3.1: who asks that a name be entered is told that nothing is. The bytes of the
 * option are the message's, as the client's identifier is.
 */
static void answer_name(const struct dhcp_message *message, struct dhcp_message *reply)
{
	uint8_t flags;

	if (!message->fqdn)
		return;
	flags = message->fqdn[0];
	memcpy(reply->fqdn_bytes, message->fqdn, message->fqdn_size);
	reply->fqdn_bytes[0] = (uint8_t)((flags & FQDN_WIRE) | FQDN_NO_UPDATES |
					 (flags & FQDN_SERVER ? FQDN_OVERRIDE : 0));
	reply->fqdn_bytes[1] = reply->fqdn_bytes[2] = UINT8_MAX;
	reply->fqdn = reply->fqdn_bytes;
	reply->fqdn_size = message->fqdn_size;
}

static void start_reply(const struct dhcp_server *server, const struct dhcp_message *message,
			enum dhcp_type type, struct dhcp_message *reply)
{
	memset(reply, 0, sizeof(*reply));
	reply->op = DHCP_BOOTREPLY;
	reply->type = (uint8_t)type;
	reply->xid = message->xid;
	reply->flags = message->flags & DHCP_BROADCAST;
	memcpy(reply->chaddr, message->chaddr, NET_MAC_SIZE);
	reply->server_id = server->config.address;
	reply->client_id = message->client_id; /* RFC 6842 */
	reply->client_id_size = message->client_id_size;
	reply->max_size = message->max_size;
	if (type == DHCP_NAK)
		return;
	reply->settings = &server->config.settings;
	reply->subnet = ~(server->size - 1);
	reply->broadcast = server->network + server->size - 1;
	reply->router = server->config.router;
	reply->dns = server->config.dns;
	answer_name(message, reply);
}

/* The slot for a client that asks for any: its own, the one that it wants, or another. */
static uint32_t choose(const struct dhcp_server *server, uint64_t now, const struct client *client,
		       uint32_t wanted)
{
	uint32_t slot = find_reserved(server, client->mac);

	if (slot != UINT32_MAX && (slot_free(server, slot, now, client) ||
				   server->leases[slot].port == DHCP_NO_PORT ||
				   is_clients(&server->leases[slot], client)))
		return slot;
	slot = find_client(server, now, client);
	if (slot != UINT32_MAX && may_have(server, slot, client->mac))
		return slot;
	slot = address_slot(server, wanted);
	if (slot != UINT32_MAX && slot_free(server, slot, now, client) &&
	    may_have(server, slot, client->mac))
		return slot;
	return find_free(server, now, client->mac);
}

/* Each on_...() says whether *reply is to be sent, and *verdict why the message was refused. */
/* It has an address, and no other any more. */
static bool bind(struct dhcp_server *server, uint64_t now, uint32_t slot,
		 const struct client *client, const struct dhcp_message *message,
		 struct dhcp_message *reply)
{
	uint64_t expires = now + server->config.lease_s * NS_PER_S;

	if (!give(server, slot, LEASE_BOUND, expires, client, message))
		return false;
	for (uint32_t i = 0; i < server->used; i++)
		if (i != slot && server->leases[i].state == LEASE_BOUND &&
		    is_clients(&server->leases[i], client))
			server->leases[i].expires = now;
	start_reply(server, message, DHCP_ACK, reply);
	reply->ciaddr = message->ciaddr;
	reply->yiaddr = slot_address(server, slot);
	reply->lease_s = server->config.lease_s;
	reply->rapid = message->type == DHCP_DISCOVER;
	if (server->config.bound)
		server->config.bound(server->config.arg, reply->yiaddr);
	return true;
}

static bool on_discover(struct dhcp_server *server, uint64_t now, const struct client *client,
			const struct dhcp_message *message, struct dhcp_message *reply,
			enum net_verdict *verdict)
{
	uint32_t slot = choose(server, now, client, message->requested);
	bool bound = slot < server->used && server->leases[slot].state == LEASE_BOUND &&
		     is_clients(&server->leases[slot], client) &&
		     in_force(&server->leases[slot], now);

	if (slot == UINT32_MAX || !within_limit(server, now, slot, client)) {
		*verdict = NET_DROP_NO_LEASE;
		return false;
	}
	if (message->rapid)
		return bind(server, now, slot, client, message, reply);
	if (!bound && !give(server, slot, LEASE_OFFERED, now + OFFER_NS, client, message))
		return false;
	start_reply(server, message, DHCP_OFFER, reply);
	reply->yiaddr = slot_address(server, slot);
	reply->lease_s = server->config.lease_s;
	return true;
}

static bool refuse(struct dhcp_server *server, const struct dhcp_message *message,
		   struct dhcp_message *reply)
{
	start_reply(server, message, DHCP_NAK, reply);
	reply->flags |= DHCP_BROADCAST;
	return true;
}

static bool on_request(struct dhcp_server *server, uint64_t now, const struct client *client,
		       const struct dhcp_message *message, struct dhcp_message *reply,
		       enum net_verdict *verdict)
{
	uint32_t wanted = message->requested ? message->requested : message->ciaddr;
	uint32_t slot = address_slot(server, wanted);

	/* It may have another one still. */
	if (slot >= server->used || !is_clients(&server->leases[slot], client))
		slot = find_client(server, now, client);

	if (message->server_id && message->server_id != server->config.address) {
		if (slot != UINT32_MAX && server->leases[slot].state == LEASE_OFFERED)
			server->leases[slot].expires = now;
		return false;
	}
	if (!wanted)
		return false;
	if (slot == UINT32_MAX) {
		slot = address_slot(server, wanted);
		if (slot == UINT32_MAX || !slot_free(server, slot, now, client) ||
		    !may_have(server, slot, client->mac))
			return refuse(server, message, reply);
	} else if (slot_address(server, slot) != wanted || !may_have(server, slot, client->mac)) {
		return refuse(server, message, reply);
	}
	if (!within_limit(server, now, slot, client)) {
		*verdict = NET_DROP_NO_LEASE;
		return false;
	}
	return bind(server, now, slot, client, message, reply);
}

/* DECLINE and RELEASE: only the client that has the address can give it up. */
static void on_give_up(struct dhcp_server *server, uint64_t now, const struct client *client,
		       const struct dhcp_message *message, enum net_verdict *verdict)
{
	bool decline = message->type == DHCP_DECLINE;
	uint32_t slot = address_slot(server, decline ? message->requested : message->ciaddr);
	struct lease *lease;

	if (slot == UINT32_MAX || slot >= server->used || !in_force(&server->leases[slot], now) ||
	    (message->server_id && message->server_id != server->config.address))
		return;
	lease = &server->leases[slot];
	if (lease->port != client->port || memcmp(lease->mac, client->mac, NET_MAC_SIZE) != 0) {
		*verdict = NET_DROP_FORGED;
		return;
	}
	lease->state = decline ? LEASE_DECLINED : LEASE_ENDED;
	lease->expires = decline ? now + DECLINED_NS : now;
}

static bool on_inform(struct dhcp_server *server, const struct dhcp_message *message,
		      struct dhcp_message *reply)
{
	if (!is_leasable(server, message->ciaddr))
		return false;
	start_reply(server, message, DHCP_ACK, reply);
	reply->ciaddr = message->ciaddr;
	return true;
}

size_t dhcp_input(struct dhcp_server *server, uint64_t now, uint32_t from, uint32_t leases,
		  const uint8_t *frame, size_t size, uint8_t reply_frame[DHCP_REPLY_MAX],
		  enum net_verdict *verdict)
{
	const struct dhcp_frame_server at = { server->config.mac, server->config.address,
					      server->network + server->size - 1 };
	struct dhcp_message message, reply;
	const struct client client = { .mac = message.chaddr, .port = (uint16_t)from,
				       .leases = leases ? leases : server->config.port_leases };
	bool answer = false;

	*verdict = NET_FORWARD;
	if (!dhcp_frame_read(&at, frame, size, &message))
		return 0;
	if (message.giaddr) {
		*verdict = NET_DROP_RELAYED;
		return 0;
	}
	if (memcmp(frame + NET_MAC_SIZE, client.mac, NET_MAC_SIZE) != 0) {
		*verdict = NET_DROP_FORGED;
		return 0;
	}
	switch (message.type) {
	case DHCP_DISCOVER:
		answer = on_discover(server, now, &client, &message, &reply, verdict);
		break;
	case DHCP_REQUEST:
		answer = on_request(server, now, &client, &message, &reply, verdict);
		break;
	case DHCP_DECLINE:
	case DHCP_RELEASE:
		on_give_up(server, now, &client, &message, verdict);
		break;
	case DHCP_INFORM:
		answer = on_inform(server, &message, &reply);
		break;
	}
	return answer ? dhcp_frame_write(&at, &reply, reply_frame) : 0;
}

void dhcp_saw(struct dhcp_server *server, uint64_t now, uint32_t from, uint32_t leases,
	      const uint8_t mac[NET_MAC_SIZE], uint32_t address)
{
	const struct client client = { .mac = mac, .port = (uint16_t)from,
				       .leases = leases ? leases : server->config.port_leases };
	uint32_t slot = address_slot(server, address);
	struct lease *lease;

	if (slot == UINT32_MAX || !may_have(server, slot, mac) ||
	    !slot_free(server, slot, now, &client) || !within_limit(server, now, slot, &client))
		return;
	lease = touch_slot(server, slot);
	if (!lease)
		return;
	if (!is_clients(lease, &client))
		lease->hostname[0] = '\0';
	memcpy(lease->mac, mac, NET_MAC_SIZE);
	lease->port = client.port;
	lease->state = LEASE_SEEN;
	lease->expires = now + SEEN_NS;
}

int dhcp_reserve(struct dhcp_server *server, uint32_t from, const uint8_t mac[NET_MAC_SIZE],
		 uint32_t address)
{
	uint32_t slot = address_slot(server, address), before = find_reserved(server, mac);
	struct lease *lease;

	if (before != UINT32_MAX && !address)
		server->leases[before].reserved = false;
	if (!address)
		return 0;
	if (slot == UINT32_MAX)
		return -EINVAL;
	lease = touch_slot(server, slot);
	if (!lease)
		return -ENOMEM;
	if (lease->reserved && lease->reserved_port != DHCP_NO_PORT &&
	    memcmp(lease->reserved_mac, mac, NET_MAC_SIZE) != 0)
		return -EEXIST;
	if (before != UINT32_MAX)
		server->leases[before].reserved = false;
	lease->reserved = true;
	lease->reserved_port = (uint16_t)from;
	memcpy(lease->reserved_mac, mac, NET_MAC_SIZE);
	return 0;
}

void dhcp_restore(struct dhcp_server *server, uint64_t now, const struct dhcp_lease_info *info)
{
	const struct client client = { .mac = info->mac, .port = DHCP_NO_PORT };
	uint32_t slot = address_slot(server, info->address);
	struct lease *lease;

	if (slot == UINT32_MAX || !info->remaining_s || !slot_free(server, slot, now, &client))
		return;
	lease = touch_slot(server, slot);
	if (!lease)
		return;
	lease->state = LEASE_BOUND;
	lease->port = DHCP_NO_PORT;
	lease->expires = now + info->remaining_s * NS_PER_S;
	memcpy(lease->mac, info->mac, NET_MAC_SIZE);
	memcpy(lease->hostname, info->hostname, sizeof(lease->hostname));
}

uint32_t dhcp_go_on(struct dhcp_server *server, uint64_t now, uint32_t from,
		    const uint8_t mac[NET_MAC_SIZE])
{
	for (uint32_t slot = 0; slot < server->used; slot++) {
		struct lease *lease = &server->leases[slot];

		if (lease->state != LEASE_BOUND || lease->port != DHCP_NO_PORT ||
		    lease->expires <= now || memcmp(lease->mac, mac, NET_MAC_SIZE) != 0)
			continue;
		lease->port = (uint16_t)from;
		return slot_address(server, slot);
	}
	return 0;
}

/* Nobody is left to say that an address was declined, or to take up an offer. */
void dhcp_forget(struct dhcp_server *server, uint64_t now, uint32_t from)
{
	for (uint32_t slot = 0; slot < server->used; slot++) {
		struct lease *lease = &server->leases[slot];

		if (lease->reserved_port == from)
			lease->reserved_port = DHCP_NO_PORT;
		if (lease->state == LEASE_UNUSED || lease->port != from)
			continue;
		lease->port = DHCP_NO_PORT;
		if (lease->state != LEASE_BOUND && lease->expires > now)
			lease->expires = now;
	}
}

uint32_t dhcp_address_of(const struct dhcp_server *server, uint64_t now, uint32_t from,
			 const uint8_t mac[NET_MAC_SIZE])
{
	uint32_t first = 0;

	for (uint32_t slot = 0; slot < server->used; slot++) {
		const struct lease *lease = &server->leases[slot];

		if (lease->state != LEASE_BOUND || lease->port != from || lease->expires <= now)
			continue;
		if (!memcmp(lease->mac, mac, NET_MAC_SIZE))
			return slot_address(server, slot);
		if (!first)
			first = slot_address(server, slot);
	}
	return first;
}

size_t dhcp_list(const struct dhcp_server *server, uint64_t now, struct dhcp_lease_info *out,
		 size_t room)
{
	size_t count = 0;

	/* Slots go round the network from its first address; listed from the lowest one. */
	for (uint32_t n = 0; n < server->slots; n++) {
		uint32_t slot = (n - server->first) & (server->size - 1);
		const struct lease *lease;

		if (server->slots < server->size)
			slot = n;
		if (slot >= server->used)
			continue;
		lease = &server->leases[slot];
		if (lease->state != LEASE_BOUND || lease->expires <= now)
			continue;
		if (count < room) {
			struct dhcp_lease_info *info = &out[count];

			memcpy(info->mac, lease->mac, NET_MAC_SIZE);
			info->address = slot_address(server, slot);
			info->remaining_s = (uint32_t)((lease->expires - now) / NS_PER_S);
			info->port = lease->port;
			info->card = false;
			memcpy(info->hostname, lease->hostname, sizeof(info->hostname));
		}
		count++;
	}
	return count;
}

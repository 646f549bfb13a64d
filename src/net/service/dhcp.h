/*
 * The DHCP server of one switch (RFC 2131, RFC 2132): leases and answers,
 * without sockets, clock or locks. One thread at a time.
 *
 * A client is known by its MAC (chaddr): NICs of a switch have unique ones,
 * and cloned disks, which share client identifiers, must not share addresses.
 * Leases live in memory; who keeps them elsewhere brings them back. As the one
 * server of its network it confirms a free address that an unknown client says
 * it had, and refuses all others.
 *
 * Clients may be hostile to each other. A message is believed only of the MAC
 * that its frame came from, and a lease is that MAC's at that port: the same
 * MAC at another port is another client. A port has a limited number of
 * addresses, with those that it declined or uses unasked. When it goes its leases are kept for
 * their MACs, at whatever port those come back, unless the addresses run out.
 */
#ifndef NET_SERVICE_DHCP_H
#define NET_SERVICE_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "net/frame/frame.h"
#include "net/service/dhcp_options.h"

#define DHCP_LEASES_MAX 4096u
#define DHCP_LEASE_S 3600u
#define DHCP_PORT_LEASES 8u /* of one port, unless somebody wants it otherwise */
#define DHCP_OUTSIDE_LEASES 64u /* of one that leads out, which others share */
#define DHCP_REPLY_MAX 1242u /* bytes of the largest frame that dhcp_input() writes */

struct dhcp_server;

/* Addresses in host byte order. */
struct dhcp_config {
	uint32_t address; /* the server's own */
	uint8_t prefix;   /* 8..30 */
	uint8_t mac[NET_MAC_SIZE];
	uint32_t router; /* told to the clients; 0: none */
	uint32_t dns;    /* told to the clients and never leased; 0: none */
	uint32_t lease_s;
	struct dhcp_settings settings; /* copied */
	uint32_t port_leases; /* that a port may have at a time; 0: DHCP_PORT_LEASES */

	/* Told, within dhcp_input(), of the address that its client gets. Or NULL. */
	void (*bound)(void *arg, uint32_t address);
	void *arg;
};

#define DHCP_NO_PORT UINT16_MAX

/* What a screen shows of a lease. */
struct dhcp_lease_info {
	uint8_t mac[NET_MAC_SIZE];
	uint32_t address; /* host byte order */
	uint32_t remaining_s;
	uint16_t port;	   /* slot of the one it was given to, or DHCP_NO_PORT: that is no more */
	bool card;	   /* to who has that port, not to somebody behind it: own_list_leases() knows */
	char hostname[64]; /* what the client called itself, printable ASCII, or "" */
};

/* -EINVAL with a cause, "pool: ...", if it is not in the network that address is in. Any thread. */
int dhcp_check_pool(const struct dhcp_pool *pool, uint32_t address, uint8_t prefix,
		    struct cause *cause);

/* -EINVAL with a cause if address is not a host's address, or as of the pool; -ENOMEM. */
int dhcp_new(struct dhcp_server **out, const struct dhcp_config *config, struct cause *cause);
void dhcp_free(struct dhcp_server *server); /* NULL is valid */

/*
 * Takes a frame for which dhcp_is_request() is true, at now (ns of any clock
 * that does not go back), from the port at slot from. Writes the answering
 * frame; returns its size, or 0 if there is none. leases is how many that port
 * may have at a time, 0: port_leases. *verdict is NET_FORWARD, or
 * says why the message was refused: NET_DROP_FORGED, it speaks for another
 * client; NET_DROP_NO_LEASE; NET_DROP_RELAYED.
 */
size_t dhcp_input(struct dhcp_server *server, uint64_t now, uint32_t from, uint32_t leases,
		  const uint8_t *frame, size_t size, uint8_t reply[DHCP_REPLY_MAX],
		  enum net_verdict *verdict);

/*
 * The MAC, behind the port at slot from, has been seen to use an address: unless that is given to
 * somebody, it is to nobody else for ten minutes, and counts as one that its port has.
 */
void dhcp_saw(struct dhcp_server *server, uint64_t now, uint32_t from, uint32_t leases,
	      const uint8_t mac[NET_MAC_SIZE], uint32_t address);

/*
 * The address is the MAC's alone from now on, which is that of the port at slot from, in the place
 * of one that was reserved for it before; 0: none is any more. Who has it keeps it until its lease
 * ends. -EINVAL: nobody can have it; -EEXIST: it is reserved for another, which is at a port;
 * -ENOMEM.
 */
int dhcp_reserve(struct dhcp_server *server, uint32_t from, const uint8_t mac[NET_MAC_SIZE],
		 uint32_t address);

/* A lease of before, of a port that is no more; one that cannot be any more is passed over. */
void dhcp_restore(struct dhcp_server *server, uint64_t now, const struct dhcp_lease_info *lease);

/*
 * Who has come to the port at slot from goes on where it was: what is kept for that MAC, and not
 * over, is its own again without a question. Its address; 0: there is none.
 */
uint32_t dhcp_go_on(struct dhcp_server *server, uint64_t now, uint32_t from,
		    const uint8_t mac[NET_MAC_SIZE]);

/* The port at slot from is no more. */
void dhcp_forget(struct dhcp_server *server, uint64_t now, uint32_t from);

/*
 * The address of a lease that the port at slot from has in force: that of the MAC, if it has one,
 * else the first. 0: there is none.
 */
uint32_t dhcp_address_of(const struct dhcp_server *server, uint64_t now, uint32_t from,
			 const uint8_t mac[NET_MAC_SIZE]);

/* Leases that are in force, by address: fills at most room of them, returns how many there are. */
size_t dhcp_list(const struct dhcp_server *server, uint64_t now, struct dhcp_lease_info *out,
		 size_t room);

#endif

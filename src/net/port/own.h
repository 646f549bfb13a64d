/*
 * The port by which a switch is on its own network: the DHCP server (RFC 2131),
 * and behind it somebody who answers at the switch's address. That is ARP and
 * ping alone for port_own; another kind brings its own backend.
 */
#ifndef NET_PORT_OWN_H
#define NET_PORT_OWN_H

#include <pthread.h>

#include "net/port/port.h"
#include "net/port/served.h"

struct own_port;

/* Who answers. On the uplink thread, but for what says otherwise. */
struct own_backend {
	const char *suffix; /* of the port's name: "lan/dhcp" */
	bool gateway;	    /* clients are told of a router and a DNS server here */
	uint32_t accepts;   /* NET_ACCEPTS_* */

	/* NULL: the port is its state. The uplink's loop is at hand. */
	int (*start)(void **state, struct own_port *own, struct cause *cause);
	void (*stop)(void *state); /* NULL: nothing to do; state is NULL if start() failed */

	/* Any thread: stop() has been called and the port removed. NULL: nothing to do. */
	void (*release)(void *state);

	/*
	 * Of the port in the switch; its backend is the own_port, and what of own_wants() is
	 * DHCP goes to inbox_deliver(), ARP there, too. Then the rest is NULL. Or NULL: all goes
	 * to the inbox.
	 */
	const struct net_port_ops *ops;

	void (*forget)(void *state, uint32_t from); /* inbox_ops.forget(), or NULL */

	/* The address that the port at slot from has by DHCP, host byte order; or NULL. */
	void (*lease_changed)(void *state, uint32_t from, uint32_t address);
	void (*begin)(void *state);		    /* or NULL */
	void (*take)(void *state, uint32_t from, const uint8_t *frame, size_t size);
	void (*end)(void *state); /* or NULL; what was sent until then is flushed */
};

struct own_port {
	struct port port;
	const struct own_backend *backend;
	void *state;
	struct served served;
	struct switch_config config;
	uint8_t mac[NET_MAC_SIZE];
	uint32_t dns; /* a gateway's second address; 0: none */

	pthread_mutex_t lease_lock; /* guards dhcp, and what goes on */
	uint64_t going_on[NET_PORTS_MAX / 64]; /* bits: whose lease is to be looked for */
	bool stopped; /* nothing is posted any more */
	struct loop_task go_on;
	struct dhcp_server *dhcp;

	/* Of ports by their slots: the address that was told last, and the MAC. */
	uint32_t addresses[NET_PORTS_MAX];
	uint8_t macs[NET_PORTS_MAX][NET_MAC_SIZE]; /* under lease_lock */
	uint32_t bound; /* the uplink thread's: what the server has just given; 0: nothing */
};

/* The ops of a kind of which this is the port: see net/port/port.h. config->address is not 0. */
int own_create(struct port **out, const struct port_kind *kind, const struct own_backend *backend,
	       struct uplink *uplink, struct net_switch *sw, const struct switch_config *config,
	       struct cause *cause);
void own_destroy(struct port *port);
size_t own_describe(const struct port *port, struct port_field *out, size_t room);
size_t own_list_leases(struct port *port, struct dhcp_lease_info *out, size_t room);
void own_restore_lease(struct port *port, const struct dhcp_lease_info *lease);

/* Whether a frame is for the switch: its address filter, as a NIC has one. Any thread. */
bool own_wants(const struct own_port *own, const struct net_frame *frame);

bool own_is_arp(const struct net_frame *frame); /* of one that it wants. Any thread. */

#endif

/*
 * The uplink thread, one a process, and the port by which a switch itself is
 * on its own network: DHCP server, ARP and ping for the switch's address, and
 * NAT by libslirp.
 *
 * libslirp is not thread-safe, so all instances live on this one thread.
 * Frames reach it through a bounded queue of copies and one eventfd; a full
 * queue is a counted drop, never a wait.
 */
#ifndef NET_PORT_OWN_H
#define NET_PORT_OWN_H

#include <stddef.h>

#include "base/cause.h"
#include "net/port/port.h"
#include "net/service/dhcp.h"
#include "net/switch/switch.h"

struct uplink;
struct uplink_port;

/* Starts the thread. */
int uplink_new(struct uplink **out, struct cause *cause);
void uplink_free(struct uplink *uplink); /* all its ports must be detached; NULL is valid */

/*
 * Adds the switch's own port, named "<switch>/nat" or "<switch>/dhcp".
 * config->address is not 0. The cause of a failure leaves the switch's name to
 * the caller. Any thread but the uplink's.
 */
int uplink_attach(struct uplink_port **out, struct uplink *uplink, struct net_switch *sw,
		  const struct switch_config *config, struct cause *cause);
void uplink_detach(struct uplink_port *port); /* NULL is valid */

/* See switch_list_leases(). Any thread. */
size_t uplink_list_leases(struct uplink_port *port, struct dhcp_lease_info *out, size_t room);

#endif

/*
 * The virtual network of one process: its switches, what they have of their
 * own accord, and the two threads that serve them (uplink, capture writer).
 * Any thread, but not from a port's deliver().
 */
#ifndef NET_NETWORK_H
#define NET_NETWORK_H

#include <stddef.h>

#include "base/cause.h"
#include "net/port/port.h"
#include "net/service/dhcp.h"
#include "net/switch/switch.h"

struct capture_hub;
struct filter;
struct network;
struct uplink_listener; /* net/port/thread.h */

/* The network: one a process. Starts its threads when the first switch needs them. */
int network_new(struct network **out, struct cause *cause);
void network_free(struct network *network); /* ports must have been removed; NULL is valid */

/* Before the first switch: who is told of what becomes of switches of its own accord; copied. */
void network_listen(struct network *network, const struct uplink_listener *listener);

/* What its captures need: see net/capture/capture.h. */
struct capture_hub *network_capture_hub(struct network *network);

/* A switch with the ports that its configuration asks for. -EEXIST if its name is taken. */
int switch_new(struct net_switch **out, struct network *network,
	       const struct switch_config *config, struct cause *cause);
void switch_free(struct net_switch *sw); /* its guests' ports must have been removed */

struct net_switch *network_find_switch(struct network *network, const char *name);
const struct switch_config *switch_get_config(const struct net_switch *sw);

/*
 * The settings of a port of any switch, by its name: what they are, and to be; -ENOENT with a
 * sentence that may know a better one.
 */
int network_get_port(struct network *network, const char *name, struct net_port_settings *out,
		     struct cause *cause);
int network_set_port(struct network *network, const char *name,
		     const struct net_port_settings *settings, struct cause *cause);

/*
 * A breakpoint of a port, by its name: the filter, which is taken over and empty then, was compiled
 * from words; NULL both: there is none any more, and what is held goes on. See switch.h.
 */
int network_break_port(struct network *network, const char *name, struct filter *filter,
		       const char *words, struct cause *cause);

/*
 * Decides about the frame that is held at a port: it goes on, as it is or with size bytes of data
 * in its place, or is dropped. -ENOENT and others with a sentence.
 */
struct net_decision {
	bool drop;
	const uint8_t *data; /* NULL: as it is */
	uint32_t size;	     /* NET_FRAME_MIN to NET_FRAME_MAX */
};

int network_decide_port(struct network *network, const char *name,
			const struct net_decision *decision, struct cause *cause);

/*
 * Puts size bytes of a frame (NET_FRAME_MIN to NET_FRAME_MAX) in at a port, by its name, as if it
 * had sent them: its VLAN, MTU and lock hold for them, its impairments and its breakpoint do not.
 * -ENOENT and others with a sentence; a frame that is dropped is no error.
 */
int network_inject_port(struct network *network, const char *name, const uint8_t *data,
			uint32_t size, struct switch_injected *out, struct cause *cause);

/*
 * Fill at most room entries and return how many there are in all. What a
 * switch's own ports say of it, with names that are unique, and their leases.
 */
size_t network_list_switches(struct network *network, struct net_switch **out, size_t room);
size_t switch_describe(struct net_switch *sw, struct port_field *out, size_t room);
size_t switch_describe_port(struct net_switch *sw, const char *name, struct port_field *out,
			    size_t room); /* of one that a section makes, "lan/tap0"; or nothing */
size_t switch_list_leases(struct net_switch *sw, struct dhcp_lease_info *out, size_t room);

/* Who had the lease before gets it again; see dhcp_restore(). */
void switch_restore_lease(struct net_switch *sw, const struct dhcp_lease_info *lease);

#endif

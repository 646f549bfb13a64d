/*
 * Kinds of ports, and what a switch is configured with.
 *
 * A kind is a row: what it is called, its keys in the profiles of switches, and
 * how its ports come and go. It is defined in its own file; a new one is that
 * file and its line in PORT_KINDS.
 *
 * But for guests' NICs, which come with their guests, a switch has its ports of
 * its own accord, as it is configured: by keys of section [switch], or by a
 * section for each, [tap0]. The uplink thread serves them. All ops are for any
 * thread but the uplink's.
 */
#ifndef NET_PORT_PORT_H
#define NET_PORT_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/profile_key.h"
#include "net/capture/capture.h"
#include "net/frame/frame.h"
#include "net/switch/settings.h"
#include "net/service/dhcp_options.h"

struct dhcp_lease_info;
struct net_switch;
struct port_kind;
struct uplink;

#define PORT_SECTIONS_MAX 8 /* of a kind in one switch */

/* A section of a switch's profile for a port of its own: the first member of what its keys fill. */
struct port_section {
	const struct port_kind *kind;
	unsigned number;	   /* "stream2": 2 */
	struct port_section *next; /* by kind and number */
	struct net_port_settings settings;
};

/* All zero but for the name: a switch of guests alone. */
struct switch_config {
	char name[NAME_SIZE];
	const struct port_kind *uplink; /* where it leads; NULL: nowhere */
	uint32_t address;		/* IPv4 of the switch itself, host byte order; 0: none */
	uint8_t prefix;			/* 8..30, of the network that address is in */
	unsigned leases_per_port;	/* by DHCP; 0: the standard */
	struct dhcp_settings dhcp;
	unsigned patience; /* ms that a frame waits at most for its receiver's room; 0: it does not */
	struct past_config past;	/* what it keeps of its frames */
	bool loopback;			/* NAT leads to the services of the host's loopback */
	struct port_section *sections;	/* its own; switch_config_free() frees them */
};

/* A port that a switch has of its own accord; the first member of what its kind makes of it. */
struct port {
	const struct port_kind *kind;
	const struct port_section *section; /* the switch's, that makes it, by create(); or NULL */
	struct port *next;		    /* its owner's */
};

/* Something that is shown of a switch. */
struct port_field {
	const char *name; /* "address" */
	char text[128];
};

struct port_kind {
	const char *name; /* "nat": what is shown of a port, and the value of uplink= */

	/*
	 * If uplink= can name the kind, or NULL: for the manual, sentences of where that leads,
	 * which go on after "With nat, ".
	 */
	const char *leads;

	bool answers; /* at the switch's address, for which there is no other port then */
	bool forwards; /* ports of this host can lead to guests */

	/* Keys of section [switch] that are the kind's, with offsets in switch_config; or NULL. */
	const struct profile_key *keys;

	/*
	 * Keys of a section that makes a port of the kind, beside those of any port's settings, with
	 * offsets in a record of section_size bytes, which begins with a struct port_section; and
	 * sentences for the manual of what such a port is. NULL: there are no such sections.
	 */
	const struct profile_key *section_keys;
	size_t section_size;
	const char *section_help;

	/* Whether [switch] makes such a port; NULL: never. */
	bool (*wanted)(const struct switch_config *config);

	/*
	 * Of one that [switch] (section is NULL) or a section makes: 0, or -EINVAL with a cause,
	 * when the keys do not fit each other. NULL: they always do.
	 */
	int (*check)(const struct switch_config *config, const struct port_section *section,
		     struct cause *cause);

	/*
	 * config and section stay while the port does. The cause of a failure leaves the switch's
	 * name to the caller. What may come, or come back, is waited for by the port itself.
	 */
	int (*create)(struct port **out, struct uplink *uplink, struct net_switch *sw,
		      const struct switch_config *config, const struct port_section *section,
		      struct cause *cause);
	void (*destroy)(struct port *port);

	/* These fill at most room entries and return how many there are; NULL: none. */
	size_t (*describe)(const struct port *port, struct port_field *out, size_t room);
	size_t (*list_leases)(struct port *port, struct dhcp_lease_info *out, size_t room);

	/* A lease of before, see dhcp_restore(). NULL: it gives none. */
	void (*restore_lease)(struct port *port, const struct dhcp_lease_info *lease);
};

#define PORT_KINDS(kind) \
	kind(port_own)    \
	kind(port_nat)    \
	kind(port_guest)  \
	kind(port_pcap)   \
	kind(port_replay) \
	kind(port_stream) \
	kind(port_tap)    \
	kind(port_vxlan)

#define PORT_KIND_DECLARE(kind) extern const struct port_kind kind;
PORT_KINDS(PORT_KIND_DECLARE)

/* All kinds, ended by NULL. */
extern const struct port_kind *const port_kinds[];

/* "stream2". */
void port_section_name(const struct port_section *section, char out[NAME_SIZE]);

/* The section, or NULL. */
struct port_section *port_section_find(const struct switch_config *config,
				       const struct port_kind *kind, unsigned number);

/* Finds it, or adds one, all zero, to the switch. NULL: there is no memory. */
struct port_section *port_section_add(struct switch_config *config, const struct port_kind *kind,
				      unsigned number);

/* A copy with sections of its own. 0 or -ENOMEM: then there is nothing to free. */
int switch_config_copy(struct switch_config *to, const struct switch_config *from);
void switch_config_free(struct switch_config *config); /* its sections; valid for all zero */

/* Whether they make the same of a switch, whatever its name is. */
bool switch_config_equal(const struct switch_config *one, const struct switch_config *other);

/*
 * Where the name server of a switch is that leads out: the address after the switch's own, or
 * before it if that is the last one. 0: it does not lead there.
 */
uint32_t switch_config_dns(const struct switch_config *config);

/* The kind that uplink= names; NULL: "none", or there is none of that name. */
const struct port_kind *port_find_uplink(const char *name);

#endif

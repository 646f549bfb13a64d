/*
 * What a port is set to: by the profile of who is at it, and by people while it is there. Pure;
 * any thread.
 */
#ifndef NET_SWITCH_SETTINGS_H
#define NET_SWITCH_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/profile_key.h"

/* In the order of the keys' choices. */
enum net_link { NET_LINK_UP, NET_LINK_DOWN };
enum net_lock { NET_LOCK_NO, NET_LOCK_MAC, NET_LOCK_MAC_IP };
enum net_span { NET_SPAN_NO, NET_SPAN_ALL, NET_SPAN_MIRRORED };
enum net_mirror { NET_MIRROR_NO, NET_MIRROR_IN, NET_MIRROR_OUT, NET_MIRROR_BOTH };
enum net_distribution { NET_UNIFORM, NET_NORMAL, NET_PARETO };

/* Of the two ways of frames at a port: to who is at it, and from there. */
enum net_way { NET_WAY_IN, NET_WAY_OUT, NET_WAYS };

#define NET_SHARE_ALL 1000000u /* shares of frames are in millionths */

/* What is done on purpose to frames that go one way, in the words of tc-netem(8). */
struct net_impairment {
	uint64_t delay, jitter; /* ns */
	uint64_t rate;		/* bits a second; 0: any */
	unsigned distribution;	/* an enum net_distribution, of the jitter */
	unsigned loss, duplicate, corrupt, reorder; /* shares */
	unsigned loss_burst; /* frames lost in a row, on average; 0: each for itself */
	unsigned limit;	     /* frames that are held at most; 0: NET_LIMIT_STANDARD */
	unsigned seed;	     /* 0: by chance */
};

#define NET_LIMIT_STANDARD 1000u

#define NET_VLAN_MAX 4095u /* 4095 itself is no VLAN */

struct net_vlans {
	uint64_t bits[(NET_VLAN_MAX + 1) / 64];
};

/* All zero: a plain port. Compared by its bytes: whoever makes one begins with zeros. */
struct net_port_settings {
	struct net_impairment impairments[NET_WAYS];
	unsigned link; /* an enum net_link */
	unsigned lock; /* an enum net_lock */
	unsigned vlan; /* of frames without a tag; 0: of none */
	unsigned mtu;  /* bytes behind an Ethernet header and a tag; 0: any */
	unsigned macs; /* addresses that are learned of it at most; 0: as many as of any port */
	unsigned leases; /* that DHCP gives there at a time; 0: as the switch says */
	unsigned storm_limit; /* floods a second that it may send; 0: any */
	bool private;	      /* it and others like it do not reach each other */
	unsigned span;	      /* an enum net_span: it gets copies, and nothing else */
	unsigned mirror;      /* an enum net_mirror: of what NET_SPAN_MIRRORED has copies */
	struct net_vlans trunk; /* of frames with a tag */
};

static inline bool net_vlan_has(const struct net_vlans *set, uint32_t vlan)
{
	return set->bits[vlan / 64] >> vlan % 64 & 1;
}

/*
 * The keys, with offsets in struct net_port_settings; each has a standard value, which is that
 * of a plain port. They stand in the section of a profile that makes a port, and are given live.
 */
extern const struct profile_key net_port_keys[];

/*
 * The key whose value makes no sense beside the others, with a sentence, "lock: ..."; or NULL.
 * card: the port is that of a guest's card, with one MAC address.
 */
const char *net_port_settings_fault(const struct net_port_settings *settings, bool card,
				    struct cause *cause);

/* Whether anything is done to frames: limit and seed alone do nothing. */
bool net_impairs(const struct net_impairment *impairment);

#endif

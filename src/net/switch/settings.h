/*
 * What a port is set to: by the profile of who is at it, and by people while it is there. Pure;
 * any thread.
 */
#ifndef NET_SWITCH_SETTINGS_H
#define NET_SWITCH_SETTINGS_H

#include <stdbool.h>

#include "base/profile_key.h"

/* In the order of the key's choices. */
enum net_link { NET_LINK_UP, NET_LINK_DOWN };

/* All zero: a plain port. Compared by its bytes: whoever makes one begins with zeros. */
struct net_port_settings {
	unsigned link; /* an enum net_link */
};

/*
 * The keys, with offsets in struct net_port_settings; each has a standard value, which is that
 * of a plain port. They stand in the section of a profile that makes a port, and are given live.
 */
extern const struct profile_key net_port_keys[];

#endif

/*
 * What people have set a port to while it was there, for the one that comes in its place. Any
 * thread, one at a time.
 */
#ifndef NET_SWITCH_KEPT_H
#define NET_SWITCH_KEPT_H

#include "base/filter.h"
#include "net/switch/settings.h"

/* All zero: nothing. From malloc(). */
struct net_port_kept {
	bool set; /* the settings are theirs */
	struct net_port_settings settings;
	char *words; /* of a breakpoint; NULL: none */
	struct filter filter;
};

void net_port_kept_free(struct net_port_kept *kept); /* NULL is valid */

#endif

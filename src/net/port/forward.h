/*
 * Ports of the host that lead to a port of the switch: the addresses at which NAT
 * takes connections for a guest. Pure; any thread.
 */
#ifndef NET_PORT_FORWARD_H
#define NET_PORT_FORWARD_H

#include <stddef.h>
#include <stdint.h>

#define NET_FORWARDS_MAX 16
#define NET_FORWARD_TEXT 32 /* "255.255.255.255:65535", with the zero */

/* TCP connections to a port of this host that go on to a guest's. */
struct net_forward {
	uint32_t address; /* of the host, in host byte order; 0: all of them */
	uint16_t port;	  /* of the host */
	uint16_t to;	  /* the guest's */
};

struct net_forwards {
	uint32_t count;
	struct net_forward list[NET_FORWARDS_MAX];
};

/*
 * A profile_key.parse() of a struct net_forwards: "2222:22 0.0.0.0:8080:80", where without an
 * address it is 127.0.0.1.
 */
int net_forwards_parse(void *out, const char *text, char *fault, size_t room);

/* The place on the host, "127.0.0.1:2222". */
void net_forward_text(const struct net_forward *forward, char out[NET_FORWARD_TEXT]);

#endif

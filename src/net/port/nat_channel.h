/*
 * What goes through the channel between a switch and the process of its NAT (see
 * sandbox/channel.h): frames, a record each, and a few words about them.
 */
#ifndef NET_PORT_NAT_CHANNEL_H
#define NET_PORT_NAT_CHANNEL_H

#include <stdatomic.h>
#include <stdint.h>

#include "net/frame/frame.h"
#include "net/port/forward.h"

/* Records to the process, by their mark: what it is, and the slot of the sending port. */
enum nat_record {
	NAT_FRAME,  /* an Ethernet frame that nat_guard() let pass */
	NAT_FORGET, /* empty: the port at this slot is no more */
	NAT_SETUP,  /* struct nat_setup; the first one. Its slot is 0 */
	NAT_FORWARDS, /* struct nat_forwards, in the place of what was said of the port before */
};

static inline uint32_t nat_mark(enum nat_record record, uint32_t slot)
{
	return (uint32_t)record << 16 | slot;
}

/* Addresses in host byte order. */
struct nat_setup {
	uint32_t address, dns;
	uint32_t sockets; /* how many there may be, up to NAT_SOCKETS_MAX */
	uint8_t prefix;
	uint8_t loopback; /* 1: services on the host's loopback are reached by address */
	uint8_t zero[2];
};

/* Where the host's ports lead. */
struct nat_forwards {
	uint32_t address; /* the guest's by DHCP; 0: none, it is the one that it uses */
	struct net_forwards forwards;
};

/* What has become of one of them: an errno, or 0: it takes connections. */
struct nat_said {
	uint32_t index;
	uint32_t error;
};

/*
 * Records of the process are frames of the gateway, with mark 0; or, to be cut
 * into segments whose payload is mark, one of TCP; or, with NAT_SAID and the
 * slot of the port that it is about, struct nat_said. Beside them, for who looks:
 */
#define NAT_SAID (1u << 16)

struct nat_shared {
	_Atomic uint32_t sockets;
	_Atomic uint32_t refused; /* frames that would have opened one more */
};

#define NAT_TO_PROCESS (1u << 20) /* bytes of the rings */
#define NAT_FROM_PROCESS (1u << 20)
#define NAT_SOCKETS_MIN 64u
#define NAT_SOCKETS_MAX 1024u
#define NAT_LISTENERS_MAX 256u /* sockets that take connections for guests, beside those */

_Static_assert(NAT_TO_PROCESS / 2 > 2 * NET_FRAME_MAX, "a port's share holds the largest frames");

#endif

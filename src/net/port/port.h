/*
 * What a switch has of its own accord, besides the ports of its guests: how it
 * is configured.
 */
#ifndef NET_PORT_PORT_H
#define NET_PORT_PORT_H

#include <stdint.h>

#include "net/frame/frame.h"

enum switch_uplink { SWITCH_UPLINK_NONE, SWITCH_UPLINK_NAT };

struct switch_config {
	char name[NET_NAME_MAX];
	enum switch_uplink uplink;
	uint32_t address; /* IPv4 of the switch itself, host byte order; 0: no DHCP and no uplink */
	uint8_t prefix;	  /* 8..30, of the network that address is in */
};

#endif

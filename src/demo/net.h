/*
 * Ethernet, ARP, IPv4, ICMP echo and UDP. Addresses in host byte order.
 */
#ifndef DEMO_NET_H
#define DEMO_NET_H

#include "lib.h"

#define IP_BROADCAST 0xffffffffu
#define IP_ICMP 1
#define IP_TCP 6
#define IP_UDP 17
#define IP_PAYLOAD_MAX 1480u
#define UDP_PAYLOAD_MAX 1472u

#define PORT_ECHO 7
#define PORT_SINK 9
#define PORT_HTTP 80
#define PORT_HELLO 7000
#define PORT_TEXT 7001
#define PORT_TRANSFER 7007

struct net_address {
	uint32_t ip, mask, gateway; /* ip 0: none yet */
	const char *origin;         /* "DHCP", "link-local", "command line" */
};

struct net_counters {
	uint64_t bad; /* frames with wrong lengths or checksums */
	uint64_t sink_frames, sink_bytes, sink_first, sink_last; /* UDP port 9; ns */
	uint64_t echoes;                                         /* pings answered */
};

extern struct net_address net_address;
extern struct net_counters net_counters;

/* A frame from the card. */
void net_input(const uint8_t *frame, unsigned length);

/* Takes the address and tells the neighbours. */
void net_configure(uint32_t ip, uint32_t mask, uint32_t gateway, const char *origin);

/* The Internet checksum of data, with a sum of 16-bit words to begin with. */
uint16_t net_checksum(uint32_t sum, const uint8_t *data, unsigned length);

/* What the checksum of TCP and UDP begins with. */
uint32_t net_pseudo_sum(uint32_t from, uint32_t to, unsigned protocol, unsigned length);

/*
 * The payload of a new IPv4 packet, to be filled and sent by net_send(); NULL
 * when there is no room or the neighbour's MAC is not known yet (it is asked).
 */
uint8_t *net_packet(uint32_t to, unsigned protocol);
void net_send(unsigned length);

/* False when it could not be sent now. */
bool net_send_udp(uint32_t to, uint16_t from_port, uint16_t to_port, const void *data,
		  unsigned length);

typedef void net_udp_handler(uint32_t from, uint16_t from_port, const uint8_t *data,
			     unsigned length);

/* Calls handler for datagrams to that port, between tasks. */
void net_listen_udp(uint16_t port, net_udp_handler *handler);

/* Asks for the MAC of ip, known or not. */
void net_ask(uint32_t ip);

/* True when the next hop's MAC is known; the task waits up to timeout (ns). */
bool net_resolve(uint32_t ip, uint64_t timeout);

/* The MAC of the next hop; only after net_resolve(). */
bool net_mac_of(uint32_t ip, uint8_t mac[6]);

/* Sends an ARP probe for that address. */
void net_probe(uint32_t ip);

/* Whether an answer to the last net_probe() has come. */
bool net_probe_answered(void);

/* One echo request with size bytes of data; the task waits. False without an answer; rtt in ns. */
bool net_ping(uint32_t ip, unsigned sequence, unsigned size, uint64_t timeout, uint64_t *rtt);

/* Gets an address and keeps it: command line, DHCP, else link-local. */
void link_task(void *unused);

#endif

/* The decoders of the layers, which call each other. Pure; any thread. */
#ifndef NET_DECODE_PARTS_H
#define NET_DECODE_PARTS_H

#include <stdbool.h>

#include "net/decode/text.h"

void decode_arp(struct packet *packet);
void decode_ip4(struct packet *packet);
void decode_ip6(struct packet *packet);
void decode_lldp(struct packet *packet);
void decode_llc(struct packet *packet);

/* By number of protocol, from its header on; ttl is shown by echo. */
void decode_ip_protocol(struct packet *packet, unsigned protocol, unsigned ttl);
void decode_icmp4(struct packet *packet, unsigned ttl);
void decode_icmp6(struct packet *packet, unsigned ttl);
void decode_udp(struct packet *packet);
void decode_tcp(struct packet *packet);

/*
 * What UDP and TCP carry. true if the payload was recognised, and then it has
 * said everything.
 */
bool decode_udp_payload(struct packet *packet, unsigned from, unsigned to);
bool decode_tcp_payload(struct packet *packet, unsigned from, unsigned to);
void decode_dns(struct packet *packet, const char *protocol);
void decode_dhcp(struct packet *packet);

#endif

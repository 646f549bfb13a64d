/* The decoders of the layers, which call each other. Pure; any thread. */
#ifndef NET_DECODE_PARTS_H
#define NET_DECODE_PARTS_H

#include <stdbool.h>

#include "net/decode/text.h"

void decode_ip4(struct packet *packet);
void decode_ip6(struct packet *packet);

/*
 * What UDP and TCP carry. true if the payload was recognised, and then it has
 * said everything.
 */
bool decode_udp_payload(struct packet *packet, unsigned from, unsigned to);
bool decode_tcp_payload(struct packet *packet, unsigned from, unsigned to);

#endif

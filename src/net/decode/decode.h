/*
 * A packet in one line: from, to, protocol, summary. Pure; any thread.
 * The bytes are hostile.
 */
#ifndef NET_DECODE_DECODE_H
#define NET_DECODE_DECODE_H

#include <stddef.h>
#include <stdint.h>

struct packet_summary {
	char from[64], to[64]; /* the innermost addresses known, IP before MAC */
	char protocol[16];     /* "ARP", "ICMP", "TCP", "DHCP", ... */
	char text[192];	       /* "Who has 10.0.2.2? Tell 10.0.2.15"; printable ASCII only */
};

/*
 * data holds the first captured bytes of a frame of size bytes, from its
 * Ethernet header on. Always fills out with terminated strings.
 */
void packet_summarize(const uint8_t *data, size_t captured, size_t size,
		      struct packet_summary *out);

#endif

/* What is said of a packet in one line. */
#ifndef NET_DECODE_SUMMARY_H
#define NET_DECODE_SUMMARY_H

struct packet_summary {
	char from[64], to[64]; /* the innermost addresses known, IP before MAC */
	char protocol[16];     /* "ARP", "ICMP", "TCP", "DHCP", ... */
	char text[192];	       /* "Who has 10.0.2.2? Tell 10.0.2.15"; printable ASCII only */
};

#endif

/*
 * Whose conversation a packet belongs to, by its bytes. Pure; the bytes are
 * hostile.
 */
#ifndef TUI_MODEL_FLOW_H
#define TUI_MODEL_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flow {
	uint8_t mac_from[6], mac_to[6];
	bool vlan;	  /* tagged */
	unsigned version; /* of IP, or 0: none */
	uint8_t protocol; /* of IP */
	uint8_t from[16], to[16]; /* 4 or 16 bytes */
	bool ports;	  /* TCP or UDP, with its ports known */
	uint16_t from_port, to_port;

	/* Of TCP, with ports: */
	uint32_t sequence;
	uint8_t flags;
	size_t payload_at, payload_size; /* in the frame; it may be cut off */
};

#define FLOW_TCP 6
#define FLOW_UDP 17
#define FLOW_SYN 2u

/* false: that is no whole Ethernet header. */
bool flow_read(struct flow *flow, const uint8_t *data, size_t captured);

/* Whether two are of one conversation: 1, of its other way: -1, or not: 0. */
int flow_same(const struct flow *one, const struct flow *other);

#define FLOW_TEXT 320

/* A pcap-filter(7) expression that both ways of it match. */
void flow_filter(const struct flow *flow, char out[FLOW_TEXT]);

/* "10.0.2.15:1234", of who sends or who gets. */
void flow_end(const struct flow *flow, bool from, char out[64]);

#endif

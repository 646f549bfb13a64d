/*
 * A packet that is being decoded, and what is said of it. Pure; any thread.
 *
 * A packet is what is left of a frame from the current layer on. Each decoder
 * checks captured before it reads, names its protocol and says what it sees;
 * where bytes are missing it says so and stops.
 */
#ifndef NET_DECODE_TEXT_H
#define NET_DECODE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/decode/summary.h"

struct packet {
	const uint8_t *data;
	size_t captured; /* bytes that are in data */
	size_t size;     /* bytes that were on the wire; at least captured */
	unsigned depth;  /* packets inside packets so far */
	uint8_t ttl;     /* of the IP header around it */
	bool stream;     /* it came by TCP, so that a message may go on in the next segment */
	uint16_t from_port, to_port; /* of UDP, TCP and SCTP */
	struct packet_summary *out;
	struct sequence_table *sequences; /* or NULL: the numbers of TCP are as they are */
};

#define PACKET_DEPTH_MAX 16u /* VLAN tags and tunnels together */

/* The rows of a table of numbers and names. */
struct number_name {
	uint16_t number;
	const char *name;
};

/* The name of a number, or NULL. */
const char *name_find(const struct number_name *names, size_t count, unsigned number);
#define NAME_FIND(names, number) name_find(names, ARRAY_SIZE(names), number)

static inline bool packet_has(const struct packet *packet, size_t size)
{
	return packet->captured >= size;
}

/* Moves on to the next layer, size bytes further; size is at most captured. */
static inline void packet_skip(struct packet *packet, size_t size)
{
	packet->data += size;
	packet->captured -= size;
	packet->size -= size;
}

/* Cuts it off where its length field says that it ends. */
static inline void packet_limit(struct packet *packet, size_t size)
{
	if (packet->size > size)
		packet->size = size;
	if (packet->captured > size)
		packet->captured = size;
}

/* Whether one more packet may lie inside this one. */
static inline bool packet_nest(struct packet *packet)
{
	return packet->depth++ < PACKET_DEPTH_MAX;
}

/* Whether a message of size bytes ends in this segment, or must be said of it anyway. */
static inline bool packet_whole(const struct packet *packet, size_t size)
{
	return !packet->stream || size <= packet->size || packet->captured < packet->size;
}

void packet_protocol(const struct packet *packet, const char *name);

/* Appends to the text. format's strings are ours; bytes from the packet go to packet_quote(). */
void packet_say(const struct packet *packet, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Appends the name of the number, or "what number" if it has none. */
void packet_say_name(const struct packet *packet, const struct number_name *names, size_t count,
		     const char *what, unsigned number);
#define SAY_NAME(packet, names, what, number)                                                      \
	packet_say_name(packet, names, ARRAY_SIZE(names), what, number)

/* Appends bytes, the unprintable ones as '.'. */
void packet_quote(const struct packet *packet, const uint8_t *data, size_t size);

/* Appends the first line of what is left, at most max bytes. */
void packet_quote_line(const struct packet *packet, size_t max);

/* Says that bytes that should be here are not: not captured, or never there. true, as all is said.
 */
bool packet_cut(const struct packet *packet);

#define MAC_TEXT 18
#define IP4_TEXT 16
#define IP6_TEXT 46
const char *mac_text(const uint8_t *mac, char out[MAC_TEXT]);
const char *ip4_text(const uint8_t *address, char out[IP4_TEXT]);
const char *ip6_text(const uint8_t *address, char out[IP6_TEXT]);

#endif

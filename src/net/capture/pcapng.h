/*
 * Writes the blocks of a pcapng section (draft-ietf-opsawg-pcapng), in the
 * host's byte order, into memory. Pure; any thread. Each function returns the
 * block's size, a multiple of 4; the caller has provided the room.
 */
#ifndef NET_CAPTURE_PCAPNG_H
#define NET_CAPTURE_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/frame/frame.h"

#define PCAPNG_TEXT_MAX 4096u /* longer strings in options are cut */
#define PCAPNG_INTERFACE_MAX (3 * PCAPNG_TEXT_MAX + 128)
#define PCAPNG_PACKET_MAX(captured) ((captured) + 160u)
#define PCAPNG_NAMES_MAX 64u /* in one block */
#define PCAPNG_NAME_MAX 96u  /* with the zero */
#define PCAPNG_BLOCK_PACKET 6u

struct pcapng_interface {
	const char *name, *description;
	const uint8_t *mac;	/* NET_MAC_SIZE bytes, or NULL */
	const char *filter;	/* pcap-filter(7), or NULL */
	uint32_t snap;
};

struct pcapng_packet {
	uint32_t interface;
	uint64_t time_ns; /* since the epoch */
	uint32_t size, captured;
	const uint8_t *data;
	bool outbound;	       /* it left by the interface */
	uint64_t lost;	       /* since the last packet of that interface */
	const char *comment;   /* or NULL */
	const char *verdict;   /* or NULL: it was forwarded */
};

struct pcapng_statistics {
	uint32_t interface;
	uint64_t start_ns, end_ns, received, dropped;
	uint64_t accepted; /* by the filter */
};

struct pcapng_name {
	uint32_t address; /* IPv4, host byte order */
	char text[PCAPNG_NAME_MAX];
};

size_t pcapng_section(uint8_t *out, const char *application); /* at most PCAPNG_INTERFACE_MAX */
size_t pcapng_interface(uint8_t *out, const struct pcapng_interface *interface);
size_t pcapng_packet(uint8_t *out, const struct pcapng_packet *packet);
size_t pcapng_statistics(uint8_t *out, const struct pcapng_statistics *statistics); /* ≤ 128 */
/* Up to PCAPNG_NAMES_MAX names; at most PCAPNG_INTERFACE_MAX. */
size_t pcapng_names(uint8_t *out, const struct pcapng_name *names, unsigned count);

/* Type and size of the block at data, written by one of the above. */
void pcapng_block(const uint8_t *data, uint32_t *type, uint32_t *size);

#endif

/*
 * pcapng blocks: section header (draft-ietf-opsawg-pcapng §4.1), interface
 * description (§4.2), enhanced packet (§4.3), name resolution (§4.5), interface statistics (§4.6).
 */
#include "net/capture/pcapng.h"

#include <stddef.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/bytes.h"

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_NAMES 4u
#define BLOCK_STATISTICS 5u
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define LINKTYPE_ETHERNET 1u

#define OPTION_END 0
#define OPTION_COMMENT 1
#define SHB_OS 3
#define SHB_APPLICATION 4
#define IF_NAME 2
#define IF_DESCRIPTION 3
#define IF_MAC 6
#define IF_TSRESOL 9
#define IF_FILTER 11
#define EPB_FLAGS 2
#define EPB_DROPCOUNT 4
#define EPB_VERDICT 7
#define VERDICT_HARDWARE 0 /* what follows is the vendor's */
#define NRB_IPV4 1
#define ISB_START 2
#define ISB_END 3
#define ISB_RECEIVED 4
#define ISB_DROPPED 5
#define ISB_ACCEPTED 6

#define VERDICT_MAX 24u

#define FLAGS_INBOUND 1u
#define FLAGS_OUTBOUND 2u
#define FLAGS_UNICAST (1u << 2)
#define FLAGS_MULTICAST (2u << 2)
#define FLAGS_BROADCAST (3u << 2)

static uint8_t *put(uint8_t *at, const void *data, size_t size)
{
	memcpy(at, data, size);
	return at + size;
}

static uint8_t *put16(uint8_t *at, uint16_t value)
{
	return put(at, &value, sizeof(value));
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
	return put(at, &value, sizeof(value));
}

static uint8_t *put_time(uint8_t *at, uint64_t ns)
{
	return put32(put32(at, (uint32_t)(ns >> 32)), (uint32_t)ns);
}

static uint8_t *pad(uint8_t *at, size_t size)
{
	static const uint8_t zeros[4];

	return put(at, zeros, -size & 3);
}

static uint8_t *option(uint8_t *at, uint16_t code, const void *data, size_t size)
{
	at = put16(put16(at, code), (uint16_t)size);
	return pad(put(at, data, size), size);
}

static uint8_t *option_text(uint8_t *at, uint16_t code, const char *text)
{
	size_t size = text ? strlen(text) : 0;

	return size ? option(at, code, text, size < PCAPNG_TEXT_MAX ? size : PCAPNG_TEXT_MAX) : at;
}

static uint8_t *option_count(uint8_t *at, uint16_t code, uint64_t count)
{
	return option(at, code, &count, sizeof(count));
}

static uint8_t *begin(uint8_t *out, uint32_t type)
{
	return put32(out, type) + 4;
}

/* Ends the options and the block, whose size goes to both of its ends. */
static size_t finish(uint8_t *out, uint8_t *at)
{
	uint32_t size;

	at = put32(at, OPTION_END);
	size = (uint32_t)(at + 4 - out);
	put32(at, size);
	put32(out + 4, size);
	return size;
}

size_t pcapng_section(uint8_t *out, const char *application)
{
	uint8_t *at = begin(out, BLOCK_SECTION);
	struct utsname system;
	char os[sizeof(system.sysname) + sizeof(system.release) + 1];

	at = put16(put16(put32(at, BYTE_ORDER_MAGIC), 1), 0);
	at = put32(put32(at, UINT32_MAX), UINT32_MAX); /* length of the section: unknown */
	if (!uname(&system)) {
		size_t name = strlen(system.sysname);

		memcpy(os, system.sysname, name);
		os[name] = ' ';
		memcpy(os + name + 1, system.release, strlen(system.release) + 1);
		at = option_text(at, SHB_OS, os);
	}
	return finish(out, option_text(at, SHB_APPLICATION, application));
}

size_t pcapng_interface(uint8_t *out, const struct pcapng_interface *interface)
{
	uint8_t *at = begin(out, BLOCK_INTERFACE), nanoseconds = 9;
	char filter[PCAPNG_TEXT_MAX + 1];

	at = put32(put16(put16(at, LINKTYPE_ETHERNET), 0), interface->snap);
	at = option_text(at, IF_NAME, interface->name);
	at = option_text(at, IF_DESCRIPTION, interface->description);
	if (interface->mac)
		at = option(at, IF_MAC, interface->mac, NET_MAC_SIZE);
	at = option(at, IF_TSRESOL, &nanoseconds, 1);
	if (interface->filter) {
		size_t size = strlen(interface->filter);

		if (size > PCAPNG_TEXT_MAX)
			size = PCAPNG_TEXT_MAX;
		filter[0] = 0; /* the kind: a libpcap expression */
		memcpy(filter + 1, interface->filter, size);
		at = option(at, IF_FILTER, filter, size + 1);
	}
	return finish(out, at);
}

/* A packet's block up to its data, and, in most of them, from its data on. */
struct packet_head {
	uint32_t type, block_size, interface, time_high, time_low, captured, size;
};

struct packet_tail {
	uint16_t flags_code, flags_size;
	uint32_t flags, end, block_size;
};

static uint32_t packet_flags(const struct pcapng_packet *packet)
{
	uint32_t first, direction = packet->outbound ? FLAGS_OUTBOUND : FLAGS_INBOUND;
	uint16_t last;

	if (packet->captured < NET_MAC_SIZE)
		return direction;
	if (!(packet->data[0] & 1))
		return direction | FLAGS_UNICAST;
	memcpy(&first, packet->data, sizeof(first));
	memcpy(&last, packet->data + sizeof(first), sizeof(last));
	return direction |
	       (first == UINT32_MAX && last == UINT16_MAX ? FLAGS_BROADCAST : FLAGS_MULTICAST);
}

static void put_data(uint8_t *to, const uint8_t *data, size_t size)
{
	if (size <= NET_HEAD_MAX)
		net_head_copy(to, data, size);
	else
		memcpy(to, data, size);
}

/* Its first byte says whose verdict it is; for a switch there is nothing better than its word. */
static uint8_t *option_verdict(uint8_t *at, const char *verdict)
{
	uint8_t text[VERDICT_MAX + 1] = { VERDICT_HARDWARE };
	size_t size = strnlen(verdict, VERDICT_MAX);

	memcpy(text + 1, verdict, size);
	return option(at, EPB_VERDICT, text, size + 1);
}

size_t pcapng_packet(uint8_t *out, const struct pcapng_packet *packet)
{
	uint32_t padded = (packet->captured + 3) & ~3u;
	struct packet_head head = {
		.type = PCAPNG_BLOCK_PACKET,
		.block_size = (uint32_t)(sizeof(head) + padded + sizeof(struct packet_tail)),
		.interface = packet->interface,
		.time_high = (uint32_t)(packet->time_ns >> 32),
		.time_low = (uint32_t)packet->time_ns,
		.captured = packet->captured,
		.size = packet->size,
	};
	struct packet_tail tail = {
		.flags_code = EPB_FLAGS,
		.flags_size = sizeof(tail.flags),
		.flags = packet_flags(packet),
		.end = OPTION_END,
		.block_size = head.block_size,
	};
	uint8_t *at = out + sizeof(head) + padded;

	memcpy(out, &head, sizeof(head));
	if (padded != packet->captured)
		memset(at - 4, 0, 4);
	put_data(out + sizeof(head), packet->data, packet->captured);
	memcpy(at, &tail, sizeof(tail));
	if (!packet->lost && !packet->comment && !packet->verdict)
		return head.block_size;
	at += offsetof(struct packet_tail, end);
	if (packet->lost)
		at = option_count(at, EPB_DROPCOUNT, packet->lost);
	if (packet->verdict)
		at = option_verdict(at, packet->verdict);
	return finish(out, option_text(at, OPTION_COMMENT, packet->comment));
}

static uint8_t *option_time(uint8_t *at, uint16_t code, uint64_t ns)
{
	return put_time(put16(put16(at, code), 8), ns);
}

size_t pcapng_statistics(uint8_t *out, const struct pcapng_statistics *statistics)
{
	uint8_t *at = begin(out, BLOCK_STATISTICS);

	at = put_time(put32(at, statistics->interface), statistics->end_ns);
	at = option_time(at, ISB_START, statistics->start_ns);
	at = option_time(at, ISB_END, statistics->end_ns);
	at = option_count(at, ISB_RECEIVED, statistics->received);
	at = option_count(at, ISB_DROPPED, statistics->dropped);
	return finish(out, option_count(at, ISB_ACCEPTED, statistics->accepted));
}

size_t pcapng_names(uint8_t *out, const struct pcapng_name *names, unsigned count)
{
	uint8_t *at = begin(out, BLOCK_NAMES), record[4 + PCAPNG_NAME_MAX] = { 0 };

	for (unsigned i = 0; i < count && i < PCAPNG_NAMES_MAX; i++) {
		size_t size = strnlen(names[i].text, PCAPNG_NAME_MAX - 1);

		put_be32(record, names[i].address);
		memcpy(record + 4, names[i].text, size);
		record[4 + size] = 0;
		at = option(at, NRB_IPV4, record, 4 + size + 1);
	}
	return finish(out, put32(at, 0)); /* the end of the records, then of the options */
}

void pcapng_block(const uint8_t *data, uint32_t *type, uint32_t *size)
{
	memcpy(type, data, sizeof(*type));
	memcpy(size, data + 4, sizeof(*size));
}

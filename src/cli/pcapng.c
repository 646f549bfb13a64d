/*
 * See pcapng.h. draft-ietf-opsawg-pcapng § 3.1 block structure, § 4.1 section header, § 4.3
 * enhanced packets, § 4.6 interface statistics; draft-ietf-opsawg-pcap § 4 and § 5 classic pcap.
 */
#include "cli/pcapng.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define BLOCK_MIN 12u
#define SECTION_MIN 28u
#define PACKET_MIN 32u
#define STATISTICS_MIN 24u
#define BLOCK_INTERFACE 1u
#define BLOCK_NAMES 4u
#define BLOCK_STATISTICS 5u
#define BLOCK_PACKET 6u
#define BLOCK_SECRETS 10u
#define BLOCK_SECTION 0x0a0d0d0au

#define OPTION_END 0u
#define OPTION_DROPCOUNT 4u /* of a packet */
#define OPTION_IFDROP 5u
#define OPTION_OSDROP 7u
#define OPTION_USRDELIV 8u

#define PCAP_MAGIC 0xa1b23c4du /* stamps are in nanoseconds */
#define PCAP_HEADER 24u
#define PCAP_RECORD 16u
#define PCAP_SNAP 262144u /* as tcpdump(1) says of whole packets */
#define LINKTYPE_ETHERNET 1u

static uint32_t get32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t get64(const uint8_t *at)
{
	return get32(at) | (uint64_t)get32(at + 4) << 32;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
	return at + sizeof(value);
}

static size_t least_size(uint32_t type)
{
	switch (type) {
	case BLOCK_SECTION:
		return SECTION_MIN;
	case BLOCK_PACKET:
		return PACKET_MIN;
	case BLOCK_STATISTICS:
		return STATISTICS_MIN;
	default:
		return BLOCK_MIN;
	}
}

size_t pcapng_block_size(const uint8_t *data, size_t size)
{
	uint32_t length;

	if (size < 8)
		return 0;
	length = get32(data + 4);
	if (length < least_size(get32(data)) || length > PCAPNG_BLOCK_MAX || length % 4)
		return SIZE_MAX;
	return length;
}

enum pcapng_kind pcapng_block_kind(const uint8_t *block)
{
	return get32(block) == BLOCK_PACKET ? PCAPNG_PACKET : PCAPNG_OTHER;
}

/* The sum of an option's 64-bit values in a block whose options are from at on. */
static uint64_t sum_option(const uint8_t *block, size_t size, size_t at, unsigned wanted)
{
	size_t end = size - 4;
	uint64_t sum = 0;

	while (at + 4 <= end) {
		unsigned code = block[at] | block[at + 1] << 8;
		size_t length = block[at + 2] | (size_t)block[at + 3] << 8;

		if (code == OPTION_END || length > end - at - 4)
			break;
		if (code == wanted && length == 8)
			sum += get64(block + at + 4);
		at += 4 + ((length + 3) & ~(size_t)3);
	}
	return sum;
}

static void take_statistics(struct pcapng_shape *shape, const uint8_t *block, size_t size)
{
	struct pcapng_interface_counts *counts;
	uint32_t number = get32(block + 8);
	uint64_t lost;

	if (number >= PCAPNG_INTERFACES_MAX)
		return;
	counts = &shape->interfaces[number];
	lost = sum_option(block, size, 20, OPTION_IFDROP) +
	       sum_option(block, size, 20, OPTION_OSDROP);
	shape->dropped += lost - counts->lost;
	counts->lost = lost;
}

/* The bytes of a packet that are there, or SIZE_MAX: it lies about them. */
static size_t captured_of(const uint8_t *block, size_t size)
{
	uint32_t captured = get32(block + 20);

	return captured <= size - PACKET_MIN ? captured : SIZE_MAX;
}

static void take_packet(struct pcapng_shape *shape, const uint8_t *block, size_t size)
{
	struct pcapng_interface_counts *counts;
	uint32_t number = get32(block + 8);
	size_t captured = captured_of(block, size);

	if (number >= PCAPNG_INTERFACES_MAX)
		return;
	counts = &shape->interfaces[number];
	counts->packets++;
	counts->end = (uint64_t)get32(block + 12) << 32 | get32(block + 16);
	if (captured != SIZE_MAX)
		counts->told += sum_option(block, size, 28 + ((captured + 3) & ~(size_t)3),
					   OPTION_DROPCOUNT);
}

/* Without memory for it, later files lack it. */
/* Packets say by number which interface is theirs, so what comes of others leaves room for these. */
static void keep(struct pcapng_shape *shape, const uint8_t *data, size_t size, bool extra)
{
	size_t need = shape->head_size + size;
	uint8_t *more;

	if (need > (extra ? PCAPNG_EXTRA_MAX : PCAPNG_HEAD_MAX))
		return;
	if (need > shape->head_room) {
		more = realloc(shape->head, need * 2);
		if (!more)
			return;
		shape->head = more;
		shape->head_room = need * 2;
	}
	memcpy(shape->head + shape->head_size, data, size);
	shape->head_size = need;
}

static size_t pcap_header(uint8_t *out)
{
	uint8_t *at = put32(out, PCAP_MAGIC);

	at = put32(at, 2 | 4u << 16); /* the version */
	at = put32(put32(at, 0), 0);
	put32(put32(at, PCAP_SNAP), LINKTYPE_ETHERNET);
	return PCAP_HEADER;
}

static size_t pcap_record(uint8_t *out, const uint8_t *block, size_t size)
{
	uint64_t time = (uint64_t)get32(block + 12) << 32 | get32(block + 16);
	uint32_t original = get32(block + 24);
	size_t captured = captured_of(block, size);
	uint8_t *at;

	if (captured == SIZE_MAX)
		return 0;
	at = put32(put32(out, (uint32_t)(time / NS_PER_S)), (uint32_t)(time % NS_PER_S));
	at = put32(put32(at, (uint32_t)captured), original);
	memmove(at, block + 28, captured);
	return PCAP_RECORD + captured;
}

static size_t to_classic(uint8_t *out, const uint8_t *block, size_t size)
{
	switch (get32(block)) {
	case BLOCK_SECTION:
		return pcap_header(out);
	case BLOCK_PACKET:
		return pcap_record(out, block, size);
	default:
		return 0;
	}
}

void pcapng_shape_skip(struct pcapng_shape *shape)
{
	shape->packets++;
}

size_t pcapng_shape_block(struct pcapng_shape *shape, uint8_t *out, const uint8_t *block,
			  size_t size)
{
	uint32_t type = get32(block);

	if (type == BLOCK_PACKET) {
		shape->packets++;
		take_packet(shape, block, size);
	} else if (type == BLOCK_STATISTICS) {
		take_statistics(shape, block, size);
	} else if (type == BLOCK_INTERFACE && shape->interface_count < PCAPNG_INTERFACES_MAX) {
		shape->interface_count++;
	}
	if (shape->classic) {
		size = to_classic(out, block, size);
	} else if (out != block) {
		memmove(out, block, size);
	}
	if (type == BLOCK_SECTION ||
	    (!shape->classic &&
	     (type == BLOCK_INTERFACE || type == BLOCK_NAMES || type == BLOCK_SECRETS)))
		keep(shape, out, size, type == BLOCK_NAMES || type == BLOCK_SECRETS);
	return size;
}

static uint8_t *option_count(uint8_t *at, uint32_t code, uint64_t value)
{
	at = put32(at, code | 8u << 16);
	memcpy(at, &value, sizeof(value));
	return at + sizeof(value);
}

size_t pcapng_shape_tail(const struct pcapng_shape *shape, uint8_t *out)
{
	uint8_t *at = out;

	if (shape->classic)
		return 0;
	for (unsigned i = 0; i < shape->interface_count; i++) {
		const struct pcapng_interface_counts *counts = &shape->interfaces[i];
		uint8_t *block = at;
		uint32_t size;

		at = put32(put32(put32(at, BLOCK_STATISTICS), 0), i);
		at = put32(put32(at, (uint32_t)(counts->end >> 32)), (uint32_t)counts->end);
		at = option_count(at, OPTION_IFDROP, counts->told);
		at = put32(option_count(at, OPTION_USRDELIV, counts->packets), OPTION_END);
		size = (uint32_t)(at + 4 - block);
		at = put32(at, size);
		put32(block + 4, size);
	}
	return (size_t)(at - out);
}

/* The size of what data begins with and whether that is a packet; more than is there: unknown. */
static size_t unit(const struct pcapng_shape *shape, const uint8_t *data, size_t size,
		   bool *packet)
{
	if (!shape->classic) {
		*packet = size >= 8 && pcapng_block_kind(data) == PCAPNG_PACKET;
		return size >= 8 ? get32(data + 4) : SIZE_MAX;
	}
	*packet = true;
	return size >= PCAP_RECORD ? PCAP_RECORD + (size_t)get32(data + 8) : SIZE_MAX;
}

uint64_t pcapng_shape_whole(const struct pcapng_shape *shape, const uint8_t *data, size_t written,
			    bool begins, size_t *whole)
{
	size_t at = shape->classic && begins ? PCAP_HEADER : 0;
	uint64_t packets = 0;

	*whole = 0;
	while (at <= written) {
		bool packet;
		size_t size;

		*whole = at;
		size = unit(shape, data + at, written - at, &packet);
		if (size > written - at || !size)
			break;
		packets += packet;
		at += size;
	}
	return packets;
}

void pcapng_shape_destroy(struct pcapng_shape *shape)
{
	free(shape->head);
	shape->head = NULL;
	shape->head_size = shape->head_room = 0;
}

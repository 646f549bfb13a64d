/*
 * Counts packets and drops in a pcapng stream (draft-ietf-opsawg-pcapng
 * § 3.1 block structure, § 4.3 enhanced packets, § 4.6 interface statistics).
 */
#include "cli/pcapng.h"

#include <string.h>

#define BLOCK_MIN 12u
#define BLOCK_MAX (16u << 20)
#define BLOCK_PACKET 6u
#define BLOCK_STATISTICS 5u
#define OPTION_END 0u
#define OPTION_IFDROP 5u
#define OPTION_OSDROP 7u

static uint32_t get32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t get64(const uint8_t *at)
{
	return get32(at) | (uint64_t)get32(at + 4) << 32;
}

/* Interface number, time stamp, options, and the length once more. */
static void count_drops(struct pcapng_counter *counter)
{
	size_t size = counter->length - 8, at = 12;
	uint32_t interface = get32(counter->body);
	uint64_t lost = 0;

	size = size < sizeof(counter->body) ? size : sizeof(counter->body);
	if (interface >= PCAPNG_INTERFACES_MAX)
		return;
	while (at + 4 <= size) {
		unsigned code = counter->body[at] | counter->body[at + 1] << 8;
		size_t length = counter->body[at + 2] | (size_t)counter->body[at + 3] << 8;

		if (code == OPTION_END || length > size - at - 4)
			break;
		if ((code == OPTION_IFDROP || code == OPTION_OSDROP) && length == 8)
			lost += get64(counter->body + at + 4);
		at += 4 + ((length + 3) & ~(size_t)3);
	}
	counter->dropped += lost - counter->lost[interface];
	counter->lost[interface] = lost;
}

static void end_block(struct pcapng_counter *counter)
{
	if (counter->type == BLOCK_PACKET)
		counter->packets++;
	else if (counter->type == BLOCK_STATISTICS && counter->length >= 24)
		count_drops(counter);
	counter->seen = 0;
	counter->whole = counter->bytes;
}

static size_t take_head(struct pcapng_counter *counter, const uint8_t *data, size_t size)
{
	size_t n = sizeof(counter->head) - counter->seen;

	n = n < size ? n : size;
	memcpy(counter->head + counter->seen, data, n);
	counter->seen += n;
	counter->bytes += n;
	if (counter->seen < sizeof(counter->head))
		return n;
	counter->type = get32(counter->head);
	counter->length = get32(counter->head + 4);
	counter->broken = counter->length < BLOCK_MIN || counter->length > BLOCK_MAX ||
			  counter->length % 4 != 0;
	return n;
}

static size_t take_body(struct pcapng_counter *counter, const uint8_t *data, size_t size)
{
	size_t n = counter->length - counter->seen, at = counter->seen - sizeof(counter->head);

	n = n < size ? n : size;
	if (counter->type == BLOCK_STATISTICS && at < sizeof(counter->body)) {
		size_t room = sizeof(counter->body) - at;

		memcpy(counter->body + at, data, n < room ? n : room);
	}
	counter->seen += n;
	counter->bytes += n;
	if (counter->seen == counter->length)
		end_block(counter);
	return n;
}

void pcapng_count(struct pcapng_counter *counter, const uint8_t *data, size_t size)
{
	size_t n;

	while (size && !counter->broken) {
		if (counter->seen < sizeof(counter->head))
			n = take_head(counter, data, size);
		else
			n = take_body(counter, data, size);
		data += n;
		size -= n;
	}
	counter->bytes += size;
}

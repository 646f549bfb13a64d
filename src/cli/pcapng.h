/*
 * A capture as the deck sends it, pcapng block by block, and as it becomes files: what each of
 * them begins and ends with, as pcapng or as classic pcap. Pure; any thread.
 */
#ifndef CLI_PCAPNG_H
#define CLI_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCAPNG_BLOCK_MAX (128u * 1024) /* a longer block is none of the deck's */
#define PCAPNG_HEAD_MAX (1024u * 1024) /* bytes that every file begins with, */
#define PCAPNG_EXTRA_MAX (768u * 1024) /* with names and secrets up to there */
#define PCAPNG_INTERFACES_MAX 1024
#define PCAPNG_TAIL_SIZE(interfaces) ((interfaces) * 52u)

enum pcapng_kind { PCAPNG_OTHER, PCAPNG_PACKET };

struct pcapng_interface_counts {
	uint64_t packets; /* of those that were taken */
	uint64_t told;	  /* lost, as packets said, whose statistics have not come yet */
	uint64_t lost;	  /* as its statistics said: a later block replaces a former */
	uint64_t end;	  /* time of its latest packet */
};

/* All zero at first, but for what says otherwise. */
struct pcapng_shape {
	bool classic;  /* the caller's: classic pcap, with nanoseconds */
	uint64_t packets; /* that came */
	uint64_t dropped; /* by the statistics that came */
	uint8_t *head;	  /* what every file begins with, so far */
	size_t head_size, head_room;
	unsigned interface_count;
	struct pcapng_interface_counts interfaces[PCAPNG_INTERFACES_MAX];
};

/*
 * The size of the block that data begins with, also if size is less; 0: it cannot be told yet;
 * SIZE_MAX: that is no pcapng of a deck. It is little-endian.
 */
size_t pcapng_block_size(const uint8_t *data, size_t size);

enum pcapng_kind pcapng_block_kind(const uint8_t *block);

/*
 * Counts the whole block of that size and writes what of it goes into the file to out, which has
 * room for as much and may be the block's own place, or lie before it. Returns how much that is.
 */
size_t pcapng_shape_block(struct pcapng_shape *shape, uint8_t *out, const uint8_t *block,
			  size_t size);

/* A packet came that is to be in no file: it is counted as one that came, no more. */
void pcapng_shape_skip(struct pcapng_shape *shape);

/*
 * What a file ends with while the capture goes on: how many packets of each interface were taken
 * and are known to be lost, up to there. out has PCAPNG_TAIL_SIZE(interface_count) bytes.
 */
size_t pcapng_shape_tail(const struct pcapng_shape *shape, uint8_t *out);

/*
 * Of the first written bytes of what was shaped: how many packets are whole, and in *whole up to
 * where they and other blocks are. begins: it is the beginning of a file.
 */
uint64_t pcapng_shape_whole(const struct pcapng_shape *shape, const uint8_t *data, size_t written,
			    bool begins, size_t *whole);

void pcapng_shape_destroy(struct pcapng_shape *shape);

#endif

/* Counts what a pcapng stream holds while it passes. */
#ifndef CLI_PCAPNG_H
#define CLI_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCAPNG_STATISTICS_MAX 512 /* bytes of a statistics block that are looked at */
#define PCAPNG_INTERFACES_MAX 1024

struct pcapng_counter {
	uint64_t packets; /* whole packet blocks so far */
	uint64_t dropped; /* by the statistics blocks so far */
	uint64_t bytes;	  /* so far */
	uint64_t whole;	  /* of them, up to the end of the last whole block */
	bool broken;	  /* not pcapng; counting has ended */

	uint8_t head[8];   /* of the block that is coming */
	size_t seen;	   /* bytes of it so far */
	uint32_t type, length;
	uint8_t body[PCAPNG_STATISTICS_MAX]; /* after the head, of a statistics block */
	uint64_t lost[PCAPNG_INTERFACES_MAX]; /* by interface: a later block replaces a former */
};

/* All zero at first. Takes the stream in pieces of any size; it must be little-endian. */
void pcapng_count(struct pcapng_counter *counter, const uint8_t *data, size_t size);

#endif

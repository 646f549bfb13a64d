/*
 * Passes a capture on from the deck to a file, to one file after the other, to a
 * pipe or a socket, until it ends, has what it was to have, or a signal ends it.
 * Never waits for a reader but in poll(), so that a signal always gets through.
 * Main thread.
 */
#ifndef CLI_PCAPNG_COPY_H
#define CLI_PCAPNG_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/capture_files.h"
#include "cli/capture_limits.h"
#include "cli/pcapng.h"
#include "cli/tls_keys.h"

#define PCAPNG_COPY_ROOM (4 * PCAPNG_BLOCK_MAX)

struct pcapng_copy {
	int from;    /* the deck, a socket whose writing side is shut down to end the capture */
	int to;	     /* not from; blocking or not; -1 while there is no next file */
	int signals; /* of signals_open() */
	const uint8_t *next; /* what came from the deck before */
	size_t left;
	struct capture_limits limits;
	struct capture_files *files; /* of which to is the first, if there are to be several */
	struct tls_keys keys; /* what comes of them stands before the next packets */

	/* How it ended. */
	uint64_t captured; /* packets written in whole */
	uint64_t dropped;  /* those that the deck counts, and those that found no room in to */
	bool interrupted;  /* by a signal */
	bool stopped;	   /* it has what it was to have */
	bool cut;	   /* the last packet is there in part and stays so */
	bool nothing;	   /* to is a file without a single block of it */
	int error;	   /* of writing, positive; ETIMEDOUT: the reader took nothing */
	bool deck_gone;	   /* it ended the capture, or itself, uncalled */
	bool broken;	   /* what it sent was no pcapng */

	/* Its own. */
	struct pcapng_shape shape; /* classic is the caller's */
	bool regular, ended;
	bool full;	       /* no further packet is wanted */
	bool turning, naming;  /* the file is to end, the next is to begin */
	int64_t base;	       /* regular: where in the file the capture begins */
	uint64_t bytes, packets; /* written to this file, with what is out for it */
	uint64_t beyond;       /* packets that came after the last that was wanted */
	uint64_t stop_time, turn_time; /* CLOCK_MONOTONIC, ns; UINT64_MAX: never */
	const uint8_t *out;    /* what is to be written: whole blocks, */
	size_t out_size, out_done; /* and how much of it has been */
	size_t at, end;	       /* data from at to end is not looked at yet */
	uint8_t *tail;	       /* of a file that is not the last */
	uint8_t data[PCAPNG_COPY_ROOM];
};

/*
 * Opens a file for a capture. What it holds is overwritten, and a FIFO without a reader is
 * waited for, with a sentence on stderr. 0, *to, and in *made whether the file was not there;
 * a negative errno; -EINTR: a signal ended the wait, -ECONNRESET: the deck.
 */
int pcapng_copy_open(const struct pcapng_copy *copy, const char *name, int *to, bool *made);

/*
 * Copies; from, to, signals, next, left, limits, files and keys are set, the rest is zero. A regular
 * file ends with a whole block, whatever happened. to stays open.
 */
void pcapng_copy_run(struct pcapng_copy *copy);

#endif

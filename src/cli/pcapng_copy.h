/*
 * Passes a capture on from the deck to a file, a pipe or a socket, until it ends
 * or a signal ends it. Never waits for a reader but in poll(), so that a signal
 * always gets through. Main thread.
 */
#ifndef CLI_PCAPNG_COPY_H
#define CLI_PCAPNG_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/pcapng.h"

struct pcapng_copy {
	int from;    /* the deck, a socket whose writing side is shut down to end the capture */
	int to;	     /* not from; blocking or not */
	int signals; /* of signals_open() */
	const uint8_t *next; /* what came from the deck and is not written yet */
	size_t left;

	/* How it ended. */
	uint64_t captured; /* packets written in whole */
	uint64_t dropped;  /* those that the deck counts, and those that found no room in to */
	bool interrupted;  /* by a signal */
	bool cut;	   /* the last packet is there in part and stays so */
	bool nothing;	   /* to is a file without a single block of it */
	int error;	   /* of writing, positive; ETIMEDOUT: the reader took nothing */
	bool deck_gone;	   /* it ended the capture, or itself, uncalled */

	/* Its own. */
	struct pcapng_counter counter;
	bool regular, ended;
	int64_t base; /* regular: where in the file the capture begins */
	uint8_t data[65536];
};

/*
 * Opens a file for a capture. What it holds is overwritten, and a FIFO without a reader is
 * waited for, with a sentence on stderr. 0, *to, and in *made whether the file was not there;
 * a negative errno; -EINTR: a signal ended the wait, -ECONNRESET: the deck.
 */
int pcapng_copy_open(const struct pcapng_copy *copy, const char *name, int *to, bool *made);

/*
 * Copies; from, to, signals, next and left are set, the rest is zero. A regular file ends
 * with a whole block, whatever happened. to stays open.
 */
void pcapng_copy_run(struct pcapng_copy *copy);

#endif

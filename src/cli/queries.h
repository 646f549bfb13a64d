/*
 * What a guest's output asks of the terminal that it is written to: left out of old
 * output, since the answer would be typed into a guest that asked long ago; noted of
 * what is new. Pure; any bytes.
 */
#ifndef CLI_QUERIES_H
#define CLI_QUERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/control_sequence.h"

#define QUERIES_HELD_MAX 1024u /* a longer sequence of old output is left out */

struct queries {
	uint64_t old; /* bytes that are still to come of old output */
	bool asked;   /* in what came after them */
	bool lost;    /* the sequence under way is too long */
	bool closing; /* a string is held, and the ESC of what may be its end */
	bool asks;    /* that string does */
	struct control_sequence sequence;
	size_t held_size;
	uint8_t held[QUERIES_HELD_MAX]; /* of the sequence under way in old output */
};

/*
 * Begins as zeros but for old. Writes to out, which has room for size and
 * QUERIES_HELD_MAX more, what is to go on to the terminal; how many bytes.
 */
size_t queries_pass(struct queries *queries, uint8_t *out, const uint8_t *data, size_t size);

#endif

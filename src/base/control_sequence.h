/*
 * Finds the control sequences in what a terminal is given: ECMA-48 § 5.4 to 5.6, in
 * UTF-8, with xterm's strings. Pure; any bytes.
 */
#ifndef BASE_CONTROL_SEQUENCE_H
#define BASE_CONTROL_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

#define CONTROL_SEQUENCE_VALUES 32

/* Begins as zeros. What is under way, and, until the next byte, what has just come to its end. */
struct control_sequence {
	unsigned state;
	uint8_t kind;	      /* what follows ESC: '[' for CSI, ']' for OSC; 0: ESC and its final */
	uint8_t marker;	      /* CSI: '<' to '?', or 0 */
	uint8_t intermediate; /* the last one, ' ' to '/', or 0 */
	uint8_t final;	      /* 0: none yet, or a string */
	uint8_t missing;      /* bytes of a character */
	bool lead;	      /* the last byte was C2: a C1 control may follow */
	bool asks;	      /* a string: there is a '?' in it */
	unsigned count;	      /* of values: those given, and at least 1 */
	uint32_t values[CONTROL_SEQUENCE_VALUES]; /* CSI, OSC's first; 0 what is left out */
};

enum sequence_step {
	SEQUENCE_NONE,	/* the byte belongs to no sequence; one under way is broken off */
	SEQUENCE_BEGUN,	/* it is the first of one; a string under way has ended */
	SEQUENCE_GOES_ON,
	SEQUENCE_WHOLE,	/* it is the last one */
};

/* The next byte. A string that ESC ends is whole without a step of its own. */
enum sequence_step control_sequence_next(struct control_sequence *sequence, uint8_t byte);

/* Whether a string is under way. */
bool control_sequence_in_string(const struct control_sequence *sequence);

#endif

/*
 * What stands between a guest's console and libvterm: it knows where a control
 * sequence ends and gives on whole ones only, those within bounds. Pure; one
 * thread at a time.
 */
#ifndef TUI_CONSOLE_SEQUENCE_GUARD_H
#define TUI_CONSOLE_SEQUENCE_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEQUENCE_PARAMETERS_MAX 16 /* of a CSI sequence */
#define SEQUENCE_VALUE_MAX 65535   /* of a parameter; xterm's bound */
#define SEQUENCE_MAX 128           /* bytes of a sequence that passes, its string included */
#define SEQUENCE_LOST 65536        /* bytes after which one without an end is over */
#define SEQUENCE_MARKS_MAX 5       /* marks that combine with one character */

struct sequence_guard {
	void (*output)(const uint8_t *data, size_t size, void *arg);
	void *arg;
	unsigned state;
	bool repeatable;      /* the last character is one that REP may repeat */
	unsigned marks;       /* since the last character */
	uint32_t character;   /* its bits so far */
	unsigned missing;     /* bytes of it */
	bool refused;         /* the sequence will be dropped */
	bool plain;           /* CSI: neither a private marker nor an intermediate byte */
	uint8_t marker;       /* CSI: the private one, or 0, */
	uint8_t intermediate; /* and the intermediate byte; 0xff when there are several */
	uint8_t introducer;   /* what follows ESC */
	unsigned parameters;  /* CSI: begun */
	uint32_t first;       /* value of the first one, */
	uint32_t value;       /* and of the last one */
	bool names_cursor_keys; /* CSI: one of them is 1 */
	bool cursor_keys;     /* DECCKM is set */
	uint32_t rows, columns;
	size_t size;          /* of the sequence so far */
	const uint8_t *run;   /* in the input: first byte that was not given on */
	const uint8_t *begin; /* of the sequence in the input; NULL: it is in held[] */
	size_t held_size;
	uint8_t held[SEQUENCE_MAX];
};

/* output gets what passes, inside sequence_guard_input(); each time whole sequences. */
void sequence_guard_init(struct sequence_guard *guard,
			 void (*output)(const uint8_t *data, size_t size, void *arg), void *arg);

/* The size of the terminal behind it, from then on. */
void sequence_guard_resize(struct sequence_guard *guard, uint32_t rows, uint32_t columns);

/*
 * Bytes that a guest printed; a sequence or a character may be split anywhere.
 * They pass as they are, but for these, which would break libvterm:
 *
 * - A CSI sequence of more than SEQUENCE_PARAMETERS_MAX parameters, or with a
 *   value above SEQUENCE_VALUE_MAX, is dropped, and so is one that is malformed.
 * - What scrolls, inserts, deletes, erases or repeats more lines or characters than
 *   there are does so with as many as there are.
 * - REP is dropped if the last character is not known to be narrow.
 * - Of strings OSC of up to SEQUENCE_MAX bytes pass, and the DECRQSS that libvterm
 *   answers. DCS else, SOS, PM and APC do not.
 * - Control characters inside a sequence act before it.
 * - Malformed UTF-8 becomes U+FFFD; C1 controls written as UTF-8 are dropped, and so
 *   are marks after SEQUENCE_MARKS_MAX of them.
 * - DECRC becomes the private mode that does the same.
 */
void sequence_guard_input(struct sequence_guard *guard, const uint8_t *data, size_t size);

#endif

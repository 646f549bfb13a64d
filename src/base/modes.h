/*
 * What a guest has switched on and off in its terminal, read off its output without
 * a terminal: so that one can begin in the middle of it, and another be given back as
 * it was. Pure; any bytes.
 */
#ifndef BASE_MODES_H
#define BASE_MODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/control_sequence.h"

/* Begins as zeros: nothing is changed from what a terminal begins with. */
struct modes {
	uint32_t changed; /* DEC's private modes: bits of a table in modes.c */
	uint32_t effects; /* other things, likewise */
	bool in_line;	  /* text was written since the last line feed */
	struct control_sequence sequence;
};

/* A sequence may be split anywhere. */
void modes_read(struct modes *modes, const uint8_t *data, size_t size);

#define MODES_SPELL_MAX 288
#define MODES_UNDO_MAX 640

/*
 * Writes what sets the private modes on a fresh terminal; how many bytes, at most
 * MODES_SPELL_MAX.
 */
size_t modes_spell(const struct modes *modes, char out[MODES_SPELL_MAX]);

/* Writes what puts back what is changed, and that alone; how many bytes, at most MODES_UNDO_MAX. */
size_t modes_undo(const struct modes *modes, char out[MODES_UNDO_MAX]);

#endif

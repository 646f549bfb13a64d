/*
 * What a guest has switched on and off in its terminal, read off its output without
 * a terminal: so that one can begin in the middle of it. Pure; any bytes.
 */
#ifndef TUI_CONSOLE_MODES_H
#define TUI_CONSOLE_MODES_H

#include <stddef.h>
#include <stdint.h>

struct modes {
	uint32_t changed; /* from what a terminal begins with: bits of the table in modes.c */
	uint32_t named;	  /* by the sequence so far */
	uint32_t value;	  /* of the parameter so far */
	unsigned state;
};

/* Begins as zeros. A sequence may be split anywhere. */
void modes_read(struct modes *modes, const uint8_t *data, size_t size);

#define MODES_SPELL_MAX 256

/* Writes what sets them on a fresh terminal; how many bytes, at most MODES_SPELL_MAX. */
size_t modes_spell(const struct modes *modes, char out[MODES_SPELL_MAX]);

#endif

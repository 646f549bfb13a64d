/*
 * The last bytes that a guest printed, to be shown on a terminal later or again.
 * Positions count them from the first one on. One thread at a time.
 */
#ifndef TUI_CONSOLE_KEPT_H
#define TUI_CONSOLE_KEPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/modes.h"

#define KEPT_MAX (256u << 10)

struct kept {
	uint8_t *bytes; /* of the position p at p % size */
	size_t size;	/* a power of two, up to KEPT_MAX; 0: nothing came yet */
	uint64_t begin, end;
	struct modes modes; /* at begin */
};

/* Without memory for more, fewer are kept. */
void kept_add(struct kept *kept, const uint8_t *data, size_t size);

/* Copies from a position between begin and end on; how many. */
size_t kept_copy(const struct kept *kept, uint64_t position, void *to, size_t room);

/*
 * What is kept as lines of text, from malloc(): without what steers a terminal; what was taken
 * back or printed over in its line is gone. NULL: no memory.
 */
char *kept_text(const struct kept *kept, size_t *size);

/* Forgets what is before a position, at most all. */
void kept_forget(struct kept *kept, uint64_t position);

/*
 * Where a terminal can begin: with what is kept, or if that is not all, behind a
 * line's end; and in which modes.
 */
uint64_t kept_start(const struct kept *kept, struct modes *modes);

/* All of it, and counts from 0 again. */
void kept_clear(struct kept *kept);

#endif

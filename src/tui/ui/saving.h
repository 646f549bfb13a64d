/*
 * What a view has to a new file of this machine, which a thread of its own writes: a disk may be
 * slow, and the screen does not wait. Screen thread only.
 */
#ifndef TUI_UI_SAVING_H
#define TUI_UI_SAVING_H

#include "tui/ui/ui.h"

struct saving;

/* NULL: no memory. One file at a time. */
struct saving *saving_new(struct tui *tui);

/* Whether a file is being written. */
bool saving_busy(const struct saving *saving);

/*
 * Writes data, which is taken over (from malloc()), to a path as it was typed: to a file that is
 * not there yet, and that goes again if it cannot be written whole. What came of it is said:
 * before, the path, and after. Not while it is busy.
 */
void saving_begin(struct saving *saving, const char *typed, void *data, size_t size,
		  const char *before, const char *after);

/* Waits for what is being written, but not long. NULL is valid. */
void saving_free(struct saving *saving);

#endif

/*
 * What the screen has of a terminal that is emulated in a process of its own: a
 * copy of the grid, in which everything was checked. Screen thread only.
 */
#ifndef TUI_CONSOLE_PICTURE_H
#define TUI_CONSOLE_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/channel.h"
#include "tui/console/frame.h"
#include "tui/console/grid.h"

struct picture {
	struct frame frame;	 /* what cells are of; number 0: nothing */
	struct grid_cell *cells; /* frame.rows times frame.columns */
	struct terminal_found found; /* the last answer to a search; number 0: none */
	struct frame next;	 /* came, and was not taken; number 0: none */
	uint32_t copied[GRID_ROWS_MAX]; /* which frame's a row is; 0: none */
};

/*
 * Takes records off the channel, at most as many as fit into it; answer() gets what
 * is for the guest. 1 if there may be more, 0, or -EPROTO when they make no sense.
 */
int picture_input(struct picture *picture, struct channel *channel,
		  void (*answer)(const uint8_t *data, size_t size, void *arg), void *arg);

/*
 * Takes the frame that came, if one did, provided that it is of that terminal and
 * size; any other is passed over. Returns its number, which the process waits for
 * (TO_TERMINAL_DRAWN); 0 if none came.
 */
uint32_t picture_take(struct picture *picture, const struct channel *channel,
		      const struct terminal_size *size);

static inline const struct grid_cell *picture_row(const struct picture *picture, int row)
{
	return picture->cells + (size_t)row * picture->frame.columns;
}

/* The process is gone: what it had sent is forgotten, what was taken stays. */
void picture_detach(struct picture *picture);

void picture_destroy(struct picture *picture);

#endif

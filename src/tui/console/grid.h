/*
 * The cells of a terminal, as the process that emulates it writes them into the
 * memory that it shares with the screen. What the screen reads there is hostile.
 */
#ifndef TUI_CONSOLE_GRID_H
#define TUI_CONSOLE_GRID_H

#include <stdatomic.h>
#include <stdint.h>

#define GRID_ROWS_MAX 1000
#define GRID_COLUMNS_MAX 1000
#define GRID_MIN 2 /* rows, and columns */

enum {
	GRID_BOLD = 1, GRID_UNDERLINE = 2, GRID_REVERSE = 4,
	GRID_ATTRIBUTES = GRID_BOLD | GRID_UNDERLINE | GRID_REVERSE
};

/* A colour: one of these, with an index of 0..255 or 0xRRGGBB below it. */
#define GRID_DEFAULT 0u
#define GRID_INDEXED (1u << 24)
#define GRID_RGB (2u << 24)
#define GRID_COLOUR_KIND (255u << 24)

#define GRID_MARKS_MAX 4 /* what curses shows of a character's */

struct grid_cell {
	uint32_t c;	    /* a code point; 0: blank */
	uint32_t fg, bg;    /* GRID_DEFAULT, GRID_INDEXED, GRID_RGB */
	uint8_t width;	    /* 1 or 2; the cell behind a wide one has 0 */
	uint8_t attributes; /* GRID_* */
	uint16_t unused;    /* 0 */
	uint16_t marks[GRID_MARKS_MAX]; /* that combine with it; the first 0 ends them */
};

struct grid {
	_Atomic uint32_t written[GRID_ROWS_MAX]; /* the number of the frame that has changed it */
	struct grid_cell cells[GRID_ROWS_MAX][GRID_COLUMNS_MAX];
};

/* In the channel, in bytes. */
#define GRID_SIZE ((uint32_t)((sizeof(struct grid) + 4095) / 4096 * 4096))

extern const struct grid_cell grid_blank;

/*
 * Copies columns cells of a row (both inside the grid) and then makes of the copy
 * what a screen can show: each character of the width that it claims, a wide
 * one with its second half behind it, marks that are marks, colours and attributes
 * that there are.
 * Pure, but for the thread's locale, which says how wide a character is.
 */
void grid_copy_row(const struct grid *grid, int row, struct grid_cell *to, int columns);

#endif

/*
 * What a guest's screen shows, as cells of text. Plain data, any thread.
 */
#ifndef CORE_BUS_SCREEN_H
#define CORE_BUS_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#define SCREEN_COLUMNS_MAX 160
#define SCREEN_ROWS_MAX 64

enum screen_mode {
	SCREEN_NONE, /* there is none, or no machine that it is of */
	SCREEN_OFF,
	SCREEN_TEXT,
	SCREEN_GRAPHICS, /* pixels, which are not here */
};

struct screen_cell {
	uint8_t code; /* code page 437 */
	uint8_t attribute; /* bits 0-3 ink, 4-6 ground, 7 blinks or, without blink, bright ground */
};

struct screen {
	enum screen_mode mode;
	unsigned columns, rows; /* of text, at most the limits above; in graphics: pixels */
	bool blink;	    /* what bit 7 of attributes means */
	bool cursor, block; /* it is seen; it is more than half a character high */
	unsigned row, column; /* of the cursor */
	struct screen_cell cells[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX];
};

#endif

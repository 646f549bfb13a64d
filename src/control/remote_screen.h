/*
 * A guest's VGA screen as notifications of screen.subscribe tell it. What the server says
 * is checked: cells are characters of one column that steer nothing. One thread at a time.
 */
#ifndef CONTROL_REMOTE_SCREEN_H
#define CONTROL_REMOTE_SCREEN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REMOTE_COLUMNS_MAX 160
#define REMOTE_ROWS_MAX 64

enum remote_mode { REMOTE_NONE, REMOTE_OFF, REMOTE_TEXT, REMOTE_GRAPHICS };

struct remote_cell {
	uint16_t c; /* a code point */
	uint8_t ink, ground; /* 0 to 15: as a terminal's colours, bit 0 is red */
	bool blinks;
};

/* All zero: nothing was told. */
struct remote_screen {
	enum remote_mode mode;
	unsigned columns, rows; /* of text, within the limits; in graphics: pixels */
	bool cursor, block;
	unsigned row, column; /* of the cursor, within the screen */
	uint64_t pictures; /* that were taken */
	uint64_t cleared;  /* the picture that brought another size or mode */
	uint64_t changed[REMOTE_ROWS_MAX]; /* the picture that a row has been changed by */
	struct remote_cell cells[REMOTE_ROWS_MAX][REMOTE_COLUMNS_MAX];
};

/* Takes the parameters of a notification; false: it is none, and not all of it was taken. */
bool remote_screen_update(struct remote_screen *screen, const json_t *params);

/* What there is in place of text, a few words; "" in text mode. */
void remote_screen_say(const struct remote_screen *screen, char *out, size_t size);

/* The first row to show where only some have room: the cursor's has to be among them. */
unsigned remote_screen_first(const struct remote_screen *screen, unsigned room);

#endif

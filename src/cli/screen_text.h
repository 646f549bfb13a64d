/*
 * A guest's VGA screen as text for a terminal. Pure; main thread.
 */
#ifndef CLI_SCREEN_TEXT_H
#define CLI_SCREEN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/remote_screen.h"

/* What of it a terminal shows. */
struct screen_text {
	bool utf8;
	unsigned rows, columns; /* of the terminal; 0: not known yet */
	unsigned first;	  /* the screen's row in the terminal's first */
	uint64_t picture; /* that was drawn last; 0: all is to be drawn */
};

#define SCREEN_TEXT_BEGIN "\033[?1049h\033[2J" /* switches the terminal to another screen */

/* Bytes that one call of screen_text_draw() may write. */
#define SCREEN_TEXT_MAX (REMOTE_ROWS_MAX * (REMOTE_COLUMNS_MAX * 20 + 32) + 256)

/* Writes what brings the terminal up to date; how many bytes. */
size_t screen_text_draw(struct screen_text *text, const struct remote_screen *screen,
			char out[SCREEN_TEXT_MAX]);

/* A row as UTF-8 without colours and blanks at its end. */
#define SCREEN_TEXT_ROW_MAX (REMOTE_COLUMNS_MAX * 3 + 1)
void screen_text_row(const struct remote_screen *screen, unsigned row,
		     char out[SCREEN_TEXT_ROW_MAX]);

#endif

/*
 * A text that is looked for in the lines of a terminal: in the process that emulates it, to find
 * the line, and in the screen, to show where in a line it is. Pure.
 */
#ifndef TUI_CONSOLE_FIND_H
#define TUI_CONSOLE_FIND_H

#include <stdint.h>

#include "tui/console/grid.h"

#define FIND_MAX 64 /* characters */

/* What is looked for. Small letters of ASCII in a text without capital ones fit both. */
struct find_text {
	uint32_t length; /* 1 to FIND_MAX */
	uint32_t c[FIND_MAX];
};

/*
 * Where in a row of cells the text is, from a column on; *end gets the column behind it. -1: it is
 * not there. Blank cells are spaces; marks that combine are passed over.
 */
int find_in_row(const struct find_text *text, const struct grid_cell *cells, int columns, int from,
		int *end);

#endif

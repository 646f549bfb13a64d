/* Cells of a guest's terminal or screen, drawn by curses. Screen thread. */
#ifndef TUI_VIEWS_CONSOLE_CELLS_H
#define TUI_VIEWS_CONSOLE_CELLS_H

#include "tui/canvas/terminal.h"
#include "tui/console/grid.h"

/* Draws a row, which was erased; what is in the cells was checked (grid_copy_row()). */
void console_cells_draw(const struct terminal *terminal, int y, const struct grid_cell *cells,
			int columns);

#endif

/* Moving over lines by commands. Pure. */
#ifndef TUI_UI_SCROLL_H
#define TUI_UI_SCROLL_H

#include <stdbool.h>

#include "tui/ui/view.h"

/* Moves a position by a command over lines with page shown; false: command moves nothing. */
bool scroll_command(int *top, int lines, int page, enum command command);

/* The same for the selected one of so many lines: a page moves it by as many as are shown. */
bool scroll_cursor(int *at, int lines, int page, enum command command);

/* Keeps the first line in sight within what there is; whether it had to be moved. */
bool scroll_bound(int *top, int lines, int page);

#endif

/* What surrounds a view: header, message line, footer, prompt. Screen thread only. */
#ifndef TUI_UI_FRAME_H
#define TUI_UI_FRAME_H

#include "tui/ui/ui.h"

/* Draws the screen anew, with the view that is shown. */
void frame_draw(struct tui *tui);

#endif

/* How the network's view looks. Screen thread only. */
#ifndef TUI_VIEWS_NETWORK_DRAW_H
#define TUI_VIEWS_NETWORK_DRAW_H

#include "tui/ui/view.h"

/* Draws it, and notes in the state how many ports and packets found room. */
void network_draw(struct view *view, struct rect rect);

#endif

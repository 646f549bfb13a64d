/* How the network's view looks. Screen thread only. */
#ifndef TUI_VIEWS_NETWORK_DRAW_H
#define TUI_VIEWS_NETWORK_DRAW_H

#include "tui/ui/ui.h"

void network_draw(struct tui *tui, struct rect rect);

/* views/network.c: the switch that is chosen, or NULL when there is none. */
const struct switch_row *network_chosen(const struct tui *tui);

#endif

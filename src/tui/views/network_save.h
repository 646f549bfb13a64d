/* Packets of the list to a file of this machine. Screen thread only. */
#ifndef TUI_VIEWS_NETWORK_SAVE_H
#define TUI_VIEWS_NETWORK_SAVE_H

#include "tui/views/network_state.h"

/* Asks for a file, and writes the marked packets to it, or all that are shown. */
void network_save(struct view *view);

void network_save_destroy(struct view *view); /* waits for what is being written, but not long */

#endif

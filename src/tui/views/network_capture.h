/* Captures to files, as the network's view begins and ends them. Screen thread only. */
#ifndef TUI_VIEWS_NETWORK_CAPTURE_H
#define TUI_VIEWS_NETWORK_CAPTURE_H

#include "tui/views/network_state.h"

/* Begins a capture of the chosen switch, or ends the one that this screen began. */
void network_capture(struct view *view);

/* Writes the past of the chosen switch to a file of its own. */
void network_save_past(struct view *view);

/*
 * Asks for the captures of the deck: one that runs is on the status line. While one does and
 * another view is shown, it asks again by itself.
 */
void network_poll_captures(struct view *view);

/* With the view: one may run since an earlier screen. */
void network_captures_create(struct view *view);
void network_captures_destroy(struct view *view);

#endif

/* Captures to files, as the network's view begins and ends them. Screen thread only. */
#ifndef TUI_VIEWS_NETWORK_CAPTURE_H
#define TUI_VIEWS_NETWORK_CAPTURE_H

#include "tui/views/network_state.h"

/* Asks for a file, and begins a capture of the selected port, or else of the chosen switch. */
void network_capture(struct view *view);

/* Ends the selected capture; one that this screen did not begin after a question. */
void network_end_capture(struct view *view);

/* Moves over the captures that run. */
bool network_captures_command(struct view *view, enum command command);

/* The captures that run, in at most so many lines; returns the lines used. */
int network_draw_captures(struct view *view, struct rect r, int most);

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

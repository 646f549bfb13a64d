/* Breakpoints in the network's view, and the frame that waits at one. Screen thread only. */
#ifndef TUI_VIEWS_NETWORK_HELD_H
#define TUI_VIEWS_NETWORK_HELD_H

#include "tui/views/network_state.h"

/* Whether a frame waits for a decision: then there is a pane for it. */
bool network_holds(const struct view *view);

/* Has the pane of a frame that nobody has seen yet have the keys, and not that of none. */
void network_look_at_held(struct view *view);

/* The lines that the pane wants. */
int network_held_height(const struct view *view, int width);
void network_draw_held(struct view *view, struct rect box);

/* Keys: a breakpoint of the selected port, what becomes of the frame, moving over its bytes. */
void network_break(struct view *view);
void network_decide(struct view *view, bool pass);
bool network_held_command(struct view *view, enum command command);

#endif

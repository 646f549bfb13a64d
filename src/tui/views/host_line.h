/* How the deck's host is, and what all its guests use, in a line. Screen thread only. */
#ifndef TUI_VIEWS_HOST_LINE_H
#define TUI_VIEWS_HOST_LINE_H

#include "tui/canvas/draw.h"
#include "tui/model/model.h"

/*
 * What finds no room is left out, from the least on; nothing is drawn before it is known. guests:
 * with what they use.
 */
void host_line_draw(struct rect rect, const struct model_host *host, bool guests);

#endif

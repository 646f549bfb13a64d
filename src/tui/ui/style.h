/* How states of guests and severities of messages look. Screen thread only. */
#ifndef TUI_UI_STYLE_H
#define TUI_UI_STYLE_H

#include "control/states.h"
#include "tui/canvas/draw.h"
#include "tui/model/messages.h"

/* The style (see draw.h) of a guest's state, and its sign. */
unsigned style_state(enum guest_state state);
const char *style_state_sign(enum guest_state state);

unsigned style_severity(enum severity severity);

#endif

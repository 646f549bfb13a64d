/*
 * Frames that ports hold at their breakpoints: what the screen knows of them, the
 * status line, and what becomes of them. Screen thread only.
 */
#ifndef TUI_UI_HELD_H
#define TUI_UI_HELD_H

#include "tui/ui/ui.h"

/*
 * After a list of guests, and as the network's view comes or goes: says which port holds a frame
 * for which guests are paused, and asks what it is once that changes.
 */
void held_check(struct tui_deck *deck);

/* Asks for breakpoints and what they hold, which are in the deck's network then. */
void held_ask(struct tui_deck *deck);

/* Sets the breakpoint of a port, in place of its last one; filter "": takes it away. */
void held_break(struct tui_deck *deck, const char *port, const char *filter);

/*
 * Passes or drops the frame that a port holds since then (of port.held), unless it has gone on
 * meanwhile; data, unless NULL: it goes on with these bytes.
 */
void held_decide(struct tui_deck *deck, const char *port, uint64_t since, bool pass,
		 const uint8_t *data, size_t size);

#endif

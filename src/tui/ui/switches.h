/* What the deck says of its switches, for the views that show them. Screen thread only. */
#ifndef TUI_UI_SWITCHES_H
#define TUI_UI_SWITCHES_H

#include "tui/ui/ui.h"

/* Asks for the list of switches, unless it is asked for, and for what breakpoints hold. */
void switches_ask(struct tui_deck *deck);

#endif

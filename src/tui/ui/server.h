/*
 * The connection to a deck: what the server says, and what follows from it.
 * Screen thread only.
 */
#ifndef TUI_UI_SERVER_H
#define TUI_UI_SERVER_H

#include "tui/ui/ui.h"

/* Connects and asks for everything. 0, or a negative errno with tui->cause. */
int server_connect(struct tui *tui);

#endif

/*
 * The connection to a deck: what the server says, and what follows from it.
 * Screen thread only.
 */
#ifndef TUI_UI_SERVER_H
#define TUI_UI_SERVER_H

#include "tui/ui/ui.h"

/*
 * Connects the next of the screen's decks and asks for everything, and makes it
 * the one that is shown. 0, or a negative errno with tui->cause.
 */
int server_connect(struct tui *tui, const struct tui_config *config);

/* Closes the connection. */
void server_disconnect(struct tui_deck *deck);

/* Forgets what came through it, after whatever had subscriptions is gone. */
void server_destroy(struct tui_deck *deck);

#endif

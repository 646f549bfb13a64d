/* Orders to a guest, and leaving the screen. Screen thread only. */
#ifndef TUI_UI_ORDERS_H
#define TUI_UI_ORDERS_H

#include "tui/ui/ui.h"

/* Gives the order of a command to a guest of the deck, if it is one. */
void order_command(struct tui_deck *deck, const char *guest, enum command command);

void quit_ask(struct tui_deck *deck);
void quit_shutdown(struct tui_deck *deck);
void quit_check(struct tui_deck *deck); /* after a change of states */

#endif

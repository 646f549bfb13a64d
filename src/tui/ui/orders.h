/* Orders to a guest, and leaving the screen. Screen thread only. */
#ifndef TUI_UI_ORDERS_H
#define TUI_UI_ORDERS_H

#include "tui/ui/ui.h"

/* The guest of that name; NULL and a message when there is none. */
const struct tui_guest *order_guest(struct tui *tui, const char *name);

/* Gives the order of a command to a guest, if it is one. */
void order_command(struct tui *tui, const char *guest, enum command command);

void quit_ask(struct tui *tui);
void quit_shutdown(struct tui *tui);
void quit_check(struct tui *tui); /* after a change of states */

#endif

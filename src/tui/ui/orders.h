/* Orders to a guest, and leaving the screen. Screen thread only. */
#ifndef TUI_UI_ORDERS_H
#define TUI_UI_ORDERS_H

#include "tui/ui/ui.h"

/*
 * Gives an order, "guest.start", to a guest of the deck, perhaps after a question; the
 * method's row says which, and which order takes its place when it is not legal.
 */
void order_give(struct tui_deck *deck, const char *guest, const char *order);

/* The state that counts for orders: one that has reset itself may be about to start. */
enum guest_state order_state(const struct tui_guest *guest);

void quit_ask(struct tui_deck *deck);
void quit_ask_off(struct tui_deck *deck); /* the same, to end all guests at once */
void quit_check(struct tui_deck *deck); /* after a change of states */

/* After a list: says which guests somebody waits for, whose power buttons were just pressed. */
void power_check(struct tui_deck *deck);

#endif

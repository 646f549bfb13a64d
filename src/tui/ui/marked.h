/* An order to all guests that are marked. Screen thread only. */
#ifndef TUI_UI_MARKED_H
#define TUI_UI_MARKED_H

#include "tui/ui/ui.h"

/*
 * Gives an order, "guest.start", to those marked guests of the deck that are in a state for it,
 * after one question that names them where the order asks one. One message says what came of
 * it, when all have answered; what failed, by name.
 */
void marked_order(struct tui_deck *deck, const char *order);

/* Forgets orders that are under way; the connection is closed already. */
void marked_forget(struct tui_deck *deck);

#endif

/*
 * What a start would find wrong with the profile of a guest that does not run, beyond what its
 * reading has: a switch that is not there, a file that is no kernel. The deck looks for it when
 * a view asks. Screen thread only.
 */
#ifndef TUI_UI_MISTAKES_H
#define TUI_UI_MISTAKES_H

#include "tui/ui/ui.h"

/*
 * Has the deck look, if the guest is not what it was the last time, or that was a minute ago,
 * as a file may be there now; for a view's tick.
 */
void mistakes_look(struct tui_deck *deck, const struct tui_guest *guest);

/* An array of those that are known by now, as in guest.list; the deck's. May be NULL. */
const json_t *mistakes_of(const struct tui_deck *deck, const struct tui_guest *guest);

void mistakes_forget(struct tui_deck *deck);

#endif

/* Profiles of guests that are copied, renamed or deleted, each by its name. Screen thread only. */
#ifndef TUI_UI_PROFILES_H
#define TUI_UI_PROFILES_H

#include "tui/ui/ui.h"

/* Ask for a name, or whether it is meant, and do it; the deck sees that its folder has changed. */
void profile_copy(struct tui_deck *deck, const char *guest);
void profile_rename(struct tui_deck *deck, const char *guest);
void profile_delete(struct tui_deck *deck, const char *guest);

#endif

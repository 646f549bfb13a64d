/* A profile in the user's editor. Screen thread only. */
#ifndef TUI_UI_EDIT_H
#define TUI_UI_EDIT_H

#include "tui/ui/ui.h"

/* Edits the profile of a guest of the deck, which must be a file of this machine. */
void editor_start(struct tui_deck *deck, const char *guest);

/* Has the deck read its profiles again; what that changes is told as by itself. */
void profiles_reload(struct tui_deck *deck);

/* Ends the editor, if it runs, and forgets it. */
void editor_stop(struct tui *tui);

#endif

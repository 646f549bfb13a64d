/* A profile in the user's editor. Screen thread only. */
#ifndef TUI_UI_EDIT_H
#define TUI_UI_EDIT_H

#include "tui/ui/ui.h"

void editor_start(struct tui *tui, const char *guest);
void editor_stop(struct tui *tui);

#endif

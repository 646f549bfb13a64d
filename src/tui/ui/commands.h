/* What the commands of keys do. Screen thread only. */
#ifndef TUI_UI_COMMANDS_H
#define TUI_UI_COMMANDS_H

#include "tui/ui/ui.h"

/* Gives a key's command to the view that is shown, or does what all views have in common. */
void command_run(struct tui *tui, const struct key *key);

#endif

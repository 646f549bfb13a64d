/* The samples of what is shown. Screen thread only. */
#ifndef TUI_UI_SUBSCRIBE_H
#define TUI_UI_SUBSCRIBE_H

#include "tui/ui/ui.h"

void subscribe_init(struct tui *tui);

/* Follows what the view that is shown wants. */
void subscribe_update(struct tui *tui);
void subscribe_notified(struct tui *tui, const json_t *params);

#endif

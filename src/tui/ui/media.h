/* The media of guests' CD-ROM drives. Screen thread only. */
#ifndef TUI_UI_MEDIA_H
#define TUI_UI_MEDIA_H

#include "tui/ui/ui.h"

/* Asks what is to become of the medium of a guest's drive, and has that done. */
void media_ask(struct tui_deck *deck, const char *guest);
void media_stop(struct tui *tui); /* frees what it remembers */

#endif

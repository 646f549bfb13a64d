/* The views. Screen thread only. */
#ifndef TUI_VIEWS_TABLE_H
#define TUI_VIEWS_TABLE_H

#include "tui/ui/ui.h"

extern const struct view view_deck, view_guest, view_console, view_network, view_log, view_help;

/* By enum view_id. */
extern const struct view *const views_table[VIEW_COUNT];

/* views/deck.c */
const char *view_deck_selected(struct tui *tui); /* name, or "" */

/* views/guest.c, views/console.c */
void view_guest_open(struct tui *tui, const char *name);
void view_console_show(struct tui *tui, const char *name);
void view_console_close(struct tui *tui);

#endif

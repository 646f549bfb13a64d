/*
 * The palette: a line at the bottom into which commands are typed, as they are on the command
 * line, with what a word can become above it; also what keys of the view do, by the words of the
 * footer. It keeps what was run, and the lines of what keys asked for. Screen thread only.
 */
#ifndef TUI_UI_PALETTE_H
#define TUI_UI_PALETTE_H

#include "tui/ui/ui.h"

/* Readies tui->palette, and has it note what is asked. 0 or -ENOMEM. */
int palette_start(struct tui *tui);

/* Opens it; run does what a key does. */
void palette_open(struct tui *tui, void (*run)(struct tui *tui, const struct key *key));

/* Writes what is to be kept; with the connections closed. Valid without a palette. */
void palette_stop(struct tui *tui);

#endif

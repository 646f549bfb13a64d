/* The screen stops for the shell that started it, as other programs do. Screen thread only. */
#ifndef TUI_UI_SUSPEND_H
#define TUI_UI_SUSPEND_H

#include "tui/ui/ui.h"

/*
 * Gives the terminal back and has the shell take it; a deck in this process goes on. Where no
 * shell waits that could bring it back, it says so.
 */
void suspend(struct tui *tui);

/* SIGTSTP came while another program, or nobody, has the terminal: the shell is to see it stop. */
void suspend_job(struct tui *tui);

/* SIGCONT came: the screen is shown again, if the terminal is ours. */
void suspend_ended(struct tui *tui);

#endif

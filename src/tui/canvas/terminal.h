/*
 * The terminal: entering and leaving curses, signals. Screen thread only.
 */
#ifndef TUI_CANVAS_TERMINAL_H
#define TUI_CANVAS_TERMINAL_H

#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <termios.h>

#include "base/cause.h"
#include "tui/canvas/draw.h"

#define TERMINAL_SIGNALS 7

/* Which buttons of the mouse come as keys, KEY_MOUSE; the others are the terminal's own. */
enum terminal_mouse_use {
	TERMINAL_MOUSE_NONE,
	TERMINAL_MOUSE_CLICKS, /* the first one, pressed, and the wheel */
	TERMINAL_MOUSE_ALL,    /* three, pressed and released, and the wheel */
};

struct terminal_click {
	int y, x;
	int button;   /* 1 to 3; of the wheel 4, up, and 5 */
	bool pressed; /* or released */
};

struct terminal {
	void *screen; /* SCREEN of curses */
	locale_t locale, locale_before;
	struct termios modes_before;
	struct sigaction actions_before[TERMINAL_SIGNALS];
	int signal_fd; /* readable when a signal came; see terminal_signals() */
	bool modes_saved, signals_taken, suspended;
	enum terminal_mouse_use mouse;
	bool utf8, colour; /* utf8: what is no ASCII can be shown */
	enum glyphs glyphs;
	bool clipboard; /* it has one, or passes over what is said of it */
	bool marks_pastes; /* it has been asked to: TERMINAL_PASTE, text, TERMINAL_PASTED */
};

/* What it sends around text that is pasted. */
#define TERMINAL_PASTE "\033[200~"
#define TERMINAL_PASTED "\033[201~"

/*
 * Whether a screen can be shown: 0, -ENOTTY when standard input or output is no terminal,
 * -EINVAL for TERM, with a cause. Any thread, before a screen is.
 */
int terminal_check(struct cause *cause);

/* Takes the terminal over. 0, or as terminal_check(), -errno, with a cause. */
int terminal_start(struct terminal *terminal, struct cause *cause);

/* Gives it back as it was. Valid on a terminal that failed to start, and twice. */
void terminal_stop(struct terminal *terminal);

/* Gives the screen to another program, and takes it back. */
void terminal_suspend(struct terminal *terminal);
void terminal_resume(struct terminal *terminal);

void terminal_mouse(struct terminal *terminal, enum terminal_mouse_use use);

/* What came with KEY_MOUSE; false: nothing that was asked for. */
bool terminal_clicked(struct terminal_click *click);

/* Adopts the size that the terminal has now. */
void terminal_resize(struct terminal *terminal);

/* Which signals came since the last call, as bits 1 << number; clears signal_fd. */
unsigned terminal_signals(struct terminal *terminal);

#endif

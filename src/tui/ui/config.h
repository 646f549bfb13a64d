/* What a screen is started with, and how it ends. */
#ifndef TUI_UI_CONFIG_H
#define TUI_UI_CONFIG_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/cause.h"

struct command_line;

struct tui_config {
	/*
	 * Returns a connected stream socket of the control server, which
	 * becomes the screen's, or a negative errno with a cause. Called once
	 * at the start and once for each console, on the screen's thread.
	 */
	int (*dial)(void *arg, struct cause *cause);
	void *dial_arg;
	const char *title; /* what the header calls the deck, or NULL: the server's word */
	bool read_only;	   /* it watches, and orders nothing */
	bool in_process;   /* the core lives in this process and ends with it */
	const struct command_line *line; /* what commands can be typed; NULL: none */
	pid_t launcher;	   /* the process that the shell waits for; 0: this one */
};

enum tui_result {
	TUI_QUIT,   /* nothing runs, or everything was shut down */
	TUI_LEAVE,  /* the guests go on without a screen */
	TUI_HANGUP, /* the terminal went away, or somebody ended the screen */
	TUI_ENDED,  /* somebody else had the deck ended */
	TUI_LOST    /* the connection to the core was lost */
};

#endif

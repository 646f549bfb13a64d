/*
 * The screen: an ncurses front end that reaches guests only through the
 * control protocol.
 *
 * It runs on the thread that calls tui_run(), the only one that calls
 * ncurses. That thread never waits for a guest or for the connection.
 */
#ifndef TUI_TUI_H
#define TUI_TUI_H

#include <stdbool.h>

#include "base/cause.h"

struct tui_config {
	/*
	 * Returns a connected stream socket of the control server, which
	 * becomes the screen's, or a negative errno with a cause. Called once
	 * at the start and once for each console, on the screen's thread.
	 */
	int (*dial)(void *arg, struct cause *cause);
	void *dial_arg;
	const char *title; /* what the header calls the deck, or NULL: the server's word */
	bool in_process;   /* the core lives in this process and ends with it */
};

enum tui_result {
	TUI_QUIT,   /* nothing runs, or everything was shut down */
	TUI_LEAVE,  /* the guests go on without a screen */
	TUI_HANGUP, /* the terminal went away, or somebody ended the screen */
	TUI_ENDED,  /* somebody else had the deck ended */
	TUI_LOST    /* the connection to the core was lost */
};

/*
 * Shows the screen until it ends. 0 and *result; with TUI_LOST the cause says
 * what happened to the connection. -ENOTTY without a terminal, -EINVAL for a
 * TERM that cannot be used, -EPROTO for a server that speaks something else,
 * and what dial returned, with a cause. The terminal is as it was before in
 * every case. While it runs, SIGWINCH, SIGHUP, SIGTERM, SIGINT and SIGTSTP
 * are handled here; what the caller had set is put back.
 *
 * SIGTERM: with in_process it shuts all guests down and then returns TUI_QUIT
 * (a second one forces them off), else it returns TUI_HANGUP.
 */
int tui_run(const struct tui_config *config, enum tui_result *result, struct cause *cause);

#endif

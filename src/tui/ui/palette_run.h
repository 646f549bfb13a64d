/*
 * Lines of the palette that ask something of the deck: a question before where a key asks one,
 * and what comes of them. Screen thread only.
 */
#ifndef TUI_UI_PALETTE_RUN_H
#define TUI_UI_PALETTE_RUN_H

#include "control/command_line.h"
#include "tui/ui/ui.h"

struct runs {
	struct tui *tui;
	void (*refused)(struct tui *tui, const char *line, const char *wrong); /* a line, and why */
	struct run *first;  /* of all that are not done */
	struct run *asking; /* waits for an answer of a person, or NULL */
	bool running; /* what is asked comes from a line that is kept itself */
};

/* Asks for what a line asks; its requests are taken over. */
void runs_begin(struct runs *runs, const struct command_asked *asked, const char *line);

void runs_forget(struct runs *runs); /* whatever waits; the connection is closed */

#endif

/*
 * What a person has set of the screen, in a file of theirs (vmdeck-screen(5)): its colours and its
 * keys. Screen thread only.
 */
#ifndef TUI_UI_SETTINGS_H
#define TUI_UI_SETTINGS_H

#include "tui/canvas/draw.h"
#include "tui/ui/keys.h"

#define SETTINGS_MISTAKES 16 /* that are said; the rest only counts */

struct settings {
	struct keys keys; /* the program's, or rows of its own */
	struct key *rows; /* those, or NULL */
	char **labels;    /* of them; label_count */
	size_t label_count;
	struct draw_inks inks;
	char *mistakes[SETTINGS_MISTAKES]; /* sentences with file and line */
	unsigned mistake_count;
};

/* Sets what is set without a file. */
void settings_begin(struct settings *settings);

/*
 * Reads a file. What is wrong in it is left out and becomes a mistake; a file that is not there is
 * none.
 */
void settings_read(struct settings *settings, const char *path);

void settings_end(struct settings *settings);

/* The names of themes, in their order; NULL: there are not as many. */
const char *settings_theme(unsigned n);

#endif

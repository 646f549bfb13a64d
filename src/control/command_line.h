/*
 * The command line in a screen: what a line of it asks of the deck that is shown, what can
 * follow it, and which line asks for the same as a request. Who has the table of commands
 * fills it; the screen, which knows none of that, is handed it. The screen's thread.
 */
#ifndef CONTROL_COMMAND_LINE_H
#define CONTROL_COMMAND_LINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cause.h"
#include "control/names.h"

#define COMMAND_LINE_MAX 2048 /* bytes of a line, with the zero */

/* What is known where a line is typed. */
struct command_place {
	const char *guest; /* whom it is about where the line names no guest; or "" */
	const char *marked; /* one of the guests that are marked, for what many can have; or NULL */
	/*
	 * What the deck would answer to guest.list, guest.show or switch.list, as far as it is
	 * known, new; or NULL. params is only looked at.
	 */
	json_t *(*answer)(void *arg, const char *method, const json_t *params);
	void *arg;
};

/* What a line asks for. */
struct command_asked {
	/*
	 * An array of {"method", "params"} that change something, the caller's. A capture.stop behind
	 * a capture.start has no params: it is of the capture that has begun.
	 */
	json_t *requests;
	const char *view; /* id of the view that shows what comes of it, or NULL */
	char guest[NAME_SIZE]; /* whom that shows, or "" */
	bool marked; /* the guest of the only request stands for all that are marked */
};

struct command_line {
	const void *arg; /* the table's own */
	/* 0, or a negative errno with a cause, which may be NULL; asked holds nothing then. */
	int (*read)(const void *arg, const char *line, const struct command_place *place,
		    struct command_asked *asked, struct cause *cause);
	/*
	 * Calls offer with each word that the last one of line can become, whatever that begins
	 * with, and what it means, or NULL. Names come as the deck has them.
	 */
	void (*complete)(const void *arg, const char *line, const struct command_place *place,
			 void (*offer)(void *arg, const char *word, const char *help),
			 void *offer_arg);
	/* The line of a request; false: no line asks for it. Secrets are in none. */
	bool (*spell)(const void *arg, const char *method, const json_t *params, char *out,
		      size_t size);
};

#endif

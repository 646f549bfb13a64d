/*
 * The switches of a deck, as the files of their folder say, again and again. Deck
 * thread.
 *
 * A switch with guests on it is not touched: what its file says is applied when they
 * are gone.
 */
#ifndef CORE_DECK_SWITCHES_H
#define CORE_DECK_SWITCHES_H

#include <stdbool.h>

#include "base/cause.h"
#include "control/names.h"

struct net_switch;
struct network;
struct switch_file;

struct switches {
	struct network *network;
	/* Whether a live guest has a card on a switch, and whether a guest's profile names it. */
	bool (*used)(void *arg, const char *name);
	bool (*wanted)(void *arg, const char *name);
	void (*say)(void *arg, const char *sentence);
	void (*made)(void *arg, struct net_switch *sw); /* before a guest is on it */
	void *arg;
	struct switch_file *files;
	bool settled; /* they were read once: from then on what is new is said */
};

/*
 * Reads the folder (NULL: none) and makes the network as its files say, and also the switch that
 * guests may name without a file. Says what was and what was not applied, once. A negative errno
 * with a cause when the folder cannot be read.
 */
int switches_read(struct switches *switches, const char *folder, struct cause *cause);

/* A guest has ended, or is about to start: applies what had to wait. */
void switches_apply(struct switches *switches);

/*
 * Whether the newest profile of a switch, if there is one, is without mistakes: 0, or -EINVAL
 * with a cause, that of switches_mistaken().
 */
int switches_check(const struct switches *switches, const char *name, struct cause *cause);

/* -EINVAL, with a cause: the profile of a switch, at path, has mistakes. */
int switches_mistaken(const char *name, const char *path, struct cause *cause);

/* Says again what is not applied. */
void switches_remind(struct switches *switches);

void switches_destroy(struct switches *switches); /* the switches stay; valid for all zero */

#endif

/* What a deck is made of. */
#ifndef CORE_DECK_CONFIG_H
#define CORE_DECK_CONFIG_H

#include <stdbool.h>

struct boot_image;

struct deck_config {
	const struct boot_image *builtin; /* what a profile without a kernel runs; outlives the deck */
	const char *guests_folder;   /* *.ini, or NULL */
	const char *switches_folder; /* *.ini, or NULL */
	const char *const *profiles; /* single profiles besides ("vmdeck run web.ini"), or NULL */
	bool demo;		     /* add the built-in deck */
	unsigned demo_guests;	     /* how many guests it has; 0: three */
};

/*
 * Who wants to know what a reading of the profiles changed and could not apply: sentences.
 * After them those that stand: all that is not applied, whichever reading saw it first.
 */
struct deck_notes {
	void (*add)(void *arg, const char *sentence, bool stands);
	void *arg;
};

#endif

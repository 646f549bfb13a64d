/*
 * Word of the walls that this host refuses, as soon as something of the deck's
 * would have stood behind one. Deck thread.
 */
#ifndef CORE_DECK_REFUSALS_H
#define CORE_DECK_REFUSALS_H

#include <stdint.h>

#include "core/deck/journal.h"

/* All zero: nothing was told. */
struct refusals {
	uint32_t walls, filters;
};

/* Tells the journal of those that were not told. */
void refusals_look(struct refusals *refusals, struct journal *journal);

#endif

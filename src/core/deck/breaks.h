/*
 * Breakpoints of ports, as guests see them: while a switch holds a frame that nobody has decided
 * about, the guests that have a card on it are paused. What is decided goes on when they run
 * again, as paused ones would lose it. Deck thread.
 */
#ifndef CORE_DECK_BREAKS_H
#define CORE_DECK_BREAKS_H

#include "core/deck/roster.h"
#include "core/deck/services.h"

struct breaks {
	struct deck_services *services;
	const struct roster *roster;
	struct loop_task look;
};

void breaks_init(struct breaks *breaks, struct deck_services *services,
		 const struct roster *roster);

/* Something may have changed: at a port, or of a guest that is paused for one. Any thread. */
void breaks_poke(struct breaks *breaks);

#endif

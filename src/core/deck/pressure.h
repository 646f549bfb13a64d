/*
 * Word that the host runs short of memory, before the kernel ends the deck for
 * it, and word that this is over. Deck thread.
 */
#ifndef CORE_DECK_PRESSURE_H
#define CORE_DECK_PRESSURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "core/deck/journal.h"

#define PRESSURE_AGAIN (60 * NS_PER_S)	/* said again while it lasts */
#define PRESSURE_CLEARS (30 * NS_PER_S) /* without any, it is over */

/* All zero: nothing is watched. */
struct pressure {
	struct loop *loop; /* NULL: nothing is watched */
	struct journal *journal;
	struct loop_source source;
	struct loop_timer over;
	uint64_t told; /* monotonic ns; 0: there is none */
	int fd;
};

/* Watches; where the kernel cannot tell, nothing will be said ('vmdeck doctor' says that). */
void pressure_init(struct pressure *pressure, struct loop *loop, struct journal *journal);
void pressure_destroy(struct pressure *pressure);

/* There was some. It is what the watched descriptor calls. */
void pressure_felt(struct pressure *pressure);

#endif

/*
 * Taking the samples of a guest's series. Deck thread. See stats.h.
 */
#ifndef CORE_DECK_STATS_PRIVATE_H
#define CORE_DECK_STATS_PRIVATE_H

#include <stdbool.h>

#include "core/deck/stats.h"
#include "core/machine/machine.h"

/*
 * A series for a guest with cpus vCPUs; view: it says what it has of memory. NULL: no memory.
 * Empty at first.
 */
struct stats_series *stats_new(unsigned cpus, bool view);
void stats_free(struct stats_series *series); /* NULL is valid */

/* Adds one sample: rates since the one before. machine NULL: the guest does not run. */
void stats_sample(struct stats_series *series, struct machine *machine, uint64_t now_ns);

/* Frames with an address of somebody else that were refused since the machine was built. */
uint64_t stats_forged(const struct stats_series *series);

#endif

/*
 * Statistics of a guest: the series that charts draw, sampled on the deck
 * thread every STATS_INTERVAL_MS while the deck runs, so that a chart is
 * already full when a view opens. Deck thread only.
 */
#ifndef CORE_DECK_STATS_H
#define CORE_DECK_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "control/fields.h"
#include "control/spans.h"

#define STATS_INTERVAL_MS 500
#define STATS_HISTORY 240 /* samples kept: two minutes */

struct stats_series;

/*
 * How many fields a guest has: STATS_VCPU + its vCPUs. Of one that says nothing of its memory
 * those that would are 0, and have no history.
 */
unsigned stats_fields(const struct stats_series *series);

/* Samples taken so far; the newest has this number. 0: none yet. */
uint64_t stats_count(const struct stats_series *series);

/* The newest sample of a field, 0 when there is none. */
float stats_last(const struct stats_series *series, unsigned field);

/* The newest samples of a field, oldest first; returns how many were written. */
size_t stats_history(const struct stats_series *series, unsigned field, float *out, size_t room);

/* What it was over longer times; NULL: there was no memory to keep it. */
const struct spans *stats_spans(const struct stats_series *series);

#endif

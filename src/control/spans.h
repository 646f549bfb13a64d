/*
 * What statistics of a guest were over longer times: averages over slots that are the longer the
 * further back they reach. A slot in which the guest did not run has none. Pure; one thread at
 * a time.
 */
#ifndef CONTROL_SPANS_H
#define CONTROL_SPANS_H

#include <stddef.h>
#include <stdint.h>

#include "control/fields.h"

/* In the order of the choices of stats.history. */
enum stats_span { SPAN_10_MINUTES, SPAN_HOUR, SPAN_DAY, SPANS };

#define SPAN_FIELDS (STATS_EXITS + 1) /* the fields that are kept: from 0 on */
#define SPAN_SLOTS_MAX 60

struct spans; /* some 4 KiB */

struct spans *spans_new(void); /* NULL: no memory */
void spans_free(struct spans *spans);

/*
 * Adds a sample, SPAN_FIELDS values; NULL: the guest does not run. now: CLOCK_MONOTONIC, ns, never
 * less than before.
 */
void spans_add(struct spans *spans, const float *values, uint64_t now);

/* The slots of a span, and how long each is, ns. */
unsigned spans_slots(enum stats_span span);
uint64_t spans_slot_time(enum stats_span span);

/*
 * The averages of a field, oldest first, spans_slots() of them, NAN where there is none; the last
 * one is of the slot that is not over yet. *ends: CLOCK_MONOTONIC, ns, when it is.
 */
void spans_get(const struct spans *spans, enum stats_span span, unsigned field,
	       float out[SPAN_SLOTS_MAX], uint64_t *ends);

#endif

/*
 * Time since the start of the guest, from the TSC.
 */
#ifndef DEMO_CLOCK_H
#define DEMO_CLOCK_H

#include "lib.h"

extern const char *clock_source; /* for "status" */

void clock_setup(void);

/* ns, monotonic; any CPU. */
uint64_t clock_now(void);

/* TSC ticks of a second. */
uint64_t clock_frequency(void);

/* Has KVM write the calling CPU's steal time to a 64-byte record, where it can. */
void clock_enable_steal(void *record);

/* Seconds since 1970 by the CMOS clock, or 0. Slow. */
uint64_t clock_wall(void);

#endif

/*
 * Statistics of a guest: the series that charts draw, sampled on the deck
 * thread every STATS_INTERVAL_MS while the deck runs, so that a chart is
 * already full when a view opens. Deck thread only.
 */
#ifndef CORE_DECK_STATS_H
#define CORE_DECK_STATS_H

#include <stddef.h>
#include <stdint.h>

#define STATS_INTERVAL_MS 500
#define STATS_HISTORY 240 /* samples kept: two minutes */

/* Fixed series; STATS_VCPU + n follows for vCPU n. */
enum stats_field {
	STATS_CPU,		/* % of one CPU, all vCPUs summed */
	STATS_MEMORY,		/* bytes resident */
	STATS_DISK_READ, STATS_DISK_WRITE,	   /* bytes a second */
	STATS_DISK_READ_OPS, STATS_DISK_WRITE_OPS, /* requests a second */
	STATS_NET_IN, STATS_NET_OUT,		   /* bytes a second; in: to the guest */
	STATS_NET_IN_FRAMES, STATS_NET_OUT_FRAMES, /* frames a second */
	STATS_EXITS,		/* VM exits a second */
	STATS_VCPU		/* % of one CPU, vCPU 0; the following fields are its neighbours */
};

struct stats_series;

/* How many fields a guest has: STATS_VCPU + its vCPUs. */
unsigned stats_fields(const struct stats_series *series);

/* "cpu", "memory", "disk_read", ..., "cpu0", ...; written to name (16 bytes). */
void stats_field_name(unsigned field, char name[16]);

/* Samples taken so far; the newest has this number. 0: none yet. */
uint64_t stats_count(const struct stats_series *series);

/* The newest sample of a field, 0 when there is none. */
float stats_last(const struct stats_series *series, unsigned field);

/* The newest samples of a field, oldest first; returns how many were written. */
size_t stats_history(const struct stats_series *series, unsigned field, float *out, size_t room);

#endif

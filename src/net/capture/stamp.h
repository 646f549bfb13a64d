/*
 * The time of single frames: the CPU's time stamp counter (Intel SDM vol. 3, "Time-Stamp Counter"),
 * which is a third of the price of a clock, as ticks since the clock was read for the burst. Any
 * thread.
 */
#ifndef NET_CAPTURE_STAMP_H
#define NET_CAPTURE_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#define STAMP_SHIFT 1 /* of the counter: a unit is about a ns */
#define STAMP_BITS 15
#define STAMP_MAX ((1u << STAMP_BITS) - 1) /* units; the clock is read anew beyond about 20 us */

/* Whether the counter goes on evenly whatever the CPU does. */
bool stamp_usable(void);

/* What a unit is, in ns << 32. It takes some ms to find out. */
uint64_t stamp_unit(void);

static inline uint64_t stamp_read(void)
{
	return __builtin_ia32_rdtsc();
}

static inline uint64_t stamp_ns(uint64_t unit, uint32_t units)
{
	return unit * units >> 32;
}

#endif

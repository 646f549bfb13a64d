/*
 * Counts that any thread reads while they grow: exact, but in no order to
 * anything else, so that a set of them is no snapshot. All zero is a new one.
 */
#ifndef BASE_COUNTER_H
#define BASE_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

struct counter {
	_Atomic uint64_t value;
};

/* By one thread at a time: costs no more than a plain addition. */
static inline void counter_add(struct counter *counter, uint64_t by)
{
	uint64_t value = atomic_load_explicit(&counter->value, memory_order_relaxed);

	atomic_store_explicit(&counter->value, value + by, memory_order_relaxed);
}

/* By several at once; then by all of them. */
static inline void counter_add_shared(struct counter *counter, uint64_t by)
{
	atomic_fetch_add_explicit(&counter->value, by, memory_order_relaxed);
}

static inline uint64_t counter_get(const struct counter *counter)
{
	return atomic_load_explicit(&counter->value, memory_order_relaxed);
}

#endif

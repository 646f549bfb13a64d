/*
 * A mutex that costs no call while nobody else holds it. Any thread.
 *
 * For the registers of devices: after an exit the host's TLB can be cold, and
 * pthread_mutex_lock() and its counterpart lie on pages that are used for
 * nothing else there. Elsewhere the C library's is the one to take.
 *
 * Ulrich Drepper, "Futexes Are Tricky", mutex2; futex(2).
 */
#ifndef BASE_MUTEX_H
#define BASE_MUTEX_H

#include <stdatomic.h>
#include <stdint.h>

enum { MUTEX_FREE, MUTEX_HELD, MUTEX_AWAITED };

/* All zero is a free one; there is nothing to destroy. */
struct mutex {
	_Atomic uint32_t state;
};

/* The slow halves; only for the functions below. */
void mutex_wait(struct mutex *mutex);
void mutex_wake(struct mutex *mutex);

static inline void mutex_lock(struct mutex *mutex)
{
	uint32_t expected = MUTEX_FREE;

	if (!atomic_compare_exchange_strong_explicit(&mutex->state, &expected, MUTEX_HELD,
						     memory_order_acquire, memory_order_relaxed))
		mutex_wait(mutex);
}

/* By the thread that holds it. */
static inline void mutex_unlock(struct mutex *mutex)
{
	if (atomic_exchange_explicit(&mutex->state, MUTEX_FREE, memory_order_release) ==
	    MUTEX_AWAITED)
		mutex_wake(mutex);
}

#endif

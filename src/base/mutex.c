/* What a mutex does when two threads want it. Any thread. */
#include "base/mutex.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

void mutex_wait(struct mutex *mutex)
{
	/* Whoever waited cannot know whether others still do, so it says that they do. */
	while (atomic_exchange_explicit(&mutex->state, MUTEX_AWAITED, memory_order_acquire) !=
	       MUTEX_FREE)
		syscall(SYS_futex, &mutex->state, FUTEX_WAIT_PRIVATE, MUTEX_AWAITED, NULL);
}

void mutex_wake(struct mutex *mutex)
{
	syscall(SYS_futex, &mutex->state, FUTEX_WAKE_PRIVATE, 1);
}

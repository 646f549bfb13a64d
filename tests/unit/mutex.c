/* Mutual exclusion among threads that want it all the time, and no lost wake-up. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sched.h>

#include "base/mutex.h"

#define THREADS 4
#define ROUNDS 20000

struct shared {
	struct mutex mutex;
	uint64_t first, second; /* equal while the mutex is free */
	unsigned torn;
};

static void *work(void *arg)
{
	struct shared *shared = arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		mutex_lock(&shared->mutex);
		shared->first++;
		if (i % 64 == 0) /* others find it held, and sleep */
			sched_yield();
		shared->second++;
		shared->torn += shared->first != shared->second;
		mutex_unlock(&shared->mutex);
	}
	return NULL;
}

static void threads_take_turns(void **state)
{
	struct shared shared = { 0 };
	pthread_t threads[THREADS];

	(void)state;
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, &shared), 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(shared.torn, 0);
	assert_int_equal(shared.first, THREADS * ROUNDS);
	assert_int_equal(atomic_load(&shared.mutex.state), MUTEX_FREE);
}

static void *take(void *arg)
{
	struct mutex *mutex = arg;

	mutex_lock(mutex);
	mutex_unlock(mutex);
	return NULL;
}

/* The holder sees that somebody waits, and unlocking wakes that one. */
static void a_waiter_is_woken(void **state)
{
	struct mutex mutex = { 0 };
	pthread_t thread;

	(void)state;
	mutex_lock(&mutex);
	assert_int_equal(pthread_create(&thread, NULL, take, &mutex), 0);
	while (atomic_load(&mutex.state) != MUTEX_AWAITED)
		sched_yield();
	mutex_unlock(&mutex);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(atomic_load(&mutex.state), MUTEX_FREE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_take_turns),
		cmocka_unit_test(a_waiter_is_woken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Helper threads for what would make a loop's thread wait: ending a capture,
 * reading a file.
 *
 * Jobs begin in the order in which they were posted, as many at once as there may
 * be threads. A thread starts when a job finds no other that has nothing to do.
 */
#ifndef BASE_WORKER_H
#define BASE_WORKER_H

#include <pthread.h>
#include <stdbool.h>

#include "base/loop.h"
#include "base/thread.h"

#define WORKER_THREADS_MAX 8

/* One job, embedded in its owner, which lives until done() is called. */
struct worker_job {
	void (*work)(void *arg); /* on a helper thread */
	void (*done)(void *arg); /* afterwards on the loop's thread; may free the job's owner */
	void *arg;
	struct worker_job *next;
};

struct worker {
	struct loop *loop;
	const struct thread_role *role;
	unsigned limit; /* how many threads there may be */
	void (*ran)(void *arg); /* may be set, and arg: called after each run of done() calls */
	void *arg;
	struct thread threads[WORKER_THREADS_MAX];
	unsigned count;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	bool stop, left;
	unsigned queued, idle; /* waiting jobs and threads */
	unsigned ended;	       /* threads, of count */
	struct worker_job *waiting, **waiting_end;
	struct worker_job *finished, **finished_end;
	struct loop_task task;
};

/* role: of its threads, of which there may be limit, 1 to WORKER_THREADS_MAX. */
void worker_init(struct worker *worker, struct loop *loop, const struct thread_role *role,
		 unsigned limit);

/* Loop's thread. Queues a job. 0, or -EAGAIN when no thread can be made: nothing was queued. */
int worker_post(struct worker *worker, struct worker_job *job);

/*
 * Loop's thread, or the loop has ended: waits until all jobs, also those that their
 * done() posts, are through.
 */
void worker_finish(struct worker *worker);

/*
 * The same, but waits for so long (ns) at most. False: there are jobs that have not ended; then
 * no further one begins, no done() is called, and the worker and its jobs have to stay where they
 * are for as long as the process lives.
 */
bool worker_leave(struct worker *worker, uint64_t ns);
void worker_destroy(struct worker *worker); /* after worker_finish() */

#endif

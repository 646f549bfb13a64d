/*
 * A helper thread for what would make the deck thread wait: ending a capture,
 * reading a file.
 *
 * Jobs run one after the other. The thread starts with the first job.
 */
#ifndef BASE_WORKER_H
#define BASE_WORKER_H

#include <pthread.h>
#include <stdbool.h>

#include "base/loop.h"
#include "base/thread.h"

/* One job, embedded in its owner, which lives until done() is called. */
struct worker_job {
	void (*work)(void *arg); /* on the helper thread */
	void (*done)(void *arg); /* afterwards on the deck thread; may free the job's owner */
	void *arg;
	struct worker_job *next;
};

struct worker {
	struct loop *loop;
	struct thread thread;
	bool started;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	bool stop;
	struct worker_job *waiting, **waiting_end;
	struct worker_job *finished, **finished_end;
	struct loop_task task;
};

void worker_init(struct worker *worker, struct loop *loop);

/* Deck thread. Queues a job. 0, or -EAGAIN when no thread can be made: nothing was queued. */
int worker_post(struct worker *worker, struct worker_job *job);

/*
 * Deck thread, or the loop has ended: waits until all jobs, also those that their
 * done() posts, are through.
 */
void worker_finish(struct worker *worker);
void worker_destroy(struct worker *worker); /* after worker_finish() */

#endif

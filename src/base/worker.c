/* See worker.h. worker_main() runs on the helper threads, the rest on the loop's. */
#include "base/worker.h"

#include <errno.h>

#include "base/clock.h"

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	struct worker_job *job;

	pthread_mutex_lock(&worker->lock);
	for (;;) {
		worker->idle++;
		while (!worker->waiting && !worker->stop)
			pthread_cond_wait(&worker->wake, &worker->lock);
		worker->idle--;
		job = worker->waiting;
		if (!job || worker->left)
			break;
		worker->queued--;
		worker->waiting = job->next;
		if (!worker->waiting)
			worker->waiting_end = &worker->waiting;
		pthread_mutex_unlock(&worker->lock);
		job->work(job->arg);
		pthread_mutex_lock(&worker->lock);
		if (worker->left)
			break;
		job->next = NULL;
		*worker->finished_end = job;
		worker->finished_end = &job->next;
		loop_post(worker->loop, &worker->task);
	}
	worker->ended++;
	pthread_cond_broadcast(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
	return NULL;
}

static void run_finished(void *arg)
{
	struct worker *worker = arg;
	struct worker_job *job, *next;

	pthread_mutex_lock(&worker->lock);
	job = worker->finished;
	worker->finished = NULL;
	worker->finished_end = &worker->finished;
	pthread_mutex_unlock(&worker->lock);
	for (; job; job = next) {
		next = job->next;
		job->done(job->arg);
	}
	if (worker->ran)
		worker->ran(worker->arg);
}

void worker_init(struct worker *worker, struct loop *loop, const struct thread_role *role,
		 unsigned limit)
{
	*worker = (struct worker){ .loop = loop, .role = role, .limit = limit };
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->wake, NULL);
	worker->waiting_end = &worker->waiting;
	worker->finished_end = &worker->finished;
	worker->task = (struct loop_task){ .run = run_finished, .arg = worker };
}

/* Sees to it that somebody takes the next job; false: there is nobody at all. */
static bool have_thread(struct worker *worker)
{
	bool wanted;

	pthread_mutex_lock(&worker->lock);
	wanted = worker->queued >= worker->idle;
	pthread_mutex_unlock(&worker->lock);
	if (wanted && worker->count < worker->limit &&
	    thread_start(&worker->threads[worker->count], worker->role, NULL, worker_main,
			 worker) == 0)
		worker->count++;
	return worker->count > 0;
}

int worker_post(struct worker *worker, struct worker_job *job)
{
	if (!have_thread(worker))
		return -EAGAIN;
	job->next = NULL;
	pthread_mutex_lock(&worker->lock);
	worker->queued++;
	*worker->waiting_end = job;
	worker->waiting_end = &job->next;
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
	return 0;
}

/* Until all threads have ended, or the time is over; end NULL: however long it takes. */
static bool stop_threads(struct worker *worker, const struct timespec *end)
{
	int err = 0;

	pthread_mutex_lock(&worker->lock);
	worker->stop = true;
	pthread_cond_broadcast(&worker->wake);
	while (worker->ended < worker->count && !err)
		err = end ? pthread_cond_clockwait(&worker->wake, &worker->lock, CLOCK_MONOTONIC, end)
			  : pthread_cond_wait(&worker->wake, &worker->lock);
	worker->left = worker->ended < worker->count;
	pthread_mutex_unlock(&worker->lock);
	if (worker->left)
		return false;
	while (worker->count)
		thread_join(&worker->threads[--worker->count]);
	worker->stop = false;
	worker->ended = 0;
	return true;
}

static bool finish(struct worker *worker, const struct timespec *end)
{
	while (worker->count) {
		if (!stop_threads(worker, end))
			return false;
		run_finished(worker); /* may post, which starts threads again */
	}
	loop_unpost(worker->loop, &worker->task);
	return true;
}

void worker_finish(struct worker *worker)
{
	(void)finish(worker, NULL);
}

bool worker_leave(struct worker *worker, uint64_t ns)
{
	struct timespec end;

	ns += clock_monotonic();
	end = (struct timespec){ (time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S) };
	return finish(worker, &end);
}

void worker_destroy(struct worker *worker)
{
	pthread_cond_destroy(&worker->wake);
	pthread_mutex_destroy(&worker->lock);
}

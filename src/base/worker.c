/* The deck's helper thread. worker_main() runs on it, the rest on the deck thread. */
#include "base/worker.h"

static const struct thread_role worker_role = { .name = "worker" };

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	struct worker_job *job;

	pthread_mutex_lock(&worker->lock);
	for (;;) {
		while (!worker->waiting && !worker->stop)
			pthread_cond_wait(&worker->wake, &worker->lock);
		job = worker->waiting;
		if (!job)
			break;
		worker->waiting = job->next;
		if (!worker->waiting)
			worker->waiting_end = &worker->waiting;
		pthread_mutex_unlock(&worker->lock);
		job->work(job->arg);
		pthread_mutex_lock(&worker->lock);
		job->next = NULL;
		*worker->finished_end = job;
		worker->finished_end = &job->next;
		loop_post(worker->loop, &worker->task);
	}
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
}

void worker_init(struct worker *worker, struct loop *loop)
{
	*worker = (struct worker){ .loop = loop };
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->wake, NULL);
	worker->waiting_end = &worker->waiting;
	worker->finished_end = &worker->finished;
	worker->task = (struct loop_task){ .run = run_finished, .arg = worker };
}

static int start(struct worker *worker)
{
	int error = thread_start(&worker->thread, &worker_role, NULL, worker_main, worker);

	worker->started = error == 0;
	return error;
}

int worker_post(struct worker *worker, struct worker_job *job)
{
	int error = worker->started ? 0 : start(worker);

	if (error < 0)
		return error;
	job->next = NULL;
	pthread_mutex_lock(&worker->lock);
	*worker->waiting_end = job;
	worker->waiting_end = &job->next;
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
	return 0;
}

void worker_finish(struct worker *worker)
{
	while (worker->started) {
		pthread_mutex_lock(&worker->lock);
		worker->stop = true;
		pthread_cond_signal(&worker->wake);
		pthread_mutex_unlock(&worker->lock);
		thread_join(&worker->thread);
		worker->started = false;
		worker->stop = false;
		run_finished(worker); /* may post, which starts the thread again */
	}
	loop_unpost(worker->loop, &worker->task);
}

void worker_destroy(struct worker *worker)
{
	pthread_cond_destroy(&worker->wake);
	pthread_mutex_destroy(&worker->lock);
}

/*
 * An epoll loop: file descriptors, timers and messages from other threads.
 *
 * A loop belongs to one thread, the one that calls loop_run(); all functions
 * are for that thread except where they say otherwise. Nothing here
 * allocates: sources, timers and tasks are embedded in their owners. It costs
 * two file descriptors and, at rest, no wake-ups. Where there is no epoll_pwait2(2),
 * before Linux 5.11 and in containers that do not know it, each wait costs a call more.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"

struct loop;

/* A watched file descriptor. The fd stays its owner's. */
struct loop_source {
	int fd;
	bool active;
	void (*ready)(void *arg, uint32_t events); /* events: EPOLLIN, EPOLLOUT, ... */
	void *arg;
};

/* A timer that fires once; it may set itself again when it fires. */
struct loop_timer {
	uint64_t due; /* CLOCK_MONOTONIC, ns */
	bool armed;
	void (*fire)(void *arg);
	void *arg;
	struct loop_timer *next;
};

/* Work handed to the loop's thread by any thread. */
struct loop_task {
	void (*run)(void *arg);
	void *arg;
	bool queued; /* guarded by the loop's lock */
	struct loop_task *next;
};

#define LOOP_BATCH 32

struct loop {
	int epoll_fd;
	int wake_fd;
	bool stepwise; /* epoll_pwait2(2) is refused here */
	atomic_bool stop;
	atomic_uint added; /* orders what loop_add() wrote before what its events read */
	struct loop_source wake;
	struct loop_timer *timers; /* by due */
	pthread_mutex_t lock;	   /* guards tasks */
	struct loop_task *tasks, **tasks_end;
	struct loop_task *soon; /* the loop's thread's own */
	void *batch[LOOP_BATCH]; /* sources of the events being dispatched */
	int batch_count;
};

/* Makes *loop ready for use. 0, or -EMFILE, -ENFILE, -ENOMEM with a cause. */
int loop_init(struct loop *loop, struct cause *cause);

/* Closes it; valid after a failed or no loop_init() when epoll_fd was set to -1. */
void loop_destroy(struct loop *loop);

/* Watches fd for events (EPOLLIN and so on). 0 or a negative errno. Any thread. */
int loop_add(struct loop *loop, struct loop_source *source, int fd, uint32_t events,
	     void (*ready)(void *arg, uint32_t events), void *arg);

/* Changes what the source is watched for; 0 events keeps only errors and hang-ups. */
int loop_change(struct loop *loop, struct loop_source *source, uint32_t events);

/* Stops watching; no event of the running batch reaches the source any more. Valid twice. */
void loop_remove(struct loop *loop, struct loop_source *source);

/* Fires timer->fire(arg) after delay ns, once. A timer already armed is moved. */
void loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t delay);

/*
 * Fires once, at the next multiple of period ns (not 0) of CLOCK_MONOTONIC: what is done at the same
 * pace, or at a multiple of it, then costs one wake-up, and a call that came late moves none after it.
 */
void loop_timer_set_aligned(struct loop *loop, struct loop_timer *timer, uint64_t period);
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer);

/*
 * Any thread: has the loop's thread call task->run(arg). A task that is still
 * queued is not queued twice. The task must live until it has run; it may be
 * freed or posted again from inside its run().
 */
void loop_post(struct loop *loop, struct loop_task *task);

/* The loop's thread: takes back a task that has not run, posted or not. */
void loop_unpost(struct loop *loop, struct loop_task *task);

/*
 * The loop's thread, from within loop_run(): has task->run(arg) called when the events that are
 * being dispatched are. It costs neither a lock nor a wake-up. For tasks that are never posted;
 * one that is still queued is not queued twice.
 */
void loop_soon(struct loop *loop, struct loop_task *task);

/* Runs until loop_stop(). Returns 0, or a negative errno if epoll itself fails. */
int loop_run(struct loop *loop);

/* Any thread: has loop_run() return after the batch it is in. */
void loop_stop(struct loop *loop);

#endif

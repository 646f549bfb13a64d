/* The uplink thread: starting, stopping, and having it do something. */
#include "net/port/thread.h"
#include "sandbox/confine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/sentence.h"

/* A function that the uplink thread runs while the caller waits for it. */
struct call {
	struct loop_task task;
	void (*run)(void *arg);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t done_changed;
	bool done;
};

static void run_call(void *arg)
{
	struct call *call = arg;

	call->run(call->arg);
	pthread_mutex_lock(&call->lock);
	call->done = true;
	pthread_cond_signal(&call->done_changed);
	pthread_mutex_unlock(&call->lock);
}

void uplink_call(struct uplink *uplink, void (*run)(void *arg), void *arg)
{
	struct call call = { .run = run, .arg = arg };

	pthread_mutex_init(&call.lock, NULL);
	pthread_cond_init(&call.done_changed, NULL);
	call.task.run = run_call;
	call.task.arg = &call;
	loop_post(&uplink->loop, &call.task);
	pthread_mutex_lock(&call.lock);
	while (!call.done)
		pthread_cond_wait(&call.done_changed, &call.lock);
	pthread_mutex_unlock(&call.lock);
	pthread_cond_destroy(&call.done_changed);
	pthread_mutex_destroy(&call.lock);
}

void uplink_notice(struct uplink *uplink, const char *format, ...)
{
	char text[2 * CAUSE_SIZE];
	va_list args;

	if (!uplink->listener.notice)
		return;
	va_start(args, format);
	sentence_format(text, sizeof(text), format, args);
	va_end(args);
	uplink->listener.notice(uplink->listener.arg, text);
}

static void *uplink_main(void *arg)
{
	struct uplink *uplink = arg;

	loop_run(&uplink->loop);
	return NULL;
}

static const struct thread_role uplink_role = {
	.name = "uplink", .confine = confine_thread, .kind = FILTER_UPLINK,
};

int uplink_new(struct uplink **out, const struct uplink_listener *listener, struct cause *cause)
{
	struct uplink *uplink = calloc(1, sizeof(*uplink));
	int error;

	*out = NULL;
	if (!uplink)
		return cause_errno(cause, ENOMEM, "uplink");
	uplink->listener = *listener;
	uplink->loop.epoll_fd = -1;
	uplink->sockets = UPLINK_SOCKETS;
	error = burst_init(&uplink->burst);
	if (error) {
		uplink_free(uplink);
		return cause_errno(cause, -error, "uplink");
	}
	error = loop_init(&uplink->loop, cause);
	if (error) {
		uplink_free(uplink);
		return cause_prefix(cause, error, "uplink");
	}
	error = thread_start(&uplink->thread, &uplink_role, NULL, uplink_main, uplink);
	if (error) {
		uplink_free(uplink);
		return cause_errno(cause, -error, "uplink thread");
	}
	uplink->running = true;
	*out = uplink;
	return 0;
}

void uplink_free(struct uplink *uplink)
{
	if (!uplink)
		return;
	if (uplink->running) {
		loop_stop(&uplink->loop);
		thread_join(&uplink->thread);
	}
	loop_destroy(&uplink->loop);
	burst_destroy(&uplink->burst);
	free(uplink);
}

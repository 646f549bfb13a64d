/* The epoll loop. One thread each, with what any thread may ask of it. */
#include "base/loop.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

static void wake(struct loop *loop)
{
	uint64_t one = 1;
	ssize_t n;

	/* Fails only when the counter is full, and then the loop wakes anyway. */
	n = write(loop->wake_fd, &one, sizeof(one));
	(void)n;
}

static void drain_wake(void *arg, uint32_t events)
{
	struct loop *loop = arg;
	uint64_t count;
	ssize_t n;

	(void)events;
	n = read(loop->wake_fd, &count, sizeof(count));
	(void)n;
}

int loop_init(struct loop *loop, struct cause *cause)
{
	int error;

	memset(loop, 0, sizeof(*loop));
	loop->tasks_end = &loop->tasks;
	loop->wake_fd = -1;
	pthread_mutex_init(&loop->lock, NULL);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd >= 0)
		loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->wake_fd >= 0 &&
	    loop_add(loop, &loop->wake, loop->wake_fd, EPOLLIN, drain_wake, loop) == 0)
		return 0;
	error = errno;
	loop_destroy(loop);
	return cause_errno(cause, error, "event loop");
}

void loop_destroy(struct loop *loop)
{
	if (loop->epoll_fd < 0)
		return;
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	close(loop->epoll_fd);
	loop->epoll_fd = -1;
	pthread_mutex_destroy(&loop->lock);
}

int loop_add(struct loop *loop, struct loop_source *source, int fd, uint32_t events,
	     void (*ready)(void *arg, uint32_t events), void *arg)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	source->fd = fd;
	source->ready = ready;
	source->arg = arg;
	/* Before the first event can come, which may remove the source. */
	source->active = true;
	atomic_fetch_add_explicit(&loop->added, 1, memory_order_release);
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
		return 0;
	source->active = false;
	return -errno;
}

int loop_change(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) < 0 ? -errno : 0;
}

void loop_remove(struct loop *loop, struct loop_source *source)
{
	if (!source->active)
		return;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	source->active = false;
	for (int i = 0; i < loop->batch_count; i++)
		if (loop->batch[i] == source)
			loop->batch[i] = NULL;
}

static void arm(struct loop *loop, struct loop_timer *timer, uint64_t due)
{
	struct loop_timer **at;

	loop_timer_cancel(loop, timer);
	timer->due = due;
	timer->armed = true;
	for (at = &loop->timers; *at && (*at)->due <= timer->due; at = &(*at)->next)
		;
	timer->next = *at;
	*at = timer;
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t delay)
{
	arm(loop, timer, clock_monotonic() + delay);
}

void loop_timer_set_aligned(struct loop *loop, struct loop_timer *timer, uint64_t period)
{
	arm(loop, timer, (clock_monotonic() / period + 1) * period);
}

void loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
	struct loop_timer **at;

	if (!timer->armed)
		return;
	for (at = &loop->timers; *at != timer; at = &(*at)->next)
		;
	*at = timer->next;
	timer->armed = false;
}

void loop_post(struct loop *loop, struct loop_task *task)
{
	bool first;

	pthread_mutex_lock(&loop->lock);
	if (task->queued) {
		pthread_mutex_unlock(&loop->lock);
		return;
	}
	first = !loop->tasks;
	task->queued = true;
	task->next = NULL;
	*loop->tasks_end = task;
	loop->tasks_end = &task->next;
	pthread_mutex_unlock(&loop->lock);
	if (first)
		wake(loop);
}

void loop_soon(struct loop *loop, struct loop_task *task)
{
	struct loop_task **end = &loop->soon;

	if (task->queued)
		return;
	while (*end)
		end = &(*end)->next;
	*end = task;
	task->next = NULL;
	task->queued = true;
}

void loop_unpost(struct loop *loop, struct loop_task *task)
{
	struct loop_task **at;

	for (at = &loop->soon; *at; at = &(*at)->next) {
		if (*at != task)
			continue;
		*at = task->next;
		task->queued = false;
		return;
	}
	pthread_mutex_lock(&loop->lock);
	for (at = &loop->tasks; *at; at = &(*at)->next) {
		if (*at != task)
			continue;
		*at = task->next;
		if (loop->tasks_end == &task->next)
			loop->tasks_end = at;
		task->queued = false;
		break;
	}
	pthread_mutex_unlock(&loop->lock);
}

/* What is queued meanwhile has its turn after the next events. */
static void run_soon(struct loop *loop)
{
	struct loop_task *task;
	unsigned count = 0;

	for (task = loop->soon; task; task = task->next)
		count++;
	while (count-- && (task = loop->soon)) {
		loop->soon = task->next;
		task->queued = false;
		task->run(task->arg);
	}
}

/* Runs the tasks queued now, not those that they post. */
static void run_tasks(struct loop *loop)
{
	struct loop_task *task;
	unsigned count = 0;

	pthread_mutex_lock(&loop->lock);
	for (task = loop->tasks; task; task = task->next)
		count++;
	while (count-- && (task = loop->tasks)) {
		loop->tasks = task->next;
		if (!loop->tasks)
			loop->tasks_end = &loop->tasks;
		task->queued = false;
		pthread_mutex_unlock(&loop->lock);
		task->run(task->arg);
		pthread_mutex_lock(&loop->lock);
	}
	if (loop->tasks)
		wake(loop);
	pthread_mutex_unlock(&loop->lock);
}

static void run_timers(struct loop *loop)
{
	uint64_t now = loop->timers ? clock_monotonic() : 0;
	struct loop_timer *timer;

	while ((timer = loop->timers) && timer->due <= now) {
		loop->timers = timer->next;
		timer->armed = false;
		timer->fire(timer->arg);
	}
}

/* What epoll_pwait2() does, in two steps, as epoll_wait() alone knows but milliseconds. */
static int wait_in_steps(struct loop *loop, struct epoll_event *events,
			 const struct timespec *limit)
{
	struct pollfd any = { .fd = loop->epoll_fd, .events = POLLIN };
	int n = ppoll(&any, 1, limit, NULL);

	return n <= 0 ? n : epoll_wait(loop->epoll_fd, events, LOOP_BATCH, 0);
}

static int wait_for_events(struct loop *loop, struct epoll_event *events,
			   const struct timespec *limit)
{
	int n;

	if (loop->stepwise)
		return wait_in_steps(loop, events, limit);
	n = epoll_pwait2(loop->epoll_fd, events, LOOP_BATCH, limit, NULL);
	if (n >= 0 || (errno != ENOSYS && errno != EPERM))
		return n;
	loop->stepwise = true;
	return wait_in_steps(loop, events, limit);
}

static int wait_batch(struct loop *loop, struct epoll_event *events)
{
	struct timespec timeout, *limit = NULL;
	int n;

	if (loop->soon) {
		timeout = (struct timespec){ 0 };
		limit = &timeout;
	} else if (loop->timers) {
		uint64_t now = clock_monotonic(), due = loop->timers->due;
		uint64_t left = due > now ? due - now : 0;

		timeout.tv_sec = (time_t)(left / NS_PER_S);
		timeout.tv_nsec = (long)(left % NS_PER_S);
		limit = &timeout;
	}
	n = wait_for_events(loop, events, limit);
	(void)atomic_load_explicit(&loop->added, memory_order_acquire);
	return n < 0 ? (errno == EINTR ? 0 : -errno) : n;
}

int loop_run(struct loop *loop)
{
	struct epoll_event events[LOOP_BATCH];
	int n;

	while (!atomic_load(&loop->stop)) {
		n = wait_batch(loop, events);
		if (n < 0)
			return n;
		for (int i = 0; i < n; i++)
			loop->batch[i] = events[i].data.ptr;
		loop->batch_count = n;
		for (int i = 0; i < n; i++) {
			struct loop_source *source = loop->batch[i];

			if (source)
				source->ready(source->arg, events[i].events);
		}
		loop->batch_count = 0;
		run_soon(loop);
		run_tasks(loop);
		run_timers(loop);
	}
	atomic_store(&loop->stop, false);
	return 0;
}

void loop_stop(struct loop *loop)
{
	atomic_store(&loop->stop, true);
	wake(loop);
}

/* See sandbox.h. The loop's thread, but for what says otherwise. */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/clock.h"
#include "sandbox/helper.h"

#define LOOKS 3u /* at least, before one is taken for stuck */
#define START_EVERY (SANDBOX_PATIENCE / LOOKS)
#define START_LOOKS 10u /* until it is ready; the machine may be busy */
#define STEADY (60 * NS_PER_S) /* whoever ran that long begins with the shortest pause again */

struct sandbox {
	struct loop *loop;
	const struct sandbox_kind *kind;
	char label[SANDBOX_LABEL_MAX];
	int file_fd; /* the owner's; or -1 */
	const struct sandbox_ops *ops;
	void *arg;

	struct channel channel; /* memory_fd -1: there is no process */
	bool ready;
	uint32_t walls; /* those that it was behind when it became ready */
	int status_fd; /* the helper's word of it; closing it ends it */
	int pid;
	struct loop_source status, input;
	uint64_t started;
	unsigned failures; /* in a row */
	struct loop_timer again;

	atomic_bool watched;
	struct loop_task watch;
	struct loop_timer look;
	uint32_t last_tail;
	unsigned idle_looks;
};

/* Pauses before it is started again. */
static const uint64_t pauses[] = {
	NS_PER_S / 10, NS_PER_S, 2 * NS_PER_S, 5 * NS_PER_S, 15 * NS_PER_S, 30 * NS_PER_S,
};

static _Atomic uint32_t refused;

uint32_t sandbox_refused(void)
{
	return atomic_load(&refused);
}

/* Ends the process, if there is one, and forgets it. */
static void put_down(struct sandbox *sandbox)
{
	loop_unpost(sandbox->loop, &sandbox->watch);
	loop_timer_cancel(sandbox->loop, &sandbox->look);
	loop_remove(sandbox->loop, &sandbox->status);
	loop_remove(sandbox->loop, &sandbox->input);
	if (sandbox->status_fd >= 0)
		close(sandbox->status_fd);
	sandbox->status_fd = -1;
	channel_destroy(&sandbox->channel);
	sandbox->ready = false;
	sandbox->pid = 0;
	atomic_store(&sandbox->watched, false);
}

/* again: it is started again, if its kind is. */
static void down(struct sandbox *sandbox, const char *why, bool again)
{
	uint64_t pause = 0;

	if (again && !sandbox->kind->once) {
		if (clock_monotonic() - sandbox->started > STEADY)
			sandbox->failures = 0;
		pause = pauses[sandbox->failures < ARRAY_SIZE(pauses) ? sandbox->failures
								       : ARRAY_SIZE(pauses) - 1];
		sandbox->failures++;
		loop_timer_set(sandbox->loop, &sandbox->again, pause);
	}
	sandbox->ready = false;
	sandbox->ops->ended(sandbox->arg, why, pause);
	put_down(sandbox);
}

/* What the process wrote of itself before it gave up: foreign text, cut to what can be shown. */
static void copy_said(char *to, size_t room, const char *from)
{
	size_t n = 0;

	while (n + 1 < room && n < CHANNEL_SAID_MAX) {
		char c = ((const volatile char *)from)[n];

		if (!c)
			break;
		to[n++] = c >= ' ' && c <= '~' ? c : '?';
	}
	to[n] = 0;
}

static void explain(const struct sandbox *sandbox, const struct helper_report *report, char *why,
		    size_t room)
{
	char said[CHANNEL_SAID_MAX];

	copy_said(said, sizeof(said), sandbox->channel.page->said);
	switch (report->says) {
	case HELPER_REFUSED:
		snprintf(why, room, "it could not be started: %s", strerror(report->code));
		break;
	case HELPER_KILLED:
		snprintf(why, room, "it was ended by signal %d (%s)%s", report->code,
			 strsignal(report->code),
			 report->code == SIGSYS ? ": a system call that it may not make" : "");
		break;
	default:
		if (*said)
			snprintf(why, room, "%s", said);
		else if (report->code == 126 || report->code == 127)
			snprintf(why, room, "its program could not be executed");
		else
			snprintf(why, room, "it ended with status %d", report->code);
	}
}

static void read_input(void *arg, uint32_t events)
{
	struct sandbox *sandbox = arg;

	(void)events;
	channel_woken(&sandbox->channel);
	if (!sandbox->ready) {
		/* It can be quicker than the helper's word of who it is. */
		if (!sandbox->pid || !atomic_load(&sandbox->channel.page->ready))
			return;
		sandbox->ready = true;
		sandbox->walls = atomic_load(&sandbox->channel.page->walls);
		atomic_fetch_or(&refused, walls_wanted(&sandbox->kind->walls) & ~sandbox->walls);
		loop_timer_cancel(sandbox->loop, &sandbox->look);
		sandbox->ops->ready(sandbox->arg);
	}
	if (sandbox->ready)
		sandbox->ops->input(sandbox->arg);
}

static void read_status(void *arg, uint32_t events)
{
	struct sandbox *sandbox = arg;
	struct helper_report report;
	char why[SANDBOX_WHY_MAX];
	ssize_t n = read(sandbox->status_fd, &report, sizeof(report));

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == sizeof(report) && report.says == HELPER_STARTED) {
		sandbox->pid = report.code;
		read_input(sandbox, 0);
		return;
	}
	/* What it has sent comes before its end. */
	read_input(sandbox, 0);
	if (sandbox->status_fd < 0)
		return;
	if (n == sizeof(report)) {
		explain(sandbox, &report, why, sizeof(why));
		down(sandbox, why, true);
	} else {
		down(sandbox, HELPER_GONE, false);
	}
}

static int launch(struct sandbox *sandbox, struct cause *cause)
{
	const struct sandbox_kind *kind = sandbox->kind;
	struct channel *channel = &sandbox->channel;
	int error = channel_create(channel, &kind->layout, cause);

	sandbox->started = clock_monotonic();
	if (error)
		return error;
	sandbox->status_fd = helper_spawn(kind->name, sandbox->label, kind->walls.network,
					  channel->memory_fd, channel->wake_fd, channel->peer_fd,
					  sandbox->file_fd, cause);
	if (sandbox->status_fd < 0) {
		error = sandbox->status_fd;
		put_down(sandbox);
		return error;
	}
	error = loop_add(sandbox->loop, &sandbox->status, sandbox->status_fd, EPOLLIN, read_status,
			 sandbox);
	if (!error)
		error = loop_add(sandbox->loop, &sandbox->input, channel->wake_fd, EPOLLIN,
				 read_input, sandbox);
	if (error) {
		put_down(sandbox);
		return cause_errno(cause, -error, "epoll");
	}
	sandbox->idle_looks = 0;
	loop_timer_set(sandbox->loop, &sandbox->look, START_EVERY);
	return 0;
}

static void launch_again(void *arg)
{
	struct sandbox *sandbox = arg;
	struct cause cause;

	int error = launch(sandbox, &cause);

	if (error)
		down(sandbox, cause.text, error != -ESRCH);
}

static uint64_t patience(const struct sandbox *sandbox)
{
	return sandbox->kind->patience ? sandbox->kind->patience : SANDBOX_PATIENCE;
}

/* Not longer than a second, so that one that has taken everything is left alone soon. */
static uint64_t look_every(const struct sandbox *sandbox)
{
	uint64_t every = patience(sandbox) / LOOKS;

	return every < NS_PER_S ? every : NS_PER_S;
}

/* Whether it comes up. */
static void look_for_start(struct sandbox *sandbox)
{
	if (++sandbox->idle_looks >= START_LOOKS)
		down(sandbox, "it did not come up", true);
	else
		loop_timer_set(sandbox->loop, &sandbox->look, START_EVERY);
}

/* Whether it takes what it is sent. */
static void look(void *arg)
{
	struct sandbox *sandbox = arg;
	struct channel_places *places = &sandbox->channel.page->to_process;
	uint32_t tail = atomic_load(&places->tail);

	if (!sandbox->ready) {
		look_for_start(sandbox);
		return;
	}
	if (tail == atomic_load(&places->head)) {
		/* What is sent from here on posts the task again. */
		atomic_store(&sandbox->watched, false);
		if (atomic_load(&places->tail) == atomic_load(&places->head) ||
		    atomic_exchange(&sandbox->watched, true))
			return;
	}
	sandbox->idle_looks = tail == sandbox->last_tail ? sandbox->idle_looks + 1 : 0;
	sandbox->last_tail = tail;
	if (sandbox->idle_looks >= patience(sandbox) / look_every(sandbox))
		down(sandbox, "it did not answer", true);
	else
		loop_timer_set(sandbox->loop, &sandbox->look, look_every(sandbox));
}

static void begin_to_watch(void *arg)
{
	struct sandbox *sandbox = arg;

	if (!sandbox->ready)
		return;
	sandbox->last_tail = atomic_load(&sandbox->channel.page->to_process.tail);
	sandbox->idle_looks = 0;
	loop_timer_set(sandbox->loop, &sandbox->look, look_every(sandbox));
}

void sandbox_sent(struct sandbox *sandbox)
{
	if (!atomic_load_explicit(&sandbox->watched, memory_order_relaxed) &&
	    !atomic_exchange(&sandbox->watched, true))
		loop_post(sandbox->loop, &sandbox->watch);
}

int sandbox_start_with(struct sandbox **out, struct loop *loop, const struct sandbox_kind *kind,
		       const char *label, int file_fd, const struct sandbox_ops *ops, void *arg,
		       struct cause *cause)
{
	struct sandbox *sandbox = calloc(1, sizeof(*sandbox));
	int error;

	*out = NULL;
	if (!sandbox)
		return cause_errno(cause, ENOMEM, "%s", kind->name);
	sandbox->loop = loop;
	sandbox->kind = kind;
	sandbox->file_fd = file_fd;
	snprintf(sandbox->label, sizeof(sandbox->label), "%s", label);
	sandbox->ops = ops;
	sandbox->arg = arg;
	sandbox->channel.memory_fd = sandbox->channel.wake_fd = sandbox->channel.peer_fd = -1;
	sandbox->status_fd = -1;
	sandbox->again = (struct loop_timer){ .fire = launch_again, .arg = sandbox };
	sandbox->look = (struct loop_timer){ .fire = look, .arg = sandbox };
	sandbox->watch = (struct loop_task){ .run = begin_to_watch, .arg = sandbox };
	error = launch(sandbox, cause);
	if (error) {
		free(sandbox);
		return error;
	}
	*out = sandbox;
	return 0;
}

int sandbox_start(struct sandbox **out, struct loop *loop, const struct sandbox_kind *kind,
		  const char *label, const struct sandbox_ops *ops, void *arg, struct cause *cause)
{
	return sandbox_start_with(out, loop, kind, label, -1, ops, arg, cause);
}

void sandbox_stop(struct sandbox *sandbox)
{
	if (!sandbox)
		return;
	loop_timer_cancel(sandbox->loop, &sandbox->again);
	put_down(sandbox);
	free(sandbox);
}

struct channel *sandbox_channel(struct sandbox *sandbox)
{
	return sandbox->ready ? &sandbox->channel : NULL;
}

void sandbox_broken(struct sandbox *sandbox, const char *why)
{
	if (sandbox->channel.memory_fd >= 0)
		down(sandbox, why, true);
}

uint32_t sandbox_walls(const struct sandbox *sandbox)
{
	return sandbox->ready ? sandbox->walls : 0;
}

int sandbox_pid(const struct sandbox *sandbox)
{
	return sandbox->pid;
}

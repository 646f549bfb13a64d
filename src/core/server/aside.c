/* See aside.h. */
#include "core/server/aside.h"

#include <errno.h>
#include <stdlib.h>

struct aside {
	struct worker_job job;
	const struct aside_kind *kind;
	void *arg;
	struct server *server;
	struct loop_timer late;
	bool answered;
	struct answer answer;
};

static void work(void *arg)
{
	const struct aside *aside = arg;

	aside->kind->work(aside->arg);
}

static void run_late(void *arg)
{
	struct aside *aside = arg;

	aside->answered = true;
	aside->server->overdue++;
	answer_result(&aside->answer, aside->kind->late(aside->arg));
}

static void answer(struct aside *aside)
{
	json_t *result = NULL;
	struct cause cause;
	int err = aside->kind->finish(aside->arg, aside->server->deck, &result, &cause);

	if (err)
		answer_error(&aside->answer, err, &cause);
	else
		answer_result(&aside->answer, result);
}

static void done(void *arg)
{
	struct aside *aside = arg;

	loop_timer_cancel(aside->server->loop, &aside->late);
	if (aside->answered)
		aside->server->overdue--;
	else
		answer(aside);
	aside_release(aside->server, aside->kind->release, aside->arg);
	free(aside);
}

int aside_begin(struct request *request, const struct aside_kind *kind, void *arg,
		struct cause *cause)
{
	struct server *server = request->server;
	struct aside *aside = calloc(1, sizeof(*aside));
	int err = -ENOMEM;

	if (aside) {
		*aside = (struct aside){ .job = { .work = work, .done = done, .arg = aside },
					 .kind = kind, .arg = arg, .server = server,
					 .late = { .fire = run_late, .arg = aside } };
		err = worker_post(&server->openers, &aside->job);
	}
	if (err) {
		free(aside);
		return cause_errno(cause, -err, "%s", request->method->name);
	}
	request_detach(request, &aside->answer);
	if (kind->late)
		loop_timer_set(server->loop, &aside->late, kind->patience);
	return 0;
}

/* --- what is only to be closed --- */

struct release {
	struct worker_job job;
	void (*release)(void *arg);
	void *arg;
};

static void release_it(void *arg)
{
	const struct release *release = arg;

	release->release(release->arg);
}

void aside_release(struct server *server, void (*release)(void *arg), void *arg)
{
	struct release *order = calloc(1, sizeof(*order));

	if (order)
		*order = (struct release){ .job = { .work = release_it, .done = free, .arg = order },
					   .release = release, .arg = arg };
	if (order && worker_post(&server->openers, &order->job) == 0)
		return;
	free(order);
	release(arg);
}

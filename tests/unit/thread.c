/* Threads with pooled stacks: many at once, reuse, names, signals, guard pages; workers. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/thread.h"
#include "base/worker.h"

#define MANY 150 /* more than one mapping holds */
#define DEEP (THREAD_STACK_SIZE / 4096 + 16) /* pages: beyond the stack, into the one below */

static const struct thread_role guest_role = { .name = "guest", .pooled = true };
static const struct thread_role single_role = { .name = "single" };

struct visit {
	struct thread thread;
	pthread_barrier_t *all_here;
	uintptr_t stack;
	char name[THREAD_NAME_MAX];
	sigset_t blocked;
};

static void *visit(void *arg)
{
	struct visit *visit = arg;
	char here[1000];

	memset(here, 1, sizeof(here));
	visit->stack = (uintptr_t)here;
	pthread_getname_np(pthread_self(), visit->name, sizeof(visit->name));
	pthread_sigmask(SIG_BLOCK, NULL, &visit->blocked);
	if (visit->all_here)
		pthread_barrier_wait(visit->all_here);
	return NULL;
}

static void threads_have_stacks_of_their_own(void **state)
{
	static struct visit visits[MANY];
	pthread_barrier_t all_here;

	(void)state;
	pthread_barrier_init(&all_here, NULL, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		visits[i].all_here = &all_here;
		assert_int_equal(thread_start(&visits[i].thread, &guest_role,
					      "one-of-very-many", visit, &visits[i]), 0);
	}
	for (unsigned i = 0; i < MANY; i++)
		thread_join(&visits[i].thread);
	for (unsigned i = 0; i < MANY; i++) {
		assert_string_equal(visits[i].name, "one-of-very-man");
		for (unsigned j = 0; j < i; j++) {
			uintptr_t a = visits[i].stack, b = visits[j].stack;

			assert_true((a > b ? a - b : b - a) >= 200 << 10);
		}
	}
	pthread_barrier_destroy(&all_here);
}

static void a_stack_serves_the_next_thread(void **state)
{
	struct visit first = { .all_here = NULL }, second = { .all_here = NULL };

	(void)state;
	assert_int_equal(thread_start(&first.thread, &guest_role, "first", visit, &first), 0);
	thread_join(&first.thread);
	assert_int_equal(thread_start(&second.thread, &guest_role, "second", visit, &second), 0);
	thread_join(&second.thread);
	assert_int_equal(first.stack, second.stack);
	assert_string_equal(second.name, "second");
}

static void signals_are_for_others(void **state)
{
	struct visit one = { .all_here = NULL };
	sigset_t mine;

	(void)state;
	assert_int_equal(thread_start(&one.thread, &guest_role, "one", visit, &one), 0);
	thread_join(&one.thread);
	assert_true(sigismember(&one.blocked, SIGTERM) && sigismember(&one.blocked, SIGUSR1));
	pthread_sigmask(SIG_BLOCK, NULL, &mine);
	assert_false(sigismember(&mine, SIGTERM));
}

static void a_role_names_its_thread_and_gives_it_the_system_s_stack(void **state)
{
	struct visit one = { .all_here = NULL };

	(void)state;
	assert_int_equal(thread_start(&one.thread, &single_role, NULL, visit, &one), 0);
	assert_null(one.thread.stack);
	thread_join(&one.thread);
	assert_string_equal(one.name, "single");
	assert_true(sigismember(&one.blocked, SIGTERM));
}

/* Down the stack a page at a time, until something is in the way. */
static void *dig(void *arg)
{
	volatile char page[4096];

	__asm__ volatile("" : : "r"(page) : "memory"); /* the whole of it is needed */
	page[0] = page[4095] = (char)(uintptr_t)arg;
	if ((uintptr_t)arg < DEEP)
		dig((void *)((uintptr_t)arg + 1));
	return (void *)(uintptr_t)page[0];
}

static void too_deep_a_stack_hits_the_guard(void **state)
{
	struct visit neighbour = { .all_here = NULL };
	const struct rlimit no_core = { 0, 0 };
	struct thread deep;
	int status;
	pid_t child;

	(void)state;
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGSEGV, SIG_DFL);
		/* Below the deep one's stack lies another one. */
		if (!thread_start(&neighbour.thread, &guest_role, "neighbour", visit, &neighbour) &&
		    !thread_start(&deep, &guest_role, "deep", dig, NULL))
			thread_join(&deep);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
}

#define JOBS 4

struct work {
	struct loop loop;
	struct worker worker;
	pthread_barrier_t *all_here; /* each job waits there until all are at work */
	unsigned done, runs;
	struct piece {
		struct worker_job job;
		struct work *work;
		unsigned place; /* in the order in which they were done, from 1 on */
	} pieces[JOBS];
};

static void work(void *arg)
{
	struct piece *piece = arg;

	if (piece->work->all_here)
		pthread_barrier_wait(piece->work->all_here);
}

static void done(void *arg)
{
	struct piece *piece = arg;

	piece->place = ++piece->work->done;
}

static void ran(void *arg)
{
	struct work *work = arg;

	work->runs++;
	if (work->done == JOBS)
		loop_stop(&work->loop);
}

static void do_work(struct work *work_to_do, unsigned threads)
{
	assert_int_equal(loop_init(&work_to_do->loop, NULL), 0);
	worker_init(&work_to_do->worker, &work_to_do->loop, &guest_role, threads);
	work_to_do->worker.ran = ran;
	work_to_do->worker.arg = work_to_do;
	for (unsigned i = 0; i < JOBS; i++) {
		struct piece *piece = &work_to_do->pieces[i];

		piece->work = work_to_do;
		piece->job = (struct worker_job){ .work = work, .done = done, .arg = piece };
		assert_int_equal(worker_post(&work_to_do->worker, &piece->job), 0);
	}
	assert_int_equal(loop_run(&work_to_do->loop), 0);
	assert_in_range(work_to_do->runs, 1, JOBS);
	assert_int_equal(work_to_do->worker.count, threads);
	worker_finish(&work_to_do->worker);
	worker_destroy(&work_to_do->worker);
	loop_destroy(&work_to_do->loop);
}

static void jobs_run_beside_each_other(void **state)
{
	pthread_barrier_t all_here;
	struct work work_to_do = { .all_here = &all_here };

	(void)state;
	pthread_barrier_init(&all_here, NULL, JOBS);
	do_work(&work_to_do, JOBS);
	pthread_barrier_destroy(&all_here);
}

static void jobs_of_one_thread_keep_their_order(void **state)
{
	struct work work_to_do = { .done = 0 };

	(void)state;
	do_work(&work_to_do, 1);
	for (unsigned i = 0; i < JOBS; i++)
		assert_int_equal(work_to_do.pieces[i].place, i + 1);
}

struct stuck {
	struct worker_job job;
	pthread_barrier_t begun, end;
	unsigned told;
};

static void get_stuck(void *arg)
{
	struct stuck *stuck = arg;

	pthread_barrier_wait(&stuck->begun);
	pthread_barrier_wait(&stuck->end);
}

static void tell(void *arg)
{
	((struct stuck *)arg)->told++;
}

static void a_worker_is_left_with_what_does_not_end(void **state)
{
	struct work work_to_do = { .done = 0 };
	struct worker *worker = &work_to_do.worker;
	struct piece *next = &work_to_do.pieces[0];
	struct stuck stuck = { .job = { get_stuck, tell, &stuck, NULL } };

	(void)state;
	pthread_barrier_init(&stuck.begun, NULL, 2);
	pthread_barrier_init(&stuck.end, NULL, 2);
	assert_int_equal(loop_init(&work_to_do.loop, NULL), 0);
	worker_init(worker, &work_to_do.loop, &guest_role, 1);
	assert_int_equal(worker_post(worker, &stuck.job), 0);
	next->job = (struct worker_job){ .work = work, .done = done, .arg = next };
	next->work = &work_to_do;
	assert_int_equal(worker_post(worker, &next->job), 0);
	pthread_barrier_wait(&stuck.begun);
	assert_false(worker_leave(worker, NS_PER_MS));
	loop_destroy(&work_to_do.loop); /* nobody needs it any more */
	pthread_barrier_wait(&stuck.end);
	thread_join(&worker->threads[0]);
	assert_int_equal(stuck.told + work_to_do.done, 0);
	worker_destroy(worker);
	pthread_barrier_destroy(&stuck.begun);
	pthread_barrier_destroy(&stuck.end);
}

struct chain {
	struct worker_job job;
	struct worker *worker;
	struct stuck *next;
};

static void no_work(void *arg)
{
	(void)arg;
}

static void post_next(void *arg)
{
	const struct chain *chain = arg;

	assert_int_equal(worker_post(chain->worker, &chain->next->job), 0);
}

/* What is left to be closed, say. */
static void a_worker_is_left_with_what_comes_of_its_jobs(void **state)
{
	struct work work_to_do = { .done = 0 };
	struct worker *worker = &work_to_do.worker;
	struct stuck stuck = { .job = { get_stuck, tell, &stuck, NULL } };
	struct chain chain = { .job = { no_work, post_next, &chain, NULL }, .worker = worker,
			       .next = &stuck };

	(void)state;
	pthread_barrier_init(&stuck.begun, NULL, 1);
	pthread_barrier_init(&stuck.end, NULL, 2);
	assert_int_equal(loop_init(&work_to_do.loop, NULL), 0);
	worker_init(worker, &work_to_do.loop, &guest_role, 1);
	assert_int_equal(worker_post(worker, &chain.job), 0);
	assert_false(worker_leave(worker, NS_PER_S));
	loop_destroy(&work_to_do.loop);
	pthread_barrier_wait(&stuck.end);
	thread_join(&worker->threads[0]);
	assert_int_equal(stuck.told, 0);
	worker_destroy(worker);
	pthread_barrier_destroy(&stuck.begun);
	pthread_barrier_destroy(&stuck.end);
}

static void a_worker_that_ends_in_time_is_not_left(void **state)
{
	struct work work_to_do = { .done = 0 };
	struct piece *piece = &work_to_do.pieces[0];

	(void)state;
	assert_int_equal(loop_init(&work_to_do.loop, NULL), 0);
	worker_init(&work_to_do.worker, &work_to_do.loop, &guest_role, 2);
	piece->job = (struct worker_job){ .work = work, .done = done, .arg = piece };
	piece->work = &work_to_do;
	assert_int_equal(worker_post(&work_to_do.worker, &piece->job), 0);
	assert_true(worker_leave(&work_to_do.worker, 600 * NS_PER_S));
	assert_int_equal(work_to_do.done, 1);
	worker_destroy(&work_to_do.worker);
	loop_destroy(&work_to_do.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_have_stacks_of_their_own),
		cmocka_unit_test(a_stack_serves_the_next_thread),
		cmocka_unit_test(signals_are_for_others),
		cmocka_unit_test(a_role_names_its_thread_and_gives_it_the_system_s_stack),
		cmocka_unit_test(too_deep_a_stack_hits_the_guard),
		cmocka_unit_test(jobs_run_beside_each_other),
		cmocka_unit_test(jobs_of_one_thread_keep_their_order),
		cmocka_unit_test(a_worker_is_left_with_what_does_not_end),
		cmocka_unit_test(a_worker_is_left_with_what_comes_of_its_jobs),
		cmocka_unit_test(a_worker_that_ends_in_time_is_not_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

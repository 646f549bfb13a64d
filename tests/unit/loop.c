/* The event loop: order of timers, tasks from other threads, removal inside a batch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/loop.h"
#include "lib/refuse.h"

static int setup(void **state)
{
	static struct loop loop;

	*state = &loop;
	return loop_init(&loop, NULL);
}

static int teardown(void **state)
{
	loop_destroy(*state);
	return 0;
}

struct order {
	struct loop *loop;
	char text[16];
};

static void note(void *arg, char c)
{
	struct order *order = arg;
	size_t n = strlen(order->text);

	order->text[n] = c;
	if (c == 'z')
		loop_stop(order->loop);
}

static void note_a(void *arg) { note(arg, 'a'); }
static void note_b(void *arg) { note(arg, 'b'); }
static void note_z(void *arg) { note(arg, 'z'); }

static void timers_fire_by_due_time(void **state)
{
	struct order order = { .loop = *state };
	struct loop_timer a = { .fire = note_a, .arg = &order };
	struct loop_timer b = { .fire = note_b, .arg = &order };
	struct loop_timer z = { .fire = note_z, .arg = &order };
	struct loop_timer never = { .fire = note_b, .arg = &order };

	loop_timer_set(*state, &z, 6 * NS_PER_MS);
	loop_timer_set(*state, &b, 4 * NS_PER_MS);
	loop_timer_set(*state, &never, 3 * NS_PER_MS);
	loop_timer_set(*state, &a, 5 * NS_PER_MS);
	loop_timer_set(*state, &a, 1 * NS_PER_MS); /* moved */
	loop_timer_cancel(*state, &never);
	loop_timer_cancel(*state, &never);
	assert_int_equal(loop_run(*state), 0);
	assert_string_equal(order.text, "abz");
}

static void aligned_timers_meet_at_multiples_of_their_periods(void **state)
{
	struct order order = { .loop = *state };
	struct loop_timer a = { .fire = note_a, .arg = &order };
	struct loop_timer b = { .fire = note_b, .arg = &order };
	struct loop_timer z = { .fire = note_z, .arg = &order };
	uint64_t before = clock_monotonic(), after;

	loop_timer_set_aligned(*state, &a, 1 * NS_PER_MS); /* first of those that are due together */
	loop_timer_set_aligned(*state, &b, 15 * NS_PER_MS);
	loop_timer_set_aligned(*state, &z, 30 * NS_PER_MS);
	after = clock_monotonic();
	assert_int_equal(z.due % (30 * NS_PER_MS), 0);
	assert_int_equal(b.due % (15 * NS_PER_MS), 0);
	assert_in_range(z.due, before + 1, after + 30 * NS_PER_MS);
	assert_in_range(b.due, before + 1, after + 15 * NS_PER_MS);
	assert_int_equal(loop_run(*state), 0);
	assert_in_range(clock_monotonic(), z.due, UINT64_MAX);
	assert_ptr_not_equal(strchr(order.text, 'a'), NULL);
	assert_ptr_not_equal(strchr(order.text, 'z'), NULL);
}

struct poster {
	struct loop *loop;
	struct loop_task task, stop;
	unsigned runs;
};

static void count_run(void *arg)
{
	struct poster *poster = arg;

	poster->runs++;
}

static void stop_loop(void *arg)
{
	struct poster *poster = arg;

	loop_stop(poster->loop);
}

static void *post_thread(void *arg)
{
	struct poster *poster = arg;

	loop_post(poster->loop, &poster->task);
	loop_post(poster->loop, &poster->stop);
	return NULL;
}

static void tasks_come_from_other_threads_and_coalesce(void **state)
{
	struct poster poster = { .loop = *state };
	struct loop_task taken_back = { .run = count_run, .arg = &poster };
	pthread_t thread;

	poster.task = (struct loop_task){ .run = count_run, .arg = &poster };
	poster.stop = (struct loop_task){ .run = stop_loop, .arg = &poster };
	loop_post(*state, &taken_back);
	loop_post(*state, &poster.task);
	loop_post(*state, &poster.task);
	loop_unpost(*state, &taken_back);
	pthread_create(&thread, NULL, post_thread, &poster);
	pthread_join(thread, NULL);
	assert_int_equal(loop_run(*state), 0);
	assert_int_equal(poster.runs, 1);
}

struct soon {
	struct order order; /* first: what note() takes */
	struct loop_task a, b, z, gone, posted;
	unsigned turns;
};

/* One that comes again has its turn after others', and nothing has to wake the loop for it. */
static void come_again(void *arg)
{
	struct soon *soon = arg;

	note_a(&soon->order);
	if (++soon->turns < 3)
		loop_soon(soon->order.loop, &soon->a);
	else
		loop_soon(soon->order.loop, &soon->z);
}

static void begin(void *arg)
{
	struct soon *soon = arg;

	loop_soon(soon->order.loop, &soon->gone);
	loop_soon(soon->order.loop, &soon->a);
	loop_soon(soon->order.loop, &soon->a);
	loop_soon(soon->order.loop, &soon->b);
	loop_unpost(soon->order.loop, &soon->gone);
}

static void own_tasks_need_no_wake(void **state)
{
	struct soon soon = { .order.loop = *state };

	soon.a = (struct loop_task){ .run = come_again, .arg = &soon };
	soon.b = (struct loop_task){ .run = note_b, .arg = &soon };
	soon.z = (struct loop_task){ .run = note_z, .arg = &soon };
	soon.gone = (struct loop_task){ .run = note_z, .arg = &soon };
	soon.posted = (struct loop_task){ .run = begin, .arg = &soon };
	loop_post(*state, &soon.posted);
	assert_int_equal(loop_run(*state), 0);
	assert_string_equal(soon.order.text, "abaaz");
}

struct pair {
	struct loop *loop;
	struct loop_source sources[2];
	unsigned runs;
};

/* Whichever runs first removes both: the other must not be called. */
static void remove_both(void *arg, uint32_t events)
{
	struct pair *pair = arg;

	assert_true(events & EPOLLIN);
	pair->runs++;
	loop_remove(pair->loop, &pair->sources[0]);
	loop_remove(pair->loop, &pair->sources[1]);
	loop_stop(pair->loop);
}

static void removed_source_is_not_called_in_the_same_batch(void **state)
{
	struct pair pair = { .loop = *state };
	int fds[2];

	for (int i = 0; i < 2; i++) {
		fds[i] = eventfd(1, EFD_CLOEXEC);
		assert_int_equal(loop_add(*state, &pair.sources[i], fds[i], EPOLLIN, remove_both,
					  &pair), 0);
	}
	assert_int_equal(loop_run(*state), 0);
	assert_int_equal(pair.runs, 1);
	close(fds[0]);
	close(fds[1]);
}

/* A timer by less than a millisecond, then a descriptor; in a process that ends with what it saw. */
static bool waits_without(struct refusal refusal)
{
	struct order order = { .text = "" };
	struct loop_timer a = { .fire = note_a, .arg = &order };
	struct loop_timer z = { .fire = note_z, .arg = &order };
	struct pair pair = { 0 };
	uint64_t begin = clock_monotonic();
	struct loop loop;
	int status, fd = eventfd(0, EFD_CLOEXEC);
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid) {
		close(fd);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		return WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	order.loop = pair.loop = &loop;
	if (refuse_calls(&refusal, 1) < 0 || loop_init(&loop, NULL) < 0)
		_exit(1);
	loop_timer_set(&loop, &a, NS_PER_MS / 4);
	loop_timer_set(&loop, &z, NS_PER_MS / 2);
	if (loop_run(&loop) < 0 || strcmp(order.text, "az") ||
	    clock_monotonic() - begin < NS_PER_MS / 2)
		_exit(2);
	loop_add(&loop, &pair.sources[0], fd, EPOLLIN, remove_both, &pair);
	eventfd_write(fd, 1);
	if (loop_run(&loop) < 0 || pair.runs != 1)
		_exit(3);
	_exit(0);
}

/* Kernels before 5.11 have no epoll_pwait2(), and containers' filters answer for it as they like. */
static void waits_where_the_newest_call_is_refused(void **state)
{
	(void)state;
	assert_true(waits_without((struct refusal){ SYS_epoll_pwait2, ENOSYS }));
	assert_true(waits_without((struct refusal){ SYS_epoll_pwait2, EPERM }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_where_the_newest_call_is_refused),
		cmocka_unit_test_setup_teardown(timers_fire_by_due_time, setup, teardown),
		cmocka_unit_test_setup_teardown(
			aligned_timers_meet_at_multiples_of_their_periods, setup, teardown),
		cmocka_unit_test_setup_teardown(own_tasks_need_no_wake, setup, teardown),
		cmocka_unit_test_setup_teardown(tasks_come_from_other_threads_and_coalesce, setup,
						teardown),
		cmocka_unit_test_setup_teardown(removed_source_is_not_called_in_the_same_batch,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

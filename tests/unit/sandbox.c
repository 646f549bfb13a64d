/*
 * Processes of their own, which are this program started again: they answer,
 * die, hang, fail to come up and talk nonsense, and end with whoever started them.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/checked.h"
#include "base/clock.h"
#include "sandbox/helper.h"
#include "sandbox/sandbox.h"

#define LAYOUT { .to_process = 4096, .from_process = 4096, .shared = 4096 }
#define WALLS { .memory = 256u << 20, .descriptors = 16 }

/* --- what runs behind the walls --- */

static void wait_for_record(struct channel *channel)
{
	struct pollfd fd = { .fd = channel->wake_fd, .events = POLLIN };

	if (channel_wait_for_record(&channel->in))
		poll(&fd, 1, -1);
	channel_woken(channel);
}

static void answer(struct channel *channel, const void *data, uint32_t size, uint32_t mark)
{
	void *room = channel_reserve(&channel->out, size);

	if (room)
		memcpy(room, data, size);
	channel_commit(&channel->out, size, mark);
	channel_publish(&channel->out);
}

/* Sends back what it is sent, until it is sent an order. */
static void run_echo(struct channel *channel, const char *label)
{
	uint32_t size, mark;
	char text[4096];

	for (;;) {
		wait_for_record(channel);
		while (channel_next(&channel->in, &size, &mark) == 1) {
			channel_copy(&channel->in, text, size);
			if (mark == 'x')
				_exit(7);
			if (mark == 'a')
				__builtin_trap();
			if (mark == 'h')
				for (;;)
					poll(NULL, 0, -1);
			if (mark == 'g')
				channel->out.head = 12345678;
			answer(channel, mark == 'l' ? label : text,
			       mark == 'l' ? (uint32_t)strlen(label) : size, mark);
			channel_drop(&channel->in);
			channel_release(&channel->in);
		}
	}
}

static void run_once(struct channel *channel, const char *label)
{
	answer(channel, label, (uint32_t)strlen(label), 1);
}

static int take_time(struct cause *cause)
{
	(void)cause;
	usleep(100000);
	return 0;
}

static int refuse(struct cause *cause)
{
	return cause_set(cause, ENOENT, "no such library\033[2J");
}

static const struct sandbox_kind echo = {
	.name = "echo", .layout = LAYOUT, .walls = WALLS, .run = run_echo,
};
static const struct sandbox_kind once = {
	.name = "once", .layout = LAYOUT, .walls = WALLS, .once = true, .prepare = take_time,
	.run = run_once,
};
static const struct sandbox_kind failing = {
	.name = "failing", .layout = LAYOUT, .walls = WALLS, .once = true, .prepare = refuse,
	.run = run_once,
};

static const struct sandbox_kind *const kinds[] = { &echo, &once, &failing, NULL };

/* --- this side --- */

struct owner {
	struct loop loop;
	struct loop_timer timeout;
	struct sandbox *sandbox;
	const struct sandbox_kind *kind;
	unsigned ready, ended;
	char why[SANDBOX_WHY_MAX];
	uint64_t again;
	char got[4096];
	uint32_t mark;
	unsigned records;
	bool stop_when_ready, stop_when_ended;
};

static void on_ready(void *arg)
{
	struct owner *owner = arg;

	owner->ready++;
	channel_wait_for_record(&sandbox_channel(owner->sandbox)->in);
	if (owner->stop_when_ready)
		loop_stop(&owner->loop);
}

static void on_input(void *arg)
{
	struct owner *owner = arg;
	struct channel *channel = sandbox_channel(owner->sandbox);
	uint32_t size;
	int result;

	do {
		while ((result = channel_next(&channel->in, &size, &owner->mark)) == 1) {
			channel_copy(&channel->in, owner->got, size);
			owner->got[size] = 0;
			owner->records++;
			channel_drop(&channel->in);
			loop_stop(&owner->loop);
		}
		if (result < 0) {
			sandbox_broken(owner->sandbox, "it broke its channel");
			return;
		}
		channel_release(&channel->in);
	} while (!channel_wait_for_record(&channel->in));
}

static void on_ended(void *arg, const char *why, uint64_t again_ns)
{
	struct owner *owner = arg;

	owner->ended++;
	owner->again = again_ns;
	snprintf(owner->why, sizeof(owner->why), "%s", why);
	if (owner->stop_when_ended)
		loop_stop(&owner->loop);
}

static const struct sandbox_ops ops = { .ready = on_ready, .input = on_input, .ended = on_ended };

static void on_timeout(void *arg)
{
	(void)arg;
	fail_msg("nothing happened");
}

static void run(struct owner *owner)
{
	loop_timer_set(&owner->loop, &owner->timeout, 60 * NS_PER_S);
	loop_run(&owner->loop);
	atomic_store(&owner->loop.stop, false);
	loop_timer_cancel(&owner->loop, &owner->timeout);
}

static void open_owner(struct owner *owner, const struct sandbox_kind *kind, const char *label)
{
	struct cause cause;

	memset(owner, 0, sizeof(*owner));
	owner->timeout = (struct loop_timer){ .fire = on_timeout };
	assert_int_equal(loop_init(&owner->loop, &cause), 0);
	if (sandbox_start(&owner->sandbox, &owner->loop, kind, label, &ops, owner, &cause) < 0)
		fail_msg("%s", cause.text);
}

static void close_owner(struct owner *owner)
{
	sandbox_stop(owner->sandbox);
	loop_destroy(&owner->loop);
}

static void until_ready(struct owner *owner)
{
	owner->stop_when_ready = true;
	run(owner);
	owner->stop_when_ready = false;
}

static void until_ended(struct owner *owner)
{
	owner->stop_when_ended = true;
	run(owner);
	owner->stop_when_ended = false;
}

static void order(struct owner *owner, const char *text, uint32_t mark)
{
	struct channel *channel = sandbox_channel(owner->sandbox);

	answer(channel, text, (uint32_t)strlen(text), mark);
	sandbox_sent(owner->sandbox);
}

static void it_answers_behind_its_walls(void **state)
{
	const uint32_t always = WALL_NOT_ROOT | WALL_CAPABILITIES | WALL_NO_NEW_PRIVS |
				WALL_SECCOMP | WALL_LIMITS | WALL_NO_CORE;
	struct owner owner;

	(void)state;
	open_owner(&owner, &echo, "web lan");
	until_ready(&owner);
	order(&owner, "hello", 5);
	run(&owner);
	assert_string_equal(owner.got, "hello");
	assert_int_equal(owner.mark, 5);
	order(&owner, "", 'l');
	run(&owner);
	assert_string_equal(owner.got, "web lan");
	for (unsigned i = 0; i < WALL_COUNT; i++)
		if (!(sandbox_walls(owner.sandbox) & 1u << i))
			print_message("this host refuses: %s\n", wall_name(i));
	assert_int_equal(sandbox_walls(owner.sandbox) & always, always);
	assert_true(sandbox_pid(owner.sandbox) > 0);
	assert_int_equal(owner.ended, 0);
	close_owner(&owner);
}

static void dies(const char *what, uint32_t mark, const char *why)
{
	struct owner owner;

	(void)what;
	open_owner(&owner, &echo, what);
	until_ready(&owner);
	order(&owner, "", mark);
	until_ended(&owner);
	assert_non_null(strstr(owner.why, why));
	assert_true(owner.again > 0);
	assert_null(sandbox_channel(owner.sandbox));
	until_ready(&owner);
	order(&owner, "again", 5);
	run(&owner);
	assert_string_equal(owner.got, "again");
	close_owner(&owner);
}

static void one_that_ends_is_started_again(void **state)
{
	(void)state;
	dies("exits", 'x', "status 7");
}

static void one_that_crashes_is_started_again(void **state)
{
	(void)state;
#ifdef THREAD_SANITIZED
	skip();
#endif
	dies("crashes", 'a', "signal 4");
}

static void one_that_hangs_is_ended_and_started_again(void **state)
{
	(void)state;
	dies("hangs", 'h', "did not answer");
}

static void one_that_lies_is_ended_and_started_again(void **state)
{
	(void)state;
	dies("garbage", 'g', "broke its channel");
}

static void pauses_grow(void **state)
{
	struct owner owner;
	uint64_t last = 0;

	(void)state;
	open_owner(&owner, &echo, "again");
	for (unsigned i = 0; i < 3; i++) {
		until_ready(&owner);
		kill(sandbox_pid(owner.sandbox), SIGKILL);
		until_ended(&owner);
		assert_non_null(strstr(owner.why, "signal 9"));
		assert_true(owner.again > last);
		last = owner.again;
	}
	close_owner(&owner);
}

static void one_that_is_stopped_is_ended(void **state)
{
	struct owner owner;

	(void)state;
	open_owner(&owner, &echo, "stopped");
	until_ready(&owner);
	kill(sandbox_pid(owner.sandbox), SIGSTOP);
	order(&owner, "hello", 5);
	until_ended(&owner);
	assert_non_null(strstr(owner.why, "did not answer"));
	close_owner(&owner);
}

/* The first of pid's children. */
static int child_of(int pid)
{
	char path[64];
	int child = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &child), 1);
	fclose(file);
	return child;
}

/* The one that is nobody's, which the first has forked for what was started before. */
static int helper_pid(void)
{
	return child_of(child_of(getpid()));
}

/* How many processes the helper has. */
static unsigned processes(void)
{
	char path[64];
	int helper = helper_pid(), pid;
	unsigned count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", helper, helper);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fscanf(file, "%d", &pid) == 1)
		count++;
	fclose(file);
	return count;
}

static void until_none(void)
{
	for (unsigned i = 0; i < 1000 && processes(); i++)
		usleep(10000);
	assert_int_equal(processes(), 0);
}

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

/* There is a process, of which nothing else was heard; the status is what epoll tells of first. */
static void until_started(struct owner *owner)
{
	struct loop_timer tick = { .fire = stop_loop, .arg = &owner->loop };

	while (!sandbox_pid(owner->sandbox)) {
		usleep(1000);
		loop_timer_set(&owner->loop, &tick, 0);
		run(owner);
	}
}

/* What a process had to say is heard, however soon it ends. */
static void one_that_is_there_once_ends(void **state)
{
	struct owner owner;

	(void)state;
	open_owner(&owner, &once, "only");
	until_started(&owner);
	usleep(200000);
	until_none();
	until_ended(&owner);
	assert_string_equal(owner.got, "only");
	assert_int_equal(owner.again, 0);
	close_owner(&owner);
}

static void why_it_cannot_come_up_is_told(void **state)
{
	struct owner owner;

	(void)state;
	open_owner(&owner, &failing, "fails");
	until_ended(&owner);
	assert_string_equal(owner.why, "no such library?[2J");
	assert_int_equal(owner.ready, 0);
	close_owner(&owner);
}

/* A process that has a helper and a sandboxed process, and waits to be killed. */
static void live(int out)
{
	struct owner owner;
	int pid;

	open_owner(&owner, &echo, "left");
	until_ready(&owner);
	pid = sandbox_pid(owner.sandbox);
	if (write(out, &pid, sizeof(pid)) != sizeof(pid))
		_exit(1);
	for (;;)
		pause();
}

/* At whatever time between the request and the helper's word of it. */
static void one_that_is_stopped_at_once_is_ended(void **state)
{
	struct owner owner;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		open_owner(&owner, &echo, "at once");
		usleep(i % 10 * 2000);
		close_owner(&owner);
	}
	until_none();
}

/* One of root's has become nobody, who has other processes: they cannot look into it. */
static void the_helper_cannot_be_looked_into(void **state)
{
	char path[64];
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip();
	snprintf(path, sizeof(path), "/proc/%d/mem", helper_pid());
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
}

/* As containers do: no clone3(), no namespaces, and fewer descriptors than a process may have. */
static bool enter_container(void)
{
	static const struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_unshare, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_NEWUSER, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { ARRAY_SIZE(program), (struct sock_filter *)program };
	const struct rlimit few = { 15, 15 };

	return setrlimit(RLIMIT_NOFILE, &few) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static void live_in_container(void)
{
	struct owner owner;

	open_owner(&owner, &echo, "");
	until_ready(&owner);
	_exit((sandbox_walls(owner.sandbox) & (WALL_USER | WALL_LIMITS)) != WALL_LIMITS);
}

static void containers_have_them_too(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		if (enter_container())
			execl("/proc/self/exe", "sandbox-container", NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Whether it is no more, or waits for whoever has inherited it to take note of its end. */
static bool ended(int pid)
{
	char path[64], state = 'Z';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (file && fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	if (file)
		fclose(file);
	return state == 'Z';
}

static bool ends(int pid)
{
	for (unsigned i = 0; i < 1000; i++) {
		if (ended(pid))
			return true;
		usleep(10000);
	}
	return false;
}

static void nothing_is_left_when_its_owner_is_killed(void **state)
{
	int fds[2], pid = 0;
	char out[16];
	pid_t owner;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	snprintf(out, sizeof(out), "%d", fds[1]);
	owner = fork();
	if (owner == 0) {
		execl("/proc/self/exe", "sandbox-owner", out, NULL);
		_exit(1);
	}
	assert_int_equal(read(fds[0], &pid, sizeof(pid)), sizeof(pid));
	assert_false(ended(pid));
	kill(owner, SIGKILL);
	assert_int_equal(waitpid(owner, NULL, 0), owner);
	assert_true(ends(pid));
	close(fds[0]);
	close(fds[1]);
}

/* The last one: nothing can be started after it. */
static void without_a_helper_nothing_is_started_again(void **state)
{
	struct owner owner;
	struct sandbox *other;
	struct cause cause;
	int error;

	(void)state;
	open_owner(&owner, &echo, "alone");
	until_ready(&owner);
	kill(helper_pid(), SIGKILL);
	until_ended(&owner);
	assert_string_equal(owner.why, HELPER_GONE);
	assert_int_equal(owner.again, 0);
	/* The kernel closes what it had open one by one. */
	while (!(error = sandbox_start(&other, &owner.loop, &echo, "other", &ops, &owner, &cause)))
		sandbox_stop(other);
	assert_int_equal(error, -ESRCH);
	close_owner(&owner);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_answers_behind_its_walls),
		cmocka_unit_test(one_that_ends_is_started_again),
		cmocka_unit_test(one_that_crashes_is_started_again),
		cmocka_unit_test(one_that_hangs_is_ended_and_started_again),
		cmocka_unit_test(one_that_lies_is_ended_and_started_again),
		cmocka_unit_test(pauses_grow),
		cmocka_unit_test(one_that_is_stopped_is_ended),
		cmocka_unit_test(one_that_is_there_once_ends),
		cmocka_unit_test(why_it_cannot_come_up_is_told),
		cmocka_unit_test(one_that_is_stopped_at_once_is_ended),
		cmocka_unit_test(the_helper_cannot_be_looked_into),
		cmocka_unit_test(containers_have_them_too),
		cmocka_unit_test(nothing_is_left_when_its_owner_is_killed),
		cmocka_unit_test(without_a_helper_nothing_is_started_again),
	};
	struct cause cause;

	sandbox_entry(argc, argv, kinds);
	if (helper_start(NULL, &cause) < 0) {
		fprintf(stderr, "%s\n", cause.text);
		return 1;
	}
	if (argc == 2 && strcmp(argv[0], "sandbox-owner") == 0)
		live(atoi(argv[1]));
	if (strcmp(argv[0], "sandbox-container") == 0)
		live_in_container();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

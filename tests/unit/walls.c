/*
 * Walls: what is planted behind them tries to get out. This program is what it
 * starts behind the walls of each kind of process; each attempt has a process of
 * its own, succeeds without walls, and must fail behind them. As root everything
 * happens a second time as another user.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/thread.h"
#include "net/capture/filter_compiler.h"
#include "net/port/nat_process.h"
#include "net/port/replay_process.h"
#include "sandbox/helper.h"
#include "sandbox/sandbox.h"
#include "sandbox/view.h"
#include "tui/console/emulator_process.h"
#include "attempts.h"

#define SOMEBODY 12345
#define KILLED (-1)

/* --- behind the walls --- */

static void run_prober(struct channel *channel, const char *label)
{
	struct pollfd fd = { .fd = channel->wake_fd, .events = POLLIN };
	struct target target;
	uint32_t size, mark;

	while (channel_next(&channel->in, &size, &mark) != 1) {
		if (channel_wait_for_record(&channel->in))
			poll(&fd, 1, -1);
		channel_woken(channel);
	}
	memcpy(&target, channel->shared, sizeof(target));
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++)
		if (!strcmp(attempts[i].name, label)) {
			int error = attempts[i].act(&target);

			memcpy(channel_reserve(&channel->out, sizeof(error)), &error,
			       sizeof(error));
			channel_commit(&channel->out, sizeof(error), 0);
			channel_publish(&channel->out);
		}
	/* Its end would be taken for the answer if it came first. */
	for (;;)
		poll(NULL, 0, -1);
}

#define PROBER(kind) \
	{ .name = kind, .layout = { 4096, 4096, 4096 }, .once = true, .run = run_prober }

static const char *const etc[] = { "/etc", "/no/such/folder", NULL };

/* With the walls of the kinds there are, and of one that reads and has the network. */
static struct sandbox_kind like_emulator = PROBER("emulator");
static struct sandbox_kind like_compiler = PROBER("compiler");
static struct sandbox_kind like_nat = PROBER("nat");
static struct sandbox_kind like_replay = PROBER("replay");
static struct sandbox_kind reader = PROBER("reader");
static const struct sandbox_kind *const kinds[] = { &like_emulator, &like_compiler, &like_nat,
						    &like_replay, &reader, NULL };

static void fill_kinds(void)
{
	like_emulator.walls = emulator_process.walls;
	like_compiler.walls = filter_process.walls;
	like_nat.walls = nat_process.walls;
	like_replay.walls = replay_process.walls;
	reader.walls = (struct walls){ .readable = etc, .memory = 256u << 20, .descriptors = 32,
				       .network = true, .filter = FILTER_NAT };
}

/* --- this side --- */

static struct target outside;
static volatile char owned = 1;

struct owner {
	struct loop loop;
	struct loop_timer timeout;
	struct sandbox *sandbox;
	int error; /* of the attempt */
	bool over;
};

static void on_ready(void *arg)
{
	struct owner *owner = arg;
	struct channel *channel = sandbox_channel(owner->sandbox);

	memcpy(channel->shared, &outside, sizeof(outside));
	channel_wait_for_record(&channel->in);
	assert_non_null(channel_reserve(&channel->out, 1));
	channel_commit(&channel->out, 1, 0);
	channel_publish(&channel->out);
	loop_stop(&owner->loop);
}

static void on_input(void *arg)
{
	struct owner *owner = arg;
	struct channel *channel = sandbox_channel(owner->sandbox);
	uint32_t size, mark;

	if (channel_next(&channel->in, &size, &mark) == 1) {
		channel_copy(&channel->in, &owner->error, sizeof(owner->error));
		owner->over = true;
		loop_stop(&owner->loop);
	} else {
		channel_wait_for_record(&channel->in);
	}
}

static void on_ended(void *arg, const char *why, uint64_t again_ns)
{
	struct owner *owner = arg;

	(void)again_ns;
	if (!strstr(why, "signal 31"))
		fail_msg("%s", why);
	owner->error = KILLED;
	owner->over = true;
	loop_stop(&owner->loop);
}

static const struct sandbox_ops ops = { .ready = on_ready, .input = on_input, .ended = on_ended };

static void on_timeout(void *arg)
{
	(void)arg;
	fail_msg("nothing happened");
}

static void turn(struct owner *owner)
{
	loop_timer_set(&owner->loop, &owner->timeout, 60 * NS_PER_S);
	loop_run(&owner->loop);
	atomic_store(&owner->loop.stop, false);
	loop_timer_cancel(&owner->loop, &owner->timeout);
}

/* Until it is ready. */
static void start(struct owner *owner, const struct sandbox_kind *kind, const char *label)
{
	struct cause cause;

	*owner = (struct owner){ .timeout = { .fire = on_timeout } };
	assert_int_equal(loop_init(&owner->loop, &cause), 0);
	if (sandbox_start(&owner->sandbox, &owner->loop, kind, label, &ops, owner, &cause) < 0)
		fail_msg("%s", cause.text);
	turn(owner);
}

static void stop(struct owner *owner)
{
	sandbox_stop(owner->sandbox);
	loop_destroy(&owner->loop);
}

static int behind(const struct sandbox_kind *kind, const struct attempt *attempt)
{
	struct owner owner;

	start(&owner, kind, attempt->name);
	while (!owner.over)
		turn(&owner);
	stop(&owner);
	return owner.error;
}

/* In a child without walls, or after before() alone. */
static int apart(void (*before)(void), const struct attempt *attempt)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (before)
			before();
		_exit(attempt->act(&outside));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED;
}

static const struct attempt *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++)
		if (!strcmp(attempts[i].name, name))
			return &attempts[i];
	fail_msg("%s", name);
	return NULL;
}

/* --- tests --- */

static void without_walls_each_succeeds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		int error = apart(NULL, &attempts[i]);
		char path[128];

		if (error)
			fail_msg("%s: %s", attempts[i].name, strerror(error));
		snprintf(path, sizeof(path), "%s/new", outside.folder);
		unlink(path);
		snprintf(path, sizeof(path), "%s/folder", outside.folder);
		rmdir(path);
	}
}

static void behind_walls_none_succeeds(void **state)
{
	(void)state;
	for (const struct sandbox_kind *const *kind = kinds; *kind; kind++)
		for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
			const struct attempt *attempt = &attempts[i];
			bool allowed = (attempt->network && (*kind)->walls.network) ||
				       (attempt->reading && (*kind)->walls.readable);
			int error;

#ifdef THREAD_SANITIZED
			if (attempt->sanitized)
				continue;
#endif
			error = behind(*kind, attempt);
			if (allowed && error)
				fail_msg("%s may not %s: %s", (*kind)->name, attempt->name,
					 strerror(error));
			if (!allowed && !error)
				fail_msg("%s can %s", (*kind)->name, attempt->name);
		}
}

/* What the system calls are open to must be kept by others, one wall at a time. */

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		_exit(98);
	close(fd);
}

static void enter_view(void)
{
	char map[64];
	unsigned uid = geteuid(), gid = getegid();

	if (uid != 0) {
		if (unshare(CLONE_NEWUSER) < 0)
			_exit(97);
		put("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "0 %u 1", uid);
		put("/proc/self/uid_map", map);
		snprintf(map, sizeof(map), "0 %u 1", gid);
		put("/proc/self/gid_map", map);
	}
	if (!view_enter(etc))
		_exit(97);
}

static void view_alone_keeps_from_files(void **state)
{
	static const char *const kept[] = { "read-file", "read-process", "list-processes",
					    "write-file", "create-file", "create-folder",
					    "connect-named", "execute" };
	(void)state;
	if (apart(enter_view, find("read-etc")) == 97) {
		print_message("this host gives no mount namespace\n");
		skip();
	}
	assert_int_equal(apart(enter_view, find("read-etc")), 0);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		assert_int_equal(apart(enter_view, find(kept[i])), ENOENT);
}

static int write_root(const struct target *target)
{
	(void)target;
	if (open("/etc/new", O_WRONLY | O_CREAT, 0600) >= 0 || errno != EROFS)
		return 1;
	return mkdir("/new", 0700) == 0 || errno != EROFS;
}

static void view_alone_cannot_be_written_to(void **state)
{
	const struct attempt attempt = { .act = write_root };
	int error = apart(enter_view, &attempt);

	(void)state;
	if (error == 97)
		skip();
	assert_int_equal(error, 0);
}

static void enter_landlock(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!landlock_enter(etc, false))
		_exit(97);
}

static void landlock_alone_keeps_from_files(void **state)
{
	static const char *const kept[] = { "read-file", "list-processes", "write-file",
					    "create-file", "create-folder", "execute" };
	(void)state;
	if (apart(enter_landlock, find("read-etc")) == 97) {
		print_message("this host has no Landlock\n");
		skip();
	}
	assert_int_equal(apart(enter_landlock, find("read-etc")), 0);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		assert_int_equal(apart(enter_landlock, find(kept[i])), EACCES);
}

static void landlock_alone_keeps_from_others(void **state)
{
	static const struct {
		const char *name;
		long version;
		int error;
	} kept[] = {
		{ "connect-tcp", 4, EACCES },	{ "connect-abstract", 6, EPERM },
		{ "signal-owner", 6, EPERM },	{ "trace-owner", 1, EPERM },
	};
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);

	(void)state;
	if (version < 1)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (version >= kept[i].version)
			assert_int_equal(apart(enter_landlock, find(kept[i].name)), kept[i].error);
}

/* --- what is there outside --- */

static int listen_at(int family, const void *address, size_t size)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, address, (socklen_t)size), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

static int listeners[3];
static struct owner sibling;

static int set_up(void **state)
{
	struct sockaddr_un named = { .sun_family = AF_UNIX }, abstract;
	struct sockaddr_in tcp = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(tcp);
	int fd;

	(void)state;
	outside.owner = getpid();
	outside.memory = (uintptr_t)&owned;
	snprintf(outside.folder, sizeof(outside.folder), "/tmp/vmdeck-walls-XXXXXX");
	assert_non_null(mkdtemp(outside.folder));
	chmod(outside.folder, 0777);
	snprintf(outside.secret, sizeof(outside.secret), "%.60s/secret", outside.folder);
	fd = open(outside.secret, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	fchmod(fd, 0666);
	close(fd);
	snprintf(outside.named, sizeof(outside.named), "%.60s/socket", outside.folder);
	snprintf(outside.abstract, sizeof(outside.abstract), "vmdeck-walls-%d", outside.owner);
	snprintf(named.sun_path, sizeof(named.sun_path), "%s", outside.named);
	listeners[0] = listen_at(AF_UNIX, &named, sizeof(named));
	chmod(outside.named, 0777);
	listeners[1] = listen_at(AF_UNIX, &abstract, abstract_address(&abstract, outside.abstract));
	listeners[2] = listen_at(AF_INET, &tcp, sizeof(tcp));
	getsockname(listeners[2], (struct sockaddr *)&tcp, &size);
	outside.port = ntohs(tcp.sin_port);
	start(&sibling, &reader, "sibling");
	/* Without walls it is another child; behind them it is one behind walls. */
	outside.sibling = sandbox_pid(sibling.sandbox);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	stop(&sibling);
	for (size_t i = 0; i < ARRAY_SIZE(listeners); i++)
		close(listeners[i]);
	unlink(outside.secret);
	unlink(outside.named);
	rmdir(outside.folder);
	return 0;
}

static int run_all(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_walls_each_succeeds),
		cmocka_unit_test(behind_walls_none_succeeds),
		cmocka_unit_test(view_alone_keeps_from_files),
		cmocka_unit_test(view_alone_cannot_be_written_to),
		cmocka_unit_test(landlock_alone_keeps_from_files),
		cmocka_unit_test(landlock_alone_keeps_from_others),
	};
	struct cause cause;

	if (helper_start(NULL, &cause) < 0) {
		fprintf(stderr, "%s\n", cause.text);
		return 1;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* In a child, so that each has a helper of its own. */
static int run_as(bool somebody)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (somebody && (setgroups(0, NULL) < 0 ||
				 setresgid(SOMEBODY, SOMEBODY, SOMEBODY) < 0 ||
				 setresuid(SOMEBODY, SOMEBODY, SOMEBODY) < 0))
			_exit(1);
		prctl(PR_SET_DUMPABLE, 1);
		_exit(run_all());
	}
	return waitpid(pid, &status, 0) != pid || status != 0;
}

int main(int argc, char **argv)
{
	fill_kinds();
	sandbox_entry(argc, argv, kinds);
	if (run_as(false))
		return 1;
	return geteuid() == 0 ? run_as(true) : 0;
}

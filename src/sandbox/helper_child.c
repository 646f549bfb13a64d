/*
 * How a child of the helper begins, up to the program that it executes. In the
 * helper, which has one thread, and in the child.
 *
 * clone(2), user_namespaces(7), prctl(2), execveat(2).
 */
#include "sandbox/helper_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/checked.h"

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? write(fd, text, strlen(text)) : -1;

	(void)n; /* what it was for is looked at by the walls */
	if (fd >= 0)
		close(fd);
}

/* Of a user namespace that has just been made, from inside. */
static void map_self(uid_t uid, gid_t gid)
{
	char text[64];

	/* Who was root does not own its own files there; the helper stays like that. */
	prctl(PR_SET_DUMPABLE, 1);
	write_text("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "0 %u 1", uid);
	write_text("/proc/self/uid_map", text);
	snprintf(text, sizeof(text), "0 %u 1", gid);
	write_text("/proc/self/gid_map", text);
}

/* Puts count fds, none of which is a standard one, at first and after it. */
static bool place(const int *fds, int count, int first)
{
	int high[REQUEST_FDS];

	for (int i = 0; i < count; i++) {
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, HELPER_FD_COUNT);
		if (high[i] < 0)
			return false;
	}
	for (int i = 0; i < count; i++)
		if (dup2(high[i], first + i) < 0)
			return false;
	return true;
}

/* Lets a child end with the helper, and begin with all signals as they are by nature. */
static void begin_child(int helper)
{
	struct pollfd parent = { .fd = helper, .events = POLLIN };
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (poll(&parent, 1, 0) > 0)
		_exit(0); /* it was gone before that */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * What a child is given of the environment: what its loader and its language need, and a
 * program also whose it is.
 */
static char **environment(bool program)
{
	static const char *const kept[] = { "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH",
					    "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS",
					    /* of a program */
					    "HOME", "USER", "PATH" };
	const size_t kept_count = program ? ARRAY_SIZE(kept) : ARRAY_SIZE(kept) - 3;
	static char text[ARRAY_SIZE(kept)][512];
	static char *list[ARRAY_SIZE(kept) + 1];
	size_t count = 0;

	for (size_t i = 0; i < kept_count; i++) {
		const char *value = getenv(kept[i]);

		if (!value)
			continue;
		snprintf(text[count], sizeof(text[count]), "%s=%s", kept[i], value);
		list[count] = text[count];
		count++;
	}
	return list;
}

static void __attribute__((noreturn)) run_process(int self, int image, const struct request *request,
						  const int *fds, bool own_user, uid_t uid, gid_t gid)
{
	char name[sizeof(HELPER_PREFIX) + HELPER_NAME_MAX], label[HELPER_LABEL_MAX];
	char *argv[] = { name, label, NULL };
	int program = fcntl(image, F_DUPFD_CLOEXEC, HELPER_FD_COUNT);

	/* Where AppArmor lets nobody have privileges in it, a user namespace is still a wall. */
	if (own_user)
		map_self(uid, gid);
	begin_child(self);
	snprintf(name, sizeof(name), "%s%s", HELPER_PREFIX, request->name);
	snprintf(label, sizeof(label), "%s", request->label);
	if (program >= 0 && place(fds, HELPER_FD_COUNT - HELPER_FD_MEMORY, HELPER_FD_MEMORY))
		syscall(SYS_execveat, program, "", argv, environment(false), AT_EMPTY_PATH);
	_exit(127);
}

/* The arguments of a request as a list behind path, which is argv[0]; false: they are none. */
static bool take_apart(struct request *request, char *path, char *argv[PROGRAM_ARGUMENTS + 2])
{
	unsigned count = 0;

	argv[count++] = path;
	for (size_t at = 0; at < request->size;) {
		char *end = memchr(request->arguments + at, 0, request->size - at);

		if (!end || count == PROGRAM_ARGUMENTS + 1)
			return false;
		argv[count++] = request->arguments + at;
		at = (size_t)(end - request->arguments) + 1;
	}
	argv[count] = NULL;
	return true;
}

/* Of the user's, as if the user had started it; nothing makes it more. */
static void __attribute__((noreturn)) run_program(int self, struct request *request, const int *fds,
						  bool own_user, uid_t uid, gid_t gid)
{
	const struct rlimit no_core = { 0, 0 };
	char path[PATH_MAX], *argv[PROGRAM_ARGUMENTS + 2];

	if (own_user)
		map_self(uid, gid);
	begin_child(self);
	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	setrlimit(RLIMIT_CORE, &no_core);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (request->program < PROGRAM_COUNT && !program_find(request->program, path, NULL) &&
	    take_apart(request, path, argv) &&
	    place(fds, PROGRAM_FDS - 1, HELPER_FD_SOCKET - 1))
		execve(path, argv, environment(true));
	_exit(127);
}

/* Not clone3(), which containers refuse: their filters cannot see its flags. */
static pid_t clone_child(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0ul);
}

/* What a child is born with of its own, from most to least. */
struct births {
	unsigned long flags[3];
	unsigned count;
};

/* All, or nothing. */
static void plan_process(const struct request *request, struct births *births)
{
	*births = (struct births){ .count = 2 };
	births->flags[0] = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC |
			   CLONE_NEWUTS | (request->network ? 0 : CLONE_NEWNET);
}

/*
 * Who is not root can have a process namespace as root of a user namespace only, which is
 * more than a program gets that does not need it.
 */
static void plan_program(const struct request *request, struct births *births)
{
	*births = (struct births){ .count = 1 };
	if (geteuid() == 0)
		births->flags[0] = CLONE_NEWPID | CLONE_NEWIPC;
	else if (program_needs_namespaces(request->program))
		births->flags[0] = CLONE_NEWUSER | CLONE_NEWPID;
	births->count += births->flags[0] != 0;
}

pid_t helper_start_child(enum helper_kind kind, int self, int image, struct request *request,
			 const int *fds)
{
	bool program = kind == HELPER_OF_PROGRAMS;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	struct births births;
	pid_t pid = -1;

	if (program)
		plan_program(request, &births);
	else
		plan_process(request, &births);
	for (unsigned i = 0; i < births.count && pid < 0; i++) {
		bool own_user = births.flags[i] & CLONE_NEWUSER;

		pid = clone_child(births.flags[i]);
		if (pid == 0 && program)
			run_program(self, request, fds, own_user, uid, gid);
		if (pid == 0)
			run_process(self, image, request, fds, own_user, uid, gid);
	}
	return pid;
}

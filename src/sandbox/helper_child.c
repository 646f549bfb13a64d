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
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/plain.h"
#include "sandbox/opener.h"
#include "sandbox/program_walls.h"
#include "sandbox/view.h"
#include "sandbox/walls.h"

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
	static const struct {
		const char *name;
		bool program; /* only it is given this */
	} kept[] = {
		{ "LANG", false },	   { "LC_ALL", false },	      { "LC_CTYPE", false },
		{ "LD_LIBRARY_PATH", false }, { "ASAN_OPTIONS", false }, { "TSAN_OPTIONS", false },
		{ "UBSAN_OPTIONS", false },   { "HOME", true },	      { "USER", true },
		{ "PATH", true },
	};
	static char text[ARRAY_SIZE(kept)][512];
	static char *list[ARRAY_SIZE(kept) + 1];
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		const char *value = getenv(kept[i].name);

		if (!value || (kept[i].program && !program))
			continue;
		snprintf(text[count], sizeof(text[count]), "%s=%s", kept[i].name, value);
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
	if (program >= 0 && place(fds, PROCESS_FDS - 1 + (fds[PROCESS_FDS - 1] >= 0),
				  HELPER_FD_MEMORY))
		syscall(SYS_execveat, program, "", argv, environment(false), AT_EMPTY_PATH);
	_exit(HELPER_NOT_EXECUTED);
}

/* The words of a request as a list; false: they are none. */
static bool take_apart(struct request *request, char *words[PROGRAM_ARGUMENTS + 1])
{
	unsigned count = 0;

	for (size_t at = 0; at < request->size;) {
		char *end = memchr(request->arguments + at, 0, request->size - at);

		if (!end || count == PROGRAM_ARGUMENTS)
			return false;
		words[count++] = request->arguments + at;
		at = (size_t)(end - request->arguments) + 1;
	}
	words[count] = NULL;
	return count != 0;
}

/* The files at the head of words; returns the word that ends them, or NULL. */
static char **take_files(char **words, struct program_file files[PROGRAM_FILES_MAX + 1])
{
	size_t count = 0;

	for (; *words && **words && count < PROGRAM_FILES_MAX; words++)
		files[count++] = (struct program_file){ *words + 1, **words == 'w' };
	files[count] = (struct program_file){ NULL, false };
	return *words && !**words ? words : NULL;
}

/* What is below the folder cannot be written to in this mount namespace, if it is a new one. */
static bool make_readonly(const char *folder, bool own_mounts)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
	int tree;

	errno = EPERM;
	if (!own_mounts || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	tree = open_tree(AT_FDCWD, folder, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	return tree >= 0 &&
	       mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes,
			     sizeof(attributes)) == 0 &&
	       move_mount(tree, "", AT_FDCWD, folder, MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

/* Of the user's; flags are those of clone(2). */
static void __attribute__((noreturn)) run_program(int self, struct request *request, const int *fds,
						  unsigned long flags, uid_t uid, gid_t gid)
{
	struct program_file files[PROGRAM_FILES_MAX + 1];
	char path[PATH_MAX], *words[PROGRAM_ARGUMENTS + 1], **argv = words;
	const struct program_walls walls = { .program = request->program, .executable = path,
					     .files = request->has_files ? files : NULL,
					     .network = request->network };
	int count = 0;

	if (flags & CLONE_NEWUSER)
		map_self(uid, gid);
	begin_child(self);
	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	while (count < REQUEST_FDS - 1 && fds[count] >= 0)
		count++;
	if (!place(fds, count, STDERR_FILENO) ||
	    (request->talks && (dup2(PROGRAM_FD, STDIN_FILENO) < 0 ||
				dup2(PROGRAM_FD, STDOUT_FILENO) < 0)) ||
	    program_find(request->program, path, NULL) < 0 || !take_apart(request, words))
		_exit(HELPER_NOT_EXECUTED);
	if (*words[0] && !make_readonly(words[0], flags & CLONE_NEWNS)) {
		plain_say("its folder cannot be made read-only here: %s", strerror(errno));
		_exit(1);
	}
	if (request->has_files)
		argv = take_files(words + 1, files);
	if (!argv)
		_exit(HELPER_NOT_EXECUTED);
	program_walls_enter(&walls);
	argv[0] = path; /* in the place of the word before its arguments */
	execve(path, argv, environment(true));
	_exit(HELPER_NOT_EXECUTED);
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
			   CLONE_NEWUTS | (request->network == PROGRAM_NETWORK ? 0 : CLONE_NEWNET);
}

/* All, or none of them: what refuses some is a container, in which root has none to give. */
static void plan_program(const struct request *request, struct births *births)
{
	unsigned long network = request->network == PROGRAM_NETWORK ? 0 : CLONE_NEWNET;

	*births = (struct births){ .count = 2 };
	if (geteuid() == 0)
		births->flags[0] = CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNS | network;
	else if (request->has_files)
		births->flags[0] = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWIPC | network;
	else /* root in a user namespace, to make itself a room */
		births->flags[0] = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS;
}

/* What this host refuses a program that should be born with flags wanted, and is with flags. */
static uint32_t find_refused(const struct request *request, unsigned long wanted,
			     unsigned long flags)
{
	static const struct {
		unsigned long flag;
		uint32_t wall;
	} births[] = {
		{ CLONE_NEWUSER, WALL_USER }, { CLONE_NEWNS, WALL_MOUNT }, { CLONE_NEWPID, WALL_PID },
		{ CLONE_NEWIPC, WALL_IPC },   { CLONE_NEWNET, WALL_NET },
	};
	uint32_t refused = 0;

	for (size_t i = 0; i < ARRAY_SIZE(births); i++)
		if (wanted & ~flags & births[i].flag)
			refused |= births[i].wall;
	if (request->has_files && !landlock_is_there())
		refused |= WALL_LANDLOCK;
	if (request->has_files && prctl(PR_GET_SECCOMP) < 0)
		refused |= WALL_SECCOMP;
	return refused;
}

pid_t helper_start_child(enum helper_kind kind, int self, int image, struct request *request,
			 const int *fds, uint32_t *refused)
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
		unsigned long flags = births.flags[i];

		pid = clone_child(flags);
		if (pid == 0 && program)
			run_program(self, request, fds, flags, uid, gid);
		if (pid == 0)
			run_process(self, image, request, fds, flags & CLONE_NEWUSER, uid, gid);
		/* A process behind walls says itself which it has. */
		*refused = program ? find_refused(request, births.flags[0], flags) : 0;
	}
	return pid;
}

/* With the descriptor, if there is one. */
static void say_opened(int status_fd, int fd, enum opener_step step)
{
	struct helper_report report = { HELPER_OPENED, fd < 0 ? -fd : 0, step };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} passed = { .header = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
				 .cmsg_len = CMSG_LEN(sizeof(int)) } };
	struct iovec part = { &report, sizeof(report) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0) {
		message.msg_control = &passed;
		message.msg_controllen = sizeof(passed);
		memcpy(CMSG_DATA(&passed.header), &fd, sizeof(fd));
	}
	n = sendmsg(status_fd, &message, MSG_NOSIGNAL);
	(void)n; /* nobody may be there any more */
}

pid_t helper_start_opener(int self, const struct request *request, int status_fd)
{
	struct opener_order order;
	enum opener_step step;
	pid_t pid;
	int fd;

	memcpy(&order, request->arguments, sizeof(order));
	pid = clone_child(0);
	if (pid)
		return pid;
	begin_child(self);
	fd = opener_open(&order, &step);
	say_opened(status_fd, fd, step);
	_exit(0);
}

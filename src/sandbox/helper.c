/*
 * See helper.h. The first half is the parent's, the second the helper's own:
 * a single thread that waits for requests and for the end of its children.
 *
 * clone(2), user_namespaces(7), prctl(2). A child is born in namespaces of its
 * own, user, mount, pid, IPC and UTS, where the kernel gives them, as root in its own
 * user namespace, which is nobody outside: the helper itself gives up being
 * root first. What the child does with them is in walls.c.
 */
#include "sandbox/helper_private.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/thread.h"
#include "sandbox/opener.h"

#define NOBODY 65534

/* Descriptors that go with a request. */
union passed {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(REQUEST_FDS * sizeof(int))];
};

/* As sendmsg(2), without waiting. */
static ssize_t send_request(int socket, const struct request *request, const int *fds,
			    unsigned count)
{
	union passed passed = { .header = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
					    .cmsg_len = CMSG_LEN(count * sizeof(int)) } };
	struct iovec part = { (void *)(uintptr_t)request, REQUEST_SIZE(request->size) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &passed,
				  .msg_controllen = CMSG_SPACE(count * sizeof(int)) };

	memcpy(CMSG_DATA(&passed.header), fds, count * sizeof(int));
	return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* fds[REQUEST_FDS] are filled with what came, the others with -1. As recvmsg(2). */
static ssize_t receive_request(int socket, struct request *request, int *fds)
{
	union passed passed;
	struct iovec part = { request, sizeof(*request) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &passed,
				  .msg_controllen = sizeof(passed) };
	ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *header = n >= 0 ? CMSG_FIRSTHDR(&message) : NULL;

	for (unsigned i = 0; i < REQUEST_FDS; i++)
		fds[i] = -1;
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
	return n;
}

/* --- the parent --- */

/* Where requests go; set once, before there is a second thread. */
static int helper_fds[HELPER_KINDS] = { -1, -1 };

/* fds[0] is where the status socket's other end goes. That socket, or a negative errno. */
static int request_child(enum helper_kind kind, const struct request *request, int *fds,
			 unsigned count, struct cause *cause)
{
	int pair[2], error = 0;

	if (helper_fds[kind] < 0)
		return cause_set(cause, ESRCH, "the process that starts others was not started");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return cause_errno(cause, errno, "socketpair");
	fds[0] = pair[1];
	if (send_request(helper_fds[kind], request, fds, count) < 0)
		error = errno;
	close(pair[1]);
	if (!error)
		return pair[0];
	close(pair[0]);
	if (error == EPIPE || error == ECONNRESET)
		return cause_set(cause, ESRCH, HELPER_GONE);
	return cause_errno(cause, error, "the process that starts others");
}

int helper_spawn(const char *name, const char *label, bool network, int memory_fd, int wake_fd,
		 int peer_fd, int file_fd, struct cause *cause)
{
	int fds[PROCESS_FDS + 1] = { -1, memory_fd, peer_fd, wake_fd, file_fd };
	struct request request;

	memset(&request, 0, REQUEST_SIZE(0));
	request.network = network ? PROGRAM_NETWORK : PROGRAM_NO_NETWORK;
	snprintf(request.name, sizeof(request.name), "%s", name);
	snprintf(request.label, sizeof(request.label), "%s", label);
	return request_child(HELPER_OF_PROCESSES, &request, fds, PROCESS_FDS + (file_fd >= 0),
			     cause);
}

/* Appends a word, behind a letter if there is one; false: it is one too many, or too long. */
static bool add_word(struct request *request, char letter, const char *word)
{
	size_t size = strlen(word) + 1, more = letter != 0;

	if (++request->count > PROGRAM_ARGUMENTS ||
	    size + more > sizeof(request->arguments) - request->size)
		return false;
	if (letter)
		request->arguments[request->size] = letter;
	memcpy(request->arguments + request->size + more, word, size);
	request->size += (uint32_t)(size + more);
	return true;
}

static bool add_words(struct request *request, const struct program_order *order)
{
	const struct program_file *file = order->files;
	const char *const *argument = order->arguments;
	bool fits = add_word(request, 0, order->readonly ? order->readonly : "");

	for (; fits && file && file->path; file++)
		fits = add_word(request, file->written ? 'w' : 'r', file->path);
	if (fits && order->files)
		fits = add_word(request, 0, "");
	for (; fits && *argument; argument++)
		fits = add_word(request, 0, *argument);
	return fits;
}

int helper_run(const struct program_order *order, int error_fd, struct cause *cause)
{
	int fds[2 + PROGRAM_FDS] = { -1, error_fd };
	unsigned fd_count = 2;
	struct request request;

	memset(&request, 0, REQUEST_SIZE(0));
	request.program = order->program;
	request.network = order->network;
	request.has_files = order->files;
	request.talks = order->talks;
	if (!add_words(&request, order))
		return cause_set(cause, E2BIG, "%s: its arguments are too long",
				 program_name(order->program));
	for (unsigned i = 0; i < PROGRAM_FDS && order->fds[i] >= 0; i++)
		fds[fd_count++] = order->fds[i];
	return request_child(HELPER_OF_PROGRAMS, &request, fds, fd_count, cause);
}

int helper_open(const struct opener_order *order, struct cause *cause)
{
	struct request request;
	int fd = -1;

	_Static_assert(sizeof(*order) <= sizeof(request.arguments), "there is room for it");
	memset(&request, 0, REQUEST_SIZE(0));
	request.opens = true;
	request.size = sizeof(*order);
	memcpy(request.arguments, order, sizeof(*order));
	return request_child(HELPER_OF_PROGRAMS, &request, &fd, 1, cause);
}

/* --- the helper --- */

struct child {
	pid_t pid;
	int status_fd;
	bool left; /* by its owner, and ended */
};

/* What the helper waits for; from the last on it is each child's owner. */
enum { POLL_REQUESTS, POLL_SECOND, POLL_CHILDREN, POLL_OWNERS };

struct helper {
	enum helper_kind kind;
	int requests;
	int second; /* requests to the second helper, while there is none; or -1 */
	int program; /* the image, open to be executed */
	int self; /* a pidfd of its own, by which its children see whether it is there */
	int children_fd; /* signalfd of SIGCHLD */
	struct child *children;
	size_t count, room;
	struct pollfd *polls; /* POLL_OWNERS more than children */
};

static void say(int status_fd, struct helper_report report)
{
	ssize_t n = send(status_fd, &report, sizeof(report), MSG_NOSIGNAL | MSG_DONTWAIT);

	(void)n; /* nobody may be there any more */
}

static bool make_room(struct helper *helper)
{
	size_t room = helper->room ? helper->room * 2 : 8;
	struct child *children = realloc(helper->children, room * sizeof(*children));
	struct pollfd *polls;

	if (!children)
		return false;
	helper->children = children;
	polls = realloc(helper->polls, (POLL_OWNERS + room) * sizeof(*polls));
	if (!polls)
		return false;
	helper->polls = polls;
	helper->room = room;
	return true;
}

static bool remember(struct helper *helper, pid_t pid, int status_fd)
{
	if (helper->count == helper->room && !make_room(helper))
		return false;
	helper->children[helper->count++] = (struct child){ .pid = pid, .status_fd = status_fd };
	return true;
}

static bool is_complete(const struct request *request, ssize_t n)
{
	return n >= (ssize_t)REQUEST_SIZE(0) && request->size <= sizeof(request->arguments) &&
	       n == (ssize_t)REQUEST_SIZE(request->size) && request->program < PROGRAM_COUNT &&
	       request->network <= PROGRAM_LOCAL &&
	       (!request->opens || request->size == sizeof(struct opener_order));
}

/* Whoever has taken over the deck can ask for what he likes. */
static bool has_walls(const struct helper *helper, const struct request *request)
{
	return helper->kind == HELPER_OF_PROCESSES || request->has_files ||
	       program_makes_walls(request->program);
}

/* Its pid, or -1 with errno. fds begin with the status socket's other end. */
static pid_t start_child(const struct helper *helper, struct request *request, const int *fds,
			 uint32_t *refused)
{
	*refused = 0;
	if (request->opens && helper->kind == HELPER_OF_PROGRAMS)
		return helper_start_opener(helper->self, request, fds[0]);
	errno = EPERM;
	return has_walls(helper, request) ? helper_start_child(helper->kind, helper->self,
							       helper->program, request, fds + 1,
							       refused) : -1;
}

/* Descriptors that a complete request has. */
static unsigned least_fds(const struct helper *helper, const struct request *request)
{
	if (helper->kind == HELPER_OF_PROCESSES)
		return PROCESS_FDS;
	return request->opens ? 1 : 2;
}

static void close_all(const int fds[REQUEST_FDS])
{
	for (unsigned i = 0; i < REQUEST_FDS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void take_request(struct helper *helper)
{
	static struct request request; /* it is large, and there is one thread */
	int fds[REQUEST_FDS];
	ssize_t n = receive_request(helper->requests, &request, fds);
	uint32_t refused;
	pid_t pid;

	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		_exit(0); /* the parent has ended; the kernel ends the children */
	if (is_complete(&request, n) && fds[least_fds(helper, &request) - 1] >= 0) {
		pid = start_child(helper, &request, fds, &refused);
		if (pid < 0) {
			say(fds[0], (struct helper_report){ HELPER_REFUSED, errno, 0 });
		} else if (remember(helper, pid, fds[0])) {
			say(fds[0], (struct helper_report){ HELPER_STARTED, pid, refused });
			fds[0] = -1;
		} else {
			kill(pid, SIGKILL);
			say(fds[0], (struct helper_report){ HELPER_REFUSED, ENOMEM, 0 });
		}
	}
	close_all(fds);
}

/* The same of one that cannot be met for want of something, such as room for a process. */
static void refuse_request(int requests, int error)
{
	static struct request request;
	int fds[REQUEST_FDS];

	if (receive_request(requests, &request, fds) > 0 && fds[0] >= 0)
		say(fds[0], (struct helper_report){ HELPER_REFUSED, error, 0 });
	close_all(fds);
}

static void bury(struct helper *helper, pid_t pid, int status)
{
	for (size_t i = 0; i < helper->count; i++) {
		struct child *child = &helper->children[i];

		if (child->pid != pid)
			continue;
		say(child->status_fd, WIFSIGNALED(status) ?
			(struct helper_report){ HELPER_KILLED, WTERMSIG(status), 0 } :
			(struct helper_report){ HELPER_EXITED, WEXITSTATUS(status), 0 });
		close(child->status_fd);
		*child = helper->children[--helper->count];
		return;
	}
}

static void reap(struct helper *helper)
{
	struct signalfd_siginfo info;
	ssize_t n = read(helper->children_fd, &info, sizeof(info));
	int status;
	pid_t pid;

	(void)n;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		bury(helper, pid, status);
}

static bool wait_for_something(struct helper *helper)
{
	struct pollfd *polls = helper->polls;
	int count;

	polls[POLL_REQUESTS] = (struct pollfd){ .fd = helper->requests, .events = POLLIN };
	polls[POLL_SECOND] = (struct pollfd){ .fd = helper->second, .events = POLLIN };
	polls[POLL_CHILDREN] = (struct pollfd){ .fd = helper->children_fd, .events = POLLIN };
	for (size_t i = 0; i < helper->count; i++) {
		const struct child *child = &helper->children[i];

		polls[POLL_OWNERS + i] = (struct pollfd){ .fd = child->left ? -1 : child->status_fd,
							  .events = POLLIN };
	}
	while ((count = poll(polls, POLL_OWNERS + helper->count, -1)) < 0 && errno == EINTR)
		;
	return count >= 0;
}

/* Ends those whose owner says so, which is told, and ends those whose owner has closed its end. */
static void end_left(struct helper *helper)
{
	char byte;

	for (size_t i = 0; i < helper->count; i++) {
		struct child *child = &helper->children[i];

		if (!helper->polls[POLL_OWNERS + i].revents)
			continue;
		if (recv(child->status_fd, &byte, 1, MSG_DONTWAIT) > 0) {
			kill(child->pid, byte == HELPER_KILL ? SIGKILL : SIGTERM);
			continue;
		}
		/* With what it has started, which is its group if it has made one. */
		kill(-child->pid, SIGKILL);
		kill(child->pid, SIGKILL);
		child->left = true;
	}
}

/*
 * What root may, a process behind walls need not even begin with. A container may
 * have no nobody; then it stays what it is, and the walls say so.
 */
static void leave_root(void)
{
	if (geteuid() != 0)
		return;
	(void)setgroups(0, NULL);
	(void)setresgid(NOBODY, NOBODY, NOBODY);
	(void)setresuid(NOBODY, NOBODY, NOBODY);
}

/* Keeps nothing of the parent's but those, which come behind the standard ones; the first -1 ends them. */
static bool close_others(const int *kept)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), next;

	if (null < 0)
		return false;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
#ifndef THREAD_SANITIZED /* reports of sanitizers go there */
	dup2(null, STDERR_FILENO);
#endif
	for (int first = STDERR_FILENO + 1;; first = next + 1) {
		next = INT_MAX;
		for (const int *fd = kept; *fd >= 0; fd++)
			if (*fd >= first && *fd < next)
				next = *fd;
		if (next > first)
			close_range((unsigned)first, (unsigned)next - 1, 0);
		if (next == INT_MAX)
			return true;
	}
}

static void __attribute__((noreturn)) run_helper(struct helper helper, pid_t parent);

/* Who asks for something of the second helper begins it, which finds what it was asked for. */
static void fork_second(struct helper *helper)
{
	struct helper second = { .kind = HELPER_OF_PROCESSES, .requests = helper->second,
				 .second = -1, .program = helper->program };
	pid_t self = getpid(), pid;
	char byte;

	if (recv(helper->second, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
		_exit(0); /* the parent has ended */
	pid = fork();
	if (pid == 0)
		run_helper(second, self);
	if (pid < 0) {
		refuse_request(helper->second, errno);
		return;
	}
	close(helper->second);
	helper->second = -1;
}

static void __attribute__((noreturn)) run_helper(struct helper helper, pid_t parent)
{
	bool programs = helper.kind == HELPER_OF_PROGRAMS;
	const int kept[] = { helper.requests, helper.program, helper.second, -1 };
	sigset_t all, child;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	signal(SIGCHLD, SIG_DFL);
	setsid(); /* the terminal's hang-up and its keys are not for it */
	prctl(PR_SET_NAME, programs ? HELPER_PREFIX "programs" : HELPER_PREFIX "helper");
	if (!close_others(kept))
		_exit(1);
	if (!programs)
		leave_root();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	helper.self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	helper.children_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (helper.children_fd < 0 || !make_room(&helper))
		_exit(1);
	while (wait_for_something(&helper)) {
		end_left(&helper);
		if (helper.polls[POLL_CHILDREN].revents)
			reap(&helper);
		if (helper.polls[POLL_REQUESTS].revents)
			take_request(&helper);
		if (helper.polls[POLL_SECOND].revents)
			fork_second(&helper);
	}
	_exit(1);
}

int helper_start(const char *program, struct cause *cause)
{
	struct helper helper = { .kind = HELPER_OF_PROGRAMS };
	int pairs[HELPER_KINDS][2], error = 0;
	unsigned made = 0;
	pid_t self = getpid(), pid;

	if (helper_fds[HELPER_OF_PROGRAMS] >= 0)
		return 0;
	helper.program = open(program ? program : "/proc/self/exe", O_PATH | O_CLOEXEC);
	if (helper.program < 0)
		return cause_errno(cause, errno, "%s", program ? program : "/proc/self/exe");
	while (made < HELPER_KINDS && !error)
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pairs[made]) < 0)
			error = cause_errno(cause, errno, "socketpair");
		else
			made++;
	helper.requests = pairs[HELPER_OF_PROGRAMS][1];
	helper.second = pairs[HELPER_OF_PROCESSES][1];
	pid = error ? -1 : fork();
	if (pid == 0)
		run_helper(helper, self);
	if (pid < 0 && !error)
		error = cause_errno(cause, errno, "fork");
	while (made--) {
		close(pairs[made][1]);
		if (error)
			close(pairs[made][0]);
		else
			helper_fds[made] = pairs[made][0];
	}
	close(helper.program);
	return error;
}

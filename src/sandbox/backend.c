/* See backend.h. unix(7). */
#include "sandbox/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/paths.h"
#include "sandbox/helper.h"

#define MOMENT 200 /* ms in which one that is ending ends */
#define KILL_LIMIT 1000 /* ms in which the kernel ends one */

void backend_init(struct backend *backend, struct loop *loop, enum program program,
		  void (*ended)(void *arg, const char *why), void *arg)
{
	*backend = (struct backend){ .loop = loop, .program = program, .status_fd = -1,
				     .error_fd = -1, .ended = ended, .arg = arg };
}

/* --- the socket --- */

static int make_folder(char folder[PATH_MAX])
{
	char runtime[PATH_MAX];

	if (paths_runtime(runtime, NULL) == 0 && paths_make(runtime, NULL) == 0 &&
	    strlen(runtime) < sizeof(((struct sockaddr_un *)0)->sun_path) / 2) {
		snprintf(folder, PATH_MAX, "%.64s/backend-XXXXXX", runtime);
		if (mkdtemp(folder))
			return 0;
	}
	snprintf(folder, PATH_MAX, "/tmp/vmdeck-XXXXXX");
	return mkdtemp(folder) ? 0 : -errno;
}

static int connect_pair(int fds[2], const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", path);
	fds[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fds[1] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fds[0] < 0 || fds[1] < 0 ||
	    bind(fds[0], (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	if (listen(fds[0], 1) < 0 ||
	    connect(fds[1], (struct sockaddr *)&address, sizeof(address)) < 0) {
		int err = -errno;

		unlink(path);
		return err;
	}
	unlink(path);
	return 0;
}

/* fds[0] is listened at, by nobody but who is connected by fds[1]. Both are closed or -1 else. */
static int make_sockets(int fds[2])
{
	char folder[PATH_MAX], path[PATH_MAX + 8];
	int err = make_folder(folder);

	fds[0] = fds[1] = -1;
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/s", folder);
	err = connect_pair(fds, path);
	unlinkat(AT_FDCWD, folder, AT_REMOVEDIR);
	for (unsigned i = 0; err && i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return err;
}

/* --- its last words --- */

static void end_line(struct backend *backend)
{
	backend->line[backend->line_size] = '\0';
	if (backend->line_size)
		memcpy(backend->words, backend->line, backend->line_size + 1);
	backend->line_size = 0;
}

/* False: there is nothing to be read now, or ever. */
static bool read_some_words(struct backend *backend)
{
	char text[512];
	ssize_t n = recv(backend->error_fd, text, sizeof(text), MSG_DONTWAIT);

	for (ssize_t i = 0; i < n; i++) {
		if (text[i] == '\n') {
			end_line(backend);
			continue;
		}
		/* What is wrong stands at a line's end. */
		if (backend->line_size + 1 == sizeof(backend->line)) {
			backend->line_size /= 2;
			memcpy(backend->line, backend->line + sizeof(backend->line) / 2,
			       backend->line_size);
		}
		backend->line[backend->line_size++] = text[i];
	}
	if (n == 0) {
		end_line(backend);
		loop_remove(backend->loop, &backend->error);
	}
	return n > 0;
}

static void read_words(void *arg, uint32_t events)
{
	(void)events;
	read_some_words(arg);
}

/* --- its end --- */

static void forget(struct backend *backend)
{
	loop_remove(backend->loop, &backend->status);
	loop_remove(backend->loop, &backend->error);
	if (backend->status_fd >= 0)
		close(backend->status_fd);
	if (backend->error_fd >= 0)
		close(backend->error_fd);
	backend->status_fd = backend->error_fd = -1;
	backend->pid = 0;
}

static void explain(const struct backend *backend, ssize_t n, const struct helper_report *report,
		    char *why, size_t size)
{
	const char *name = program_name(backend->program);
	int used;

	if (n != sizeof(*report))
		used = snprintf(why, size, "%s is gone with what started it", name);
	else if (report->says == HELPER_REFUSED)
		used = snprintf(why, size, "%s could not be started: %s", name,
				strerror(report->code));
	else if (report->says == HELPER_KILLED)
		used = snprintf(why, size, "%s was ended by signal %d (%s)", name, report->code,
				strsignal(report->code));
	else if (report->code == 127)
		used = snprintf(why, size, "%s could not be executed", name);
	else
		used = snprintf(why, size, "%s ended with status %d", name, report->code);
	if (*backend->words && used > 0 && (size_t)used < size)
		snprintf(why + used, size - (size_t)used, ": %s", backend->words);
}

/* 1 when it has ended, and why; 0: it has not. */
static int read_report(struct backend *backend, char *why, size_t size)
{
	struct helper_report report = { 0 };
	ssize_t n = recv(backend->status_fd, &report, sizeof(report), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n == sizeof(report) && report.says == HELPER_STARTED) {
		backend->pid = report.code;
		return 0;
	}
	while (read_some_words(backend))
		;
	end_line(backend);
	explain(backend, n, &report, why, size);
	forget(backend);
	return 1;
}

static void read_status(void *arg, uint32_t events)
{
	struct backend *backend = arg;
	char why[CAUSE_SIZE];

	(void)events;
	if (read_report(backend, why, sizeof(why)))
		backend->ended(backend->arg, why);
}

int backend_wait(struct backend *backend, char *text, size_t size)
{
	struct pollfd wait = { .fd = backend->status_fd, .events = POLLIN };

	/* What it says first is that it was started. */
	for (unsigned reports = 0; wait.fd >= 0 && reports < 2; reports++)
		if (poll(&wait, 1, MOMENT) > 0 && read_report(backend, text, size))
			return 0;
	return -ETIMEDOUT;
}

static int watch(struct backend *backend, int status_fd, int error_fd)
{
	int err;

	backend->status_fd = status_fd;
	backend->error_fd = error_fd;
	backend->line_size = 0;
	*backend->words = '\0';
	err = loop_add(backend->loop, &backend->status, status_fd, EPOLLIN, read_status, backend);
	if (!err)
		err = loop_add(backend->loop, &backend->error, error_fd, EPOLLIN, read_words,
			       backend);
	if (err)
		forget(backend);
	return err;
}

int backend_start(struct backend *backend, const char *readonly, const char *const *arguments,
		  struct cause *cause)
{
	int sockets[2], errors[2], status, err;
	char path[PATH_MAX];

	err = program_find(backend->program, path, cause);
	if (err)
		return err;
	err = make_sockets(sockets);
	if (err)
		return cause_errno(cause, -err, "%s: a socket for it",
				   program_name(backend->program));
	/* Not a pipe, which would be one more call that the thread may make. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, errors) < 0) {
		err = cause_errno(cause, errno, "%s", program_name(backend->program));
		close(sockets[0]);
		close(sockets[1]);
		return err;
	}
	status = helper_run(backend->program, readonly, arguments, sockets[0], errors[1], cause);
	close(sockets[0]);
	close(errors[1]);
	if (status < 0) {
		close(errors[0]);
		close(sockets[1]);
		return status;
	}
	err = watch(backend, status, errors[0]);
	if (!err)
		return sockets[1];
	close(sockets[1]);
	return cause_errno(cause, -err, "epoll");
}

/* Has the helper send it a signal, and waits until it has ended. False: it has not by then. */
static bool end_within(struct backend *backend, char how, unsigned limit_ms)
{
	uint64_t until = clock_monotonic() + limit_ms * NS_PER_MS, now;
	struct pollfd wait = { .fd = backend->status_fd, .events = POLLIN };
	char why[BACKEND_WORDS_MAX];

	if (send(backend->status_fd, &how, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
		return false;
	while ((now = clock_monotonic()) < until &&
	       poll(&wait, 1, (int)((until - now) / NS_PER_MS) + 1) > 0)
		if (read_report(backend, why, sizeof(why)))
			return true;
	return false;
}

void backend_kill(struct backend *backend)
{
	if (backend->status_fd >= 0 && !end_within(backend, HELPER_KILL, KILL_LIMIT))
		forget(backend);
}

void backend_stop(struct backend *backend, unsigned limit_ms)
{
	if (backend->status_fd >= 0 && !end_within(backend, HELPER_ASK, limit_ms))
		backend_kill(backend);
}

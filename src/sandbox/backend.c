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

#include "base/paths.h"

#define MOMENT 200 /* ms in which one that is ending ends */

void backend_init(struct backend *backend, struct loop *loop,
		  void (*ended)(void *arg, const char *why), void *arg)
{
	*backend = (struct backend){ .loop = loop, .ended = ended, .arg = arg,
				     .process = { .status_fd = -1, .error_fd = -1 } };
}

/* --- the socket --- */

static int make_folder(char folder[PATH_MAX])
{
	char runtime[PATH_MAX];

	if (paths_make_runtime(runtime, NULL) == 0 &&
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

/* --- what it says --- */

static void read_words(void *arg, uint32_t events)
{
	struct backend *backend = arg;

	(void)events;
	if (program_hear(&backend->process) < 0)
		loop_remove(backend->loop, &backend->error);
}

static void stop_watching(struct backend *backend)
{
	loop_remove(backend->loop, &backend->status);
	loop_remove(backend->loop, &backend->error);
}

static bool has_ended(struct backend *backend, char *why, size_t size)
{
	if (!program_ended(&backend->process, why, size))
		return false;
	stop_watching(backend);
	program_close(&backend->process);
	return true;
}

static void read_status(void *arg, uint32_t events)
{
	struct backend *backend = arg;
	char why[CAUSE_SIZE];

	(void)events;
	if (has_ended(backend, why, sizeof(why)))
		backend->ended(backend->arg, why);
}

/* --- life --- */

const char *backend_pass(struct program_order *order, int fd)
{
	static const char *const paths[PROGRAM_FDS] = { NULL, "/dev/fd/4", "/dev/fd/5" };
	unsigned i = 1;

	while (order->fds[i] >= 0)
		i++;
	order->fds[i] = fd;
	if (i + 1 < PROGRAM_FDS)
		order->fds[i + 1] = -1;
	return paths[i];
}

int backend_wait(struct backend *backend, char *text, size_t size)
{
	struct pollfd wait = { .fd = backend->process.status_fd, .events = POLLIN };

	/* What it says first is that it was started. */
	for (unsigned reports = 0; wait.fd >= 0 && reports < 2; reports++)
		if (poll(&wait, 1, MOMENT) > 0 && has_ended(backend, text, size))
			return 0;
	return -ETIMEDOUT;
}

static int watch(struct backend *backend)
{
	const struct program_process *process = &backend->process;
	int err = loop_add(backend->loop, &backend->status, process->status_fd, EPOLLIN,
			   read_status, backend);

	if (!err)
		err = loop_add(backend->loop, &backend->error, process->error_fd, EPOLLIN,
			       read_words, backend);
	if (err)
		(void)backend_kill(backend);
	return err;
}

int backend_start(struct backend *backend, struct program_order *order, struct cause *cause)
{
	int sockets[2], err;
	char path[PATH_MAX];

	/* Here, for its sentence; the helper looks for it, too. */
	err = program_find(order->program, path, cause);
	if (err)
		return err;
	err = make_sockets(sockets);
	if (err)
		return cause_errno(cause, -err, "%s: a socket for it",
				   program_name(order->program));
	order->fds[0] = sockets[0];
	err = program_start(&backend->process, order, cause);
	close(sockets[0]);
	if (!err) {
		err = watch(backend);
		if (!err)
			return sockets[1];
		cause_errno(cause, -err, "epoll");
	}
	close(sockets[1]);
	return err;
}

bool backend_kill(struct backend *backend)
{
	stop_watching(backend);
	return program_kill(&backend->process);
}

void backend_stop(struct backend *backend, unsigned limit_ms)
{
	stop_watching(backend);
	program_end(&backend->process, (int)limit_ms);
}

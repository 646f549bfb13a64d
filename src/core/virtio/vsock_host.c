/*
 * The host's end of the socket device: Unix sockets. unix(7), and Firecracker's docs/vsock.md
 * for what is said on them. The guest's I/O thread.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
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
#include "control/listen.h"
#include "core/profile/profile.h"
#include "core/virtio/vsock_private.h"

#define BACKLOG 16
#define ADVICE "choose another with path in [vsock]"
#define LONGEST_PORT sizeof("_4294967295")
#define PATH_SIZE sizeof(((struct sockaddr_un *)NULL)->sun_path)
#define AGAIN NS_PER_S /* after there was no descriptor for who connects */

/* --- to the guest --- */

void vsock_accept(struct vsock_device *vsock)
{
	while (vsock->callers && vsock_has_place(vsock)) {
		int fd = accept4(vsock->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			vsock_add(vsock, fd, VSOCK_ASKING);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EAGAIN)
			loop_timer_set(vsock->transport.loop, &vsock->listen_again, AGAIN);
		vsock->callers = false;
	}
}

static void called(void *arg, uint32_t events)
{
	struct vsock_device *vsock = arg;

	(void)events;
	pthread_mutex_lock(&vsock->device.lock);
	vsock->callers = true;
	vsock_pump(vsock);
	pthread_mutex_unlock(&vsock->device.lock);
}

static void listen_again(void *arg)
{
	called(arg, 0);
}

/* The caller's to free, also after an error. */
int vsock_find_path(const struct profile *profile, char **path, struct cause *cause)
{
	char folder[PATH_MAX];
	int err;

	*path = NULL;
	if (profile->vsock.path) {
		*path = strdup(profile->vsock.path);
	} else {
		err = paths_runtime(folder, cause);
		if (err)
			return err;
		if (asprintf(path, "%s/%s.vsock", folder, profile->name) < 0)
			*path = NULL;
	}
	if (!*path)
		return cause_errno(cause, ENOMEM, "vsock");
	if (strlen(*path) + LONGEST_PORT <= PATH_SIZE)
		return 0;
	return cause_set(cause, ENAMETOOLONG, "%s: too long for the path of a socket with a port "
			 "behind it, which is %zu bytes at most; " ADVICE, *path,
			 PATH_SIZE - LONGEST_PORT);
}

/* The folder of sockets is not there yet when the deck's own is elsewhere. */
static int make_runtime(struct cause *cause)
{
	char folder[PATH_MAX];

	return paths_make_runtime(folder, cause);
}

int vsock_check(const struct profile *profile, struct cause *cause)
{
	char *path;
	int err = vsock_find_path(profile, &path, cause);

	if (!err)
		err = listen_folder(path, false, ADVICE, cause);
	free(path);
	return err;
}

int vsock_listen(struct vsock_device *vsock, const struct device_host *host, struct cause *cause)
{
	struct loop *loop = host->loop;
	int err = vsock_find_path(host->profile, &vsock->path, cause);

	if (!err && !host->profile->vsock.path)
		err = make_runtime(cause);
	if (!err)
		err = listen_folder(vsock->path, true, ADVICE, cause);
	if (!err)
		err = listen_open(vsock->path, BACKLOG, ADVICE, cause);
	if (err < 0)
		return err;
	vsock->listen_fd = err;
	vsock->listen_again = (struct loop_timer){ .fire = listen_again, .arg = vsock };
	err = loop_add(loop, &vsock->listener, vsock->listen_fd, EPOLLIN | EPOLLET, called, vsock);
	return err ? cause_errno(cause, -err, "vsock") : 0;
}

void vsock_unlisten(struct vsock_device *vsock, struct loop *loop)
{
	if (vsock->listen_fd < 0)
		return;
	loop_timer_cancel(loop, &vsock->listen_again);
	loop_remove(loop, &vsock->listener);
	close(vsock->listen_fd);
	unlink(vsock->path);
	vsock->listen_fd = -1;
}

int vsock_read_port(int fd, uint32_t *port)
{
	struct pollfd end_of = { .fd = fd, .events = POLLRDHUP };
	char line[32], *end;
	unsigned long long number;
	ssize_t size = recv(fd, line, sizeof(line) - 1, MSG_PEEK | MSG_DONTWAIT);
	const char *newline;

	if (size < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -EPROTO;
	line[size] = '\0';
	newline = memchr(line, '\n', (size_t)size);
	/* Whoever says no more without one has no port to say. */
	if (!newline && (!size || (size_t)size == sizeof(line) - 1 || poll(&end_of, 1, 0) != 0))
		return -EPROTO;
	if (!newline)
		return 0;
	if (strncmp(line, "CONNECT ", 8) != 0 || line[8] < '0' || line[8] > '9')
		return -EPROTO;
	number = strtoull(line + 8, &end, 10);
	if (end != newline || number > UINT32_MAX)
		return -EPROTO;
	*port = (uint32_t)number;
	size = newline - line + 1;
	return recv(fd, line, (size_t)size, MSG_DONTWAIT) == size ? 1 : -EPROTO;
}

bool vsock_say_connected(int fd, uint32_t port)
{
	char line[24];
	int size = snprintf(line, sizeof(line), "OK %" PRIu32 "\n", port);

	return send(fd, line, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT) == size;
}

/* --- from the guest --- */

int vsock_connect(const struct vsock_device *vsock, uint32_t port)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;

	if (fd < 0)
		return -errno;
	/* vsock_find_path() left room for the port. */
	snprintf(address.sun_path, sizeof(address.sun_path), "%.*s_%" PRIu32,
		 (int)(PATH_SIZE - LONGEST_PORT), vsock->path, port);
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

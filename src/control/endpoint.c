/* Where a deck is reached (unix(7)). Any thread. */
#include "control/endpoint.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/paths.h"

int endpoint_path(char *path, size_t size, const char *given, struct cause *cause)
{
	char folder[PATH_MAX];
	struct sockaddr_un address;
	int n, err;

	if (!given || !*given)
		given = getenv("VMDECK_SOCKET");
	if (given && *given) {
		n = snprintf(path, size, "%s", given);
	} else {
		err = paths_runtime(folder, cause);
		if (err)
			return err;
		n = snprintf(path, size, "%s/deck.sock", folder);
	}
	if (n < 0 || (size_t)n >= size)
		return cause_set(cause, ENAMETOOLONG, "the socket's path is too long");
	return endpoint_address(&address, path, cause);
}

int endpoint_address(struct sockaddr_un *address, const char *path, struct cause *cause)
{
	size_t length = strlen(path);

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (length == 0 || length >= sizeof(address->sun_path))
		return cause_set(cause, ENAMETOOLONG,
				 "%s: a socket's path has 1 to %zu characters; choose another "
				 "with --socket", path, sizeof(address->sun_path) - 1);
	memcpy(address->sun_path, path, length + 1);
	return 0;
}

int endpoint_check_peer(int fd, pid_t *pid, struct cause *cause)
{
	struct ucred peer = { .pid = 0, .uid = (uid_t)-1 };
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return cause_errno(cause, errno, "control socket: the peer's identity");
	if (pid)
		*pid = peer.pid;
	if (peer.uid != geteuid() && peer.uid != 0)
		return cause_set(cause, EACCES, "control socket: the other side is user %u, "
				 "neither this user nor root", (unsigned)peer.uid);
	return 0;
}

int endpoint_connect(const char *path, struct cause *cause)
{
	struct sockaddr_un address;
	int fd, error;

	error = endpoint_address(&address, path, cause);
	if (error < 0)
		return error;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return cause_errno(cause, errno, "control socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		error = cause_errno(cause, errno, "%s", path);
	else
		error = endpoint_check_peer(fd, NULL, cause);
	if (error < 0) {
		close(fd);
		return error;
	}
	return fd;
}

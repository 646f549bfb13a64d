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

static int put_path(struct endpoint *endpoint, unsigned i, const char *path, struct cause *cause)
{
	struct sockaddr_un address;
	int error = endpoint_address(&address, path, cause);

	if (error == 0)
		strcpy(endpoint->paths[i], path);
	return error;
}

static int put_in_folder(struct endpoint *endpoint, unsigned i, const char *folder,
			 struct cause *cause)
{
	char path[PATH_MAX + sizeof("/deck.sock")];

	snprintf(path, sizeof(path), "%s/deck.sock", folder);
	return put_path(endpoint, i, path, cause);
}

int endpoint_find(struct endpoint *out, const char *given, struct cause *cause)
{
	char folder[PATH_MAX];
	int error;

	*out = (struct endpoint){ .given = true };
	if (!given || !*given)
		given = getenv("VMDECK_SOCKET");
	if (given && *given)
		return put_path(out, 0, given, cause);
	out->given = false;
	error = paths_runtime(folder, cause);
	if (error == 0)
		error = put_in_folder(out, 0, folder, cause);
	/* One that is too long, or that nobody has, is no failure. */
	if (error == 0 && paths_state(folder, NULL) == 0)
		put_in_folder(out, 1, folder, NULL);
	return error;
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

/* Whether the peer is the user or root; 0, or -EACCES. */
static int check_peer(int fd, bool any, pid_t *pid, struct cause *cause)
{
	struct ucred peer = { .pid = 0, .uid = (uid_t)-1 };
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return cause_errno(cause, errno, "control socket: the peer's identity");
	if (pid)
		*pid = peer.pid;
	if (!any && peer.uid != geteuid() && peer.uid != 0)
		return cause_set(cause, EACCES, "control socket: the other side is user %u, "
				 "neither this user nor root", (unsigned)peer.uid);
	return 0;
}

int endpoint_check_peer(int fd, pid_t *pid, struct cause *cause)
{
	return check_peer(fd, false, pid, cause);
}

static int connect_path(const struct endpoint *endpoint, unsigned i, struct cause *cause)
{
	const char *path = endpoint->paths[i];
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
		error = check_peer(fd, endpoint->given && geteuid() == 0, NULL, cause);
	if (error < 0) {
		close(fd);
		return error;
	}
	return fd;
}

int endpoint_connect(const struct endpoint *endpoint, struct cause *cause)
{
	int error = connect_path(endpoint, 0, cause), other;

	for (unsigned i = 1; i < ENDPOINT_PATHS && error < 0 && *endpoint->paths[i]; i++) {
		other = connect_path(endpoint, i, NULL);
		error = other < 0 ? error : other;
	}
	return error;
}

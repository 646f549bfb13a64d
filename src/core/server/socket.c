/*
 * The server's place in the file system (unix(7)). Any thread.
 *
 * The lock, not the socket, says who owns the place: it goes with its process,
 * however that ends. So whoever holds the lock may remove a socket that is
 * left there, once he has seen that no program of another kind answers on it.
 */
#include "core/server/socket.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lock_file.h"
#include "control/endpoint.h"
#include "control/listen.h"

#define BACKLOG 64
#define ADVICE "choose another with --socket"

static int lock_name(char *name, size_t size, const char *path)
{
	int n = snprintf(name, size, "%s.lock", path);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int taken(const struct lock_file_owner *owner, const char *path, struct cause *cause)
{
	if (owner->pid > 0)
		return cause_set(cause, EADDRINUSE, "%s: a deck is running there already, "
				 "process %ld; attach with 'vmdeck' or end it with "
				 "'vmdeck shutdown'", path, (long)owner->pid);
	return cause_set(cause, EADDRINUSE, "%s: a deck is running there already; attach with "
			 "'vmdeck' or end it with 'vmdeck shutdown'", path);
}

int server_socket_open(const char *path, int *listen_fd, int *lock_fd, struct cause *cause)
{
	struct lock_file_owner owner;
	struct sockaddr_un address;
	char name[PATH_MAX];
	int error = endpoint_address(&address, path, cause), fd, listening;

	if (error == 0)
		error = listen_folder(path, true, ADVICE, cause);
	if (error < 0)
		return error;
	if (lock_name(name, sizeof(name), path) < 0)
		return cause_set(cause, ENAMETOOLONG, "%s: too long a name", path);
	fd = lock_file_open(name, NULL, &owner, cause);
	if (fd < 0)
		return fd == -EAGAIN ? taken(&owner, path, cause) : fd;
	listening = listen_open(path, BACKLOG, ADVICE, cause);
	if (listening < 0) {
		lock_file_close(name, fd);
		return listening;
	}
	*listen_fd = listening;
	*lock_fd = fd;
	return 0;
}

bool server_socket_is_there(const char *path, int lock_fd)
{
	char name[PATH_MAX];
	struct stat st;

	return lock_name(name, sizeof(name), path) == 0 && lock_file_is_there(name, lock_fd) &&
	       lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

void server_socket_close(const char *path, int listen_fd, int lock_fd)
{
	char name[PATH_MAX];

	/* Whoever holds the lock owns the socket, so somebody else's is left alone. */
	if (server_socket_is_there(path, lock_fd))
		unlink(path);
	close(listen_fd);
	if (lock_name(name, sizeof(name), path) == 0)
		lock_file_close(name, lock_fd);
	else
		close(lock_fd);
}

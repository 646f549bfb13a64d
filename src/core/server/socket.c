/*
 * The server's place in the file system (unix(7)). Any thread.
 *
 * The lock, not the socket, says who owns the place: it goes with its process,
 * however that ends. So whoever holds the lock may remove a socket that is
 * left there, once he has seen that no program of another kind answers on it.
 */
#include "core/server/socket.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lock_file.h"
#include "control/endpoint.h"

#define BACKLOG 64

static int check_folder(const char *folder, struct cause *cause)
{
	struct stat st;

	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return cause_errno(cause, errno, "%s: making the socket's folder", folder);
	if (lstat(folder, &st) < 0)
		return cause_errno(cause, errno, "%s", folder);
	if (!S_ISDIR(st.st_mode))
		return cause_set(cause, ENOTDIR, "%s: not a folder, so it cannot hold the socket",
				 folder);
	if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return cause_set(cause, EACCES, "%s: others can write to this folder, so the "
				 "socket would not be safe; choose another with --socket", folder);
	return 0;
}

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

/* Removes a socket that nobody answers on. */
static int clear(const char *path, const struct sockaddr_un *address, struct cause *cause)
{
	struct stat st;
	pid_t pid = 0;
	int fd, answered;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : cause_errno(cause, errno, "%s", path);
	if (!S_ISSOCK(st.st_mode))
		return cause_set(cause, EEXIST, "%s: something that is no socket is there; "
				 "remove it or choose another path with --socket", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return cause_errno(cause, errno, "%s", path);
	answered = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
		   errno == EAGAIN;
	if (answered)
		endpoint_check_peer(fd, &pid, NULL);
	close(fd);
	if (answered)
		return cause_set(cause, EADDRINUSE, "%s: process %ld listens there; end it or "
				 "choose another path with --socket", path, (long)pid);
	return unlink(path) < 0 && errno != ENOENT ? cause_errno(cause, errno, "%s", path) : 0;
}

static int listen_at(const char *path, int *listen_fd, struct cause *cause)
{
	struct sockaddr_un address;
	int error = endpoint_address(&address, path, cause), fd;

	if (error == 0)
		error = clear(path, &address, cause);
	if (error < 0)
		return error;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* bind() gives the file the socket's own mode, so there is no moment of another one. */
	if (fd >= 0 && fchmod(fd, 0600) == 0 &&
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    chmod(path, 0600) == 0 && listen(fd, BACKLOG) == 0) {
		*listen_fd = fd;
		return 0;
	}
	error = cause_errno(cause, errno, "%s", path);
	if (fd >= 0)
		close(fd);
	return error;
}

int server_socket_open(const char *path, int *listen_fd, int *lock_fd, struct cause *cause)
{
	char folder[PATH_MAX], name[PATH_MAX];
	struct lock_file_owner owner;
	struct sockaddr_un address;
	int error = endpoint_address(&address, path, cause), fd;

	if (error < 0)
		return error;
	strcpy(folder, address.sun_path);
	error = check_folder(dirname(folder), cause);
	if (error < 0)
		return error;
	if (lock_name(name, sizeof(name), path) < 0)
		return cause_set(cause, ENAMETOOLONG, "%s: too long a name", path);
	fd = lock_file_open(name, NULL, &owner, cause);
	if (fd < 0)
		return fd == -EAGAIN ? taken(&owner, path, cause) : fd;
	error = listen_at(path, listen_fd, cause);
	if (error < 0) {
		lock_file_close(name, fd);
		return error;
	}
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

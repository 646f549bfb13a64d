/*
 * The server's place in the file system (unix(7), fcntl(2) on OFD locks). Any thread.
 *
 * The lock, not the socket, says who owns the place: it goes with its process,
 * however that ends. So whoever holds the lock may remove a socket that is
 * left there, once he has seen that no program of another kind answers on it.
 */
#include "core/server/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/endpoint.h"

#define BACKLOG 64
#define LOCK_TRIES 16

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

static int taken(int fd, const char *path, struct cause *cause)
{
	char text[32] = "";
	long pid = 0;

	if (pread(fd, text, sizeof(text) - 1, 0) > 0)
		pid = strtol(text, NULL, 10);
	if (pid > 0)
		return cause_set(cause, EADDRINUSE, "%s: a deck is running there already, "
				 "process %ld; attach with 'vmdeck' or end it with "
				 "'vmdeck shutdown'", path, pid);
	return cause_set(cause, EADDRINUSE, "%s: a deck is running there already; attach with "
			 "'vmdeck' or end it with 'vmdeck shutdown'", path);
}

/* Whether fd is still what name leads to: its last owner may have removed it meanwhile. */
static bool is_current(int fd, const char *name)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && lstat(name, &there) == 0 && ours.st_ino == there.st_ino &&
	       ours.st_dev == there.st_dev;
}

/* The lock's fd, or a negative errno with a cause. */
static int lock(const char *path, const char *name, struct cause *cause)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd, error;

	for (unsigned i = 0; i < LOCK_TRIES; i++) {
		fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return cause_errno(cause, errno, "%s", name);
		if (fcntl(fd, F_OFD_SETLK, &whole) < 0) {
			error = errno == EAGAIN || errno == EACCES
					? taken(fd, path, cause)
					: cause_errno(cause, errno, "%s: locking", name);
			close(fd);
			return error;
		}
		if (is_current(fd, name)) {
			if (ftruncate(fd, 0) == 0)
				dprintf(fd, "%ld\n", (long)getpid());
			return fd;
		}
		close(fd);
	}
	return cause_set(cause, EADDRINUSE, "%s: decks come and go too fast to lock it", name);
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
	fd = lock(path, name, cause);
	if (fd < 0)
		return fd;
	error = listen_at(path, listen_fd, cause);
	if (error < 0) {
		unlink(name);
		close(fd);
		return error;
	}
	*lock_fd = fd;
	return 0;
}

void server_socket_close(const char *path, int listen_fd, int lock_fd)
{
	char name[PATH_MAX];

	unlink(path);
	close(listen_fd);
	if (lock_name(name, sizeof(name), path) == 0)
		unlink(name);
	close(lock_fd);
}

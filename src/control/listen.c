/* See listen.h; unix(7). */
#include "control/listen.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/endpoint.h"

int listen_folder(const char *path, bool make, const char *advice, struct cause *cause)
{
	char copy[PATH_MAX];
	const char *folder;
	struct stat st;

	snprintf(copy, sizeof(copy), "%s", path);
	folder = dirname(copy);
	if (make && mkdir(folder, 0700) < 0 && errno != EEXIST)
		return cause_errno(cause, errno, "%s: making the socket's folder", folder);
	if (lstat(folder, &st) < 0)
		return !make && errno == ENOENT ? 0 : cause_errno(cause, errno, "%s", folder);
	if (!S_ISDIR(st.st_mode))
		return cause_set(cause, ENOTDIR, "%s: not a folder, so it cannot hold the socket",
				 folder);
	if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return cause_set(cause, EACCES, "%s: others can write to this folder, so the "
				 "socket would not be safe; %s", folder, advice);
	return 0;
}

/* Removes a socket that nobody answers on. */
static int clear(const char *path, const struct sockaddr_un *address, const char *advice,
		 struct cause *cause)
{
	struct stat st;
	pid_t pid = 0;
	int fd, answered;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : cause_errno(cause, errno, "%s", path);
	if (!S_ISSOCK(st.st_mode))
		return cause_set(cause, EEXIST, "%s: something that is no socket is there; "
				 "remove it or %s", path, advice);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return cause_errno(cause, errno, "%s", path);
	answered = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
		   errno == EAGAIN;
	if (answered)
		endpoint_check_peer(fd, &pid, NULL);
	close(fd);
	if (answered)
		return cause_set(cause, EADDRINUSE, "%s: process %ld listens there; end it or %s",
				 path, (long)pid, advice);
	return unlink(path) < 0 && errno != ENOENT ? cause_errno(cause, errno, "%s", path) : 0;
}

int listen_open(const char *path, int backlog, const char *advice, struct cause *cause)
{
	struct sockaddr_un address;
	int error = endpoint_address(&address, path, cause), fd;

	if (error == 0)
		error = clear(path, &address, advice, cause);
	if (error < 0)
		return error;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* bind() gives the file the socket's own mode, so there is no moment of another one. */
	if (fd >= 0 && fchmod(fd, 0600) == 0 &&
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    chmod(path, 0600) == 0 && listen(fd, backlog) == 0)
		return fd;
	error = cause_errno(cause, errno, "%s", path);
	if (fd >= 0)
		close(fd);
	return error;
}

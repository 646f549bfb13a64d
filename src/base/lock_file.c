/* See lock_file.h. */
#include "base/lock_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_TRIES 16

static void read_owner(int fd, struct lock_file_owner *owner)
{
	char text[32 + LOCK_FILE_NOTE], *rest;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	*owner = (struct lock_file_owner){ 0 };
	if (n <= 0)
		return;
	text[n] = '\0';
	owner->pid = (pid_t)strtol(text, &rest, 10);
	rest += *rest == '\n';
	rest[strcspn(rest, "\n")] = '\0';
	snprintf(owner->note, sizeof(owner->note), "%s", rest);
}

/* It only serves to name the owner: a disk that is full does no harm. */
static void write_owner(int fd, const char *note)
{
	char text[sizeof(((struct lock_file_owner *)0)->note) + 32];
	int n = snprintf(text, sizeof(text), "%ld\n%s%s", (long)getpid(), note ? note : "",
			 note ? "\n" : "");

	if (ftruncate(fd, 0) == 0 && n > 0 && (size_t)n < sizeof(text))
		n = (int)write(fd, text, (size_t)n);
	(void)n;
}

bool lock_file_is_there(const char *path, int fd)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 && ours.st_ino == there.st_ino &&
	       ours.st_dev == there.st_dev;
}

int lock_file_open(const char *path, const char *note, struct lock_file_owner *owner,
		   struct cause *cause)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd, error;

	for (unsigned i = 0; i < LOCK_TRIES; i++) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return cause_errno(cause, errno, "%s", path);
		if (fcntl(fd, F_OFD_SETLK, &whole) < 0) {
			error = errno == EACCES ? EAGAIN : errno;
			if (error == EAGAIN)
				read_owner(fd, owner);
			close(fd);
			return cause_errno(cause, error, "%s: locking", path);
		}
		/* Its last owner may have removed it meanwhile. */
		if (lock_file_is_there(path, fd)) {
			write_owner(fd, note);
			return fd;
		}
		close(fd);
	}
	*owner = (struct lock_file_owner){ 0 };
	return cause_set(cause, EAGAIN, "%s: its owners come and go too fast to lock it", path);
}

void lock_file_close(const char *path, int fd)
{
	if (lock_file_is_there(path, fd))
		unlink(path);
	close(fd);
}

/*
 * Files that say whose something is: locked as long as their owner lives, however it
 * ends. fcntl(2), open file description locks. Any thread.
 */
#ifndef BASE_LOCK_FILE_H
#define BASE_LOCK_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/cause.h"

#define LOCK_FILE_NOTE 512 /* bytes of a note, with the zero */

struct lock_file_owner {
	pid_t pid; /* 0: not known */
	char note[LOCK_FILE_NOTE]; /* what he left there besides, a line, or "" */
};

/*
 * Locks the file at path, mode 0600, which is made if it is missing, and writes our process
 * ID and the note to it, a line each; note may be NULL. Returns an fd, or a negative errno
 * with a cause: -EAGAIN when somebody holds the lock, and *owner then says who.
 */
int lock_file_open(const char *path, const char *note, struct lock_file_owner *owner,
		   struct cause *cause);

/* Whether path still leads to the file that is locked by fd. */
bool lock_file_is_there(const char *path, int fd);

/* Gives it up, and removes the file if it is the one. */
void lock_file_close(const char *path, int fd);

#endif

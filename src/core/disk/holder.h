/*
 * Who keeps an image locked. Any thread.
 *
 * A lock of an open file belongs to no process, so the system names nobody. A deck leaves
 * a mark beside its locks, a lock of the process's own on a byte that nobody else uses;
 * of others the open files are looked through, as far as they are ours to look at.
 */
#ifndef CORE_DISK_HOLDER_H
#define CORE_DISK_HOLDER_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

struct image_holder {
	pid_t pid; /* 0: nobody who is alive was found */
	char name[32]; /* of its program, as it says */
};

/*
 * Marks an open file as this process's. It goes when the process closes any file of that
 * image, and with the process, though an io_uring of it may keep the locks for a while.
 */
void image_mark(int fd);

/* fd: of the image, st: its stat(). thorough: beside marks, also look at open files. */
void image_find_holder(struct image_holder *holder, int fd, const struct stat *st, bool thorough);

#endif

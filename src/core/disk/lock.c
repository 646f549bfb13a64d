/*
 * Locks on images, by the rules of QEMU's file driver (block/file-posix.c), so
 * that both see each other.
 *
 * A process that opens an image takes a shared lock on byte 100 + n for each
 * permission n that it uses, and on byte 200 + n for each that it does not
 * allow others. It may go on when nobody else holds 200 + n for what it uses,
 * nor 100 + n for what it does not allow. All locks are shared ones; the test
 * asks whether an exclusive one could be had. They belong to the open file
 * (OFD), so two guests of one process exclude each other too. Any thread.
 */
#include "core/disk/image.h"

#include <errno.h>
#include <fcntl.h>

#include "base/checked.h"

#define LOCK_USED 100
#define LOCK_UNSHARED 200

/* QEMU's permissions by number. */
enum { PERM_CONSISTENT_READ, PERM_WRITE, PERM_WRITE_UNCHANGED, PERM_RESIZE, PERM_COUNT };

#define BIT(n) (1u << (n))

/* A guest's disk keeps its size, so a writer allows no resizing besides. */
#define READER_USES BIT(PERM_CONSISTENT_READ)
#define READER_REFUSES BIT(PERM_WRITE)
#define WRITER_USES (BIT(PERM_CONSISTENT_READ) | BIT(PERM_WRITE))
#define WRITER_REFUSES (BIT(PERM_WRITE) | BIT(PERM_RESIZE))

static int take(int fd, int base, unsigned permissions)
{
	for (int n = 0; n < PERM_COUNT; n++) {
		struct flock lock = {
			.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = base + n, .l_len = 1
		};

		if ((permissions & BIT(n)) && fcntl(fd, F_OFD_SETLK, &lock) < 0)
			return -errno;
	}
	return 0;
}

/* -EAGAIN when somebody else holds one of the bytes. */
static int probe(int fd, int base, unsigned permissions)
{
	for (int n = 0; n < PERM_COUNT; n++) {
		struct flock lock = {
			.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = base + n, .l_len = 1
		};

		if (!(permissions & BIT(n)))
			continue;
		if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
			return -errno;
		if (lock.l_type != F_UNLCK)
			return -EAGAIN;
	}
	return 0;
}

int image_lock(int fd, const struct disk_config *config, struct cause *cause)
{
	unsigned uses = config->readonly ? READER_USES : WRITER_USES;
	unsigned refuses = config->readonly ? READER_REFUSES : WRITER_REFUSES;
	int r = take(fd, LOCK_USED, uses);

	if (!r)
		r = take(fd, LOCK_UNSHARED, refuses);
	if (!r)
		r = probe(fd, LOCK_UNSHARED, uses);
	if (!r)
		r = probe(fd, LOCK_USED, refuses);
	if (!r)
		return 0;
	if (r != -EAGAIN && r != -EACCES) {
		image_unlock(fd);
		return cause_errno(cause, -r,
				   "%s: %s cannot be locked; put it on a file system with locks",
				   config->name, config->path);
	}
	r = probe(fd, LOCK_USED, BIT(PERM_WRITE) | BIT(PERM_RESIZE));
	image_unlock(fd);
	if (!r && !config->readonly)
		return cause_set(cause, EBUSY,
				 "%s: %s is in use by another process (it reads it and allows no "
				 "writers); close that first, or set readonly=yes",
				 config->name, config->path);
	return cause_set(cause, EBUSY,
			 "%s: %s is in use by another process (it holds a write lock); "
			 "close that first, or use a copy",
			 config->name, config->path);
}

void image_unlock(int fd)
{
	struct flock lock = {
		.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = LOCK_USED,
		.l_len = LOCK_UNSHARED + PERM_COUNT - LOCK_USED
	};

	fcntl(fd, F_OFD_SETLK, &lock);
}

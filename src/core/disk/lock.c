/*
 * Locks on images, by the rules of QEMU's file driver (block/file-posix.c), so
 * that both see each other.
 *
 * A process that opens an image takes a shared lock on byte 100 + n for each
 * permission n that it uses, and on byte 200 + n for each that it does not
 * allow others. It may go on when nobody else holds 200 + n for what it uses,
 * nor 100 + n for what it does not allow. All locks are shared ones; the test
 * asks whether an exclusive one could be had. They belong to the open file
 * (OFD), so two guests of one process exclude each other too.
 *
 * A reader of an image that this process reads already shares the locks: their
 * cost grows with the number of sets on the file. Each has its own open file, as
 * the kernel reads ahead by that. Any thread.
 */
#include "core/disk/image.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>


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

/* A writer's locks, or those of all readers of an image. */
struct image_lock {
	bool writer;
	int fd; /* the writer's, or a duplicate of the first reader's */
	unsigned readers;
	dev_t device;
	ino_t inode;
	struct image_lock *next;
};

static struct image_lock *shared; /* of readers */
static pthread_mutex_t shared_mutex = PTHREAD_MUTEX_INITIALIZER;

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

static void give_back(int fd)
{
	struct flock lock = {
		.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = LOCK_USED,
		.l_len = LOCK_UNSHARED + PERM_COUNT - LOCK_USED
	};

	fcntl(fd, F_OFD_SETLK, &lock);
}

static int lock_file(int fd, const struct disk_config *config, struct cause *cause)
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
		give_back(fd);
		return cause_errno(cause, -r,
				   "%s cannot be locked; put it on a file system with locks",
				   config->path);
	}
	r = probe(fd, LOCK_USED, BIT(PERM_WRITE) | BIT(PERM_RESIZE));
	give_back(fd);
	if (!r && !config->readonly)
		return cause_set(cause, EBUSY,
				 "%s is in use by another process (it reads it and allows no "
				 "writers); close that first, or set readonly=yes",
				 config->path);
	return cause_set(cause, EBUSY,
			 "%s is in use by another process (it holds a write lock); "
			 "close that first, or use a copy",
			 config->path);
}

/* The readers' locks that there are already for this file, with one more reader; or NULL. */
static struct image_lock *share(const struct stat *st)
{
	struct image_lock *lock;

	pthread_mutex_lock(&shared_mutex);
	for (lock = shared; lock; lock = lock->next)
		if (lock->device == st->st_dev && lock->inode == st->st_ino)
			break;
	if (lock)
		lock->readers++;
	pthread_mutex_unlock(&shared_mutex);
	return lock;
}

static void offer(struct image_lock *lock, const struct stat *st)
{
	lock->device = st->st_dev;
	lock->inode = st->st_ino;
	lock->readers = 1;
	pthread_mutex_lock(&shared_mutex);
	lock->next = shared;
	shared = lock;
	pthread_mutex_unlock(&shared_mutex);
}

int image_lock(struct image_lock **out, int fd, const struct stat *st,
	       const struct disk_config *config, struct cause *cause)
{
	struct image_lock *lock = config->readonly ? share(st) : NULL;
	int r;

	*out = lock;
	if (lock)
		return 0;
	lock = calloc(1, sizeof(*lock));
	if (!lock)
		return cause_errno(cause, ENOMEM, "%s", config->path);
	/* The locks of readers outlive the first one's file. */
	lock->writer = !config->readonly;
	lock->fd = lock->writer ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	r = lock->fd < 0 ? cause_errno(cause, errno, "%s", config->path) :
			   lock_file(fd, config, cause);
	if (r < 0) {
		if (!lock->writer && lock->fd >= 0)
			close(lock->fd);
		free(lock);
		return r;
	}
	if (!lock->writer)
		offer(lock, st);
	*out = lock;
	return 0;
}

/* Whether that was the last reader. */
static bool leave(struct image_lock *lock)
{
	struct image_lock **link = &shared;
	bool last;

	pthread_mutex_lock(&shared_mutex);
	last = --lock->readers == 0;
	while (last && *link != lock)
		link = &(*link)->next;
	if (last)
		*link = lock->next;
	pthread_mutex_unlock(&shared_mutex);
	return last;
}

void image_unlock(struct image_lock *lock)
{
	if (!lock || (!lock->writer && !leave(lock)))
		return;
	/* The ring can keep the file open for a while after it is destroyed. */
	give_back(lock->fd);
	if (!lock->writer)
		close(lock->fd);
	free(lock);
}

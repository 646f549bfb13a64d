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
 * Others of this process have been excluded by its claim before (claim.h). A
 * reader of an image that this process reads already shares the locks: their
 * cost grows with the number of sets on the file. Each has its own open file, as
 * the kernel reads ahead by that. Any thread.
 */
#include "core/disk/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/disk/holder.h"

#define LOCK_PAUSE 20000000 /* ns between two tries */
#define LOCK_TRIES 100

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

/* What was taken of an image: a writer's locks, or those of all readers. */
struct taken {
	bool writer;
	int fd; /* the writer's, or a duplicate of the first reader's */
	unsigned users;
	unsigned marking; /* threads that are at it */
	struct stat st;
};

/* One disk's part in it. */
struct image_lock {
	struct taken *taken;
	struct image_lock *next;
};

static struct image_lock *locks; /* of this process */
static pthread_mutex_t locks_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t marked = PTHREAD_COND_INITIALIZER; /* nobody marks one any more */

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

/* Takes all of them or none. -EAGAIN: somebody else holds what speaks against that. */
static int lock_file(int fd, bool readonly)
{
	unsigned uses = readonly ? READER_USES : WRITER_USES;
	unsigned refuses = readonly ? READER_REFUSES : WRITER_REFUSES;
	int r = take(fd, LOCK_USED, uses);

	if (!r)
		r = take(fd, LOCK_UNSHARED, refuses);
	if (!r)
		r = probe(fd, LOCK_UNSHARED, uses);
	if (!r)
		r = probe(fd, LOCK_USED, refuses);
	if (r)
		give_back(fd);
	return r == -EACCES ? -EAGAIN : r;
}

/* --- others in this process --- */

static struct image_lock *find(const struct stat *st)
{
	struct image_lock *lock = locks;

	while (lock && !disk_file_same(&lock->taken->st, st))
		lock = lock->next;
	return lock;
}

/* --- other processes --- */

static int in_use(int fd, const struct stat *st, const struct disk_config *config,
		  struct cause *cause)
{
	struct image_holder holder;
	char who[80] = "a process that cannot be seen from here";

	image_find_holder(&holder, fd, st, true);
	if (holder.pid)
		snprintf(who, sizeof(who), "process %d (%s)", (int)holder.pid, holder.name);
	if (!config->readonly && !probe(fd, LOCK_USED, BIT(PERM_WRITE) | BIT(PERM_RESIZE)))
		return cause_set(cause, EBUSY, "%s is in use by %s (it reads it and allows no "
				 "writers); close that first, or set readonly=yes", config->path,
				 who);
	return cause_set(cause, EBUSY, "%s is in use by %s (it holds a write lock); close that "
			 "first, or use a copy", config->path, who);
}

/*
 * The io_uring of a process that was killed keeps its files a moment longer than the process.
 * Whoever is alive is not waited for, but for the moment in which he may be about to end.
 */
static int lock_in_time(int fd, const struct stat *st, const struct disk_config *config)
{
	const struct timespec pause = { 0, LOCK_PAUSE };
	struct image_holder holder = { .pid = 0 };
	int r;

	for (unsigned i = 0;; i++) {
		pid_t before = holder.pid;

		r = lock_file(fd, config->readonly);
		if (r != -EAGAIN || config->at_once || i == LOCK_TRIES)
			return r;
		image_find_holder(&holder, fd, st, i < 2);
		if (holder.pid && holder.pid == before)
			return r;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	}
}

/* The locks of readers outlive the first one's file. -EAGAIN without a cause: in use. */
static int take_locks(struct taken *taken, int fd, const struct disk_config *config,
		      struct cause *cause)
{
	int r;

	taken->fd = taken->writer ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (taken->fd < 0)
		return cause_errno(cause, errno, "%s", config->path);
	r = lock_in_time(fd, &taken->st, config);
	if (!r || r == -EAGAIN)
		return r;
	return cause_errno(cause, -r, "%s cannot be locked; put it on a file system with locks",
			   config->path);
}

static void give_up(struct taken *taken)
{
	/* The ring can keep the file open for a while after it is destroyed. */
	if (taken->fd >= 0)
		give_back(taken->fd);
	if (taken->fd >= 0 && !taken->writer)
		close(taken->fd);
	free(taken);
}

/* --- both --- */

/* With the mutex, but not while a file system may be waited for: it is for all images. */
static void mark(struct taken *taken)
{
	taken->marking++;
	pthread_mutex_unlock(&locks_mutex);
	image_mark(taken->fd);
	pthread_mutex_lock(&locks_mutex);
	if (--taken->marking == 0)
		pthread_cond_broadcast(&marked);
}

/*
 * Adds a lock with what was taken for it, if anything, or with what other readers have. false:
 * nobody here has the image, and nothing was taken.
 */
static bool add(struct image_lock *lock, struct taken *taken, const struct stat *st)
{
	const struct image_lock *other;

	pthread_mutex_lock(&locks_mutex);
	other = find(st);
	lock->taken = other ? other->taken : taken;
	if (lock->taken) {
		lock->taken->users++;
		lock->next = locks;
		locks = lock;
		mark(lock->taken);
	}
	pthread_mutex_unlock(&locks_mutex);
	return lock->taken;
}

static int take_and_add(struct image_lock *lock, const struct disk_file *file,
			const struct disk_config *config, struct cause *cause)
{
	struct taken *taken = calloc(1, sizeof(*taken));
	int r;

	if (!taken)
		return cause_errno(cause, ENOMEM, "%s", config->path);
	*taken = (struct taken){ .writer = !config->readonly, .fd = -1, .st = file->st };
	r = take_locks(taken, file->fd, config, cause);
	/* Another reader here may have been faster. */
	if (!r || r == -EAGAIN)
		r = add(lock, r ? NULL : taken, &file->st) ? 0
			: in_use(file->fd, &file->st, config, cause);
	if (!taken->users)
		give_up(taken);
	return r;
}

int image_lock(struct image_lock **out, const struct disk_file *file,
	       const struct disk_config *config, struct cause *cause)
{
	struct image_lock *lock = calloc(1, sizeof(*lock));
	int r = 0;

	*out = NULL;
	if (!lock)
		return cause_errno(cause, ENOMEM, "%s", config->path);
	if (!add(lock, NULL, &file->st))
		r = take_and_add(lock, file, config, cause);
	if (r < 0)
		free(lock);
	else
		*out = lock;
	return r;
}

void image_unlock(struct image_lock *lock)
{
	struct image_lock **link = &locks;
	bool last;

	if (!lock)
		return;
	pthread_mutex_lock(&locks_mutex);
	/* The file that is being marked is given back with the last one. */
	while (lock->taken->users == 1 && lock->taken->marking)
		pthread_cond_wait(&marked, &locks_mutex);
	while (*link != lock)
		link = &(*link)->next;
	*link = lock->next;
	last = --lock->taken->users == 0;
	pthread_mutex_unlock(&locks_mutex);
	if (last)
		give_up(lock->taken);
	free(lock);
}

void disk_file_close(struct disk_file *file)
{
	const struct image_lock *lock;

	if (file->fd < 0)
		return;
	close(file->fd);
	pthread_mutex_lock(&locks_mutex);
	lock = find(&file->st);
	if (lock)
		mark(lock->taken);
	pthread_mutex_unlock(&locks_mutex);
	file->fd = -1;
}

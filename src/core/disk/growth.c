/*
 * Larger disks, for disk.h: the file is made larger by whoever may wait for it, and the disk takes
 * the new size afterwards. fstat(2), ftruncate(2), BLKGETSIZE64 of linux/fs.h. Any thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/units.h"
#include "core/disk/image.h"
#include "core/disk/lock.h"

struct disk_growth {
	struct disk_file file; /* of its own */
	uint64_t bytes;
	bool begun;		  /* it is among growths */
	struct disk_growth *next; /* of these */
	char path[];
};

/* Files that are being made larger: of two at once one would cut off what the other has made. */
static struct disk_growth *growths;
static pthread_mutex_t growths_mutex = PTHREAD_MUTEX_INITIALIZER;

static int check(const struct disk *disk, uint64_t bytes, struct cause *cause)
{
	uint64_t now = disk_size(disk);
	char text[TEXT_NUMBER];

	if (disk->config.readonly)
		return cause_set(cause, EROFS, "it is read-only, and so is its size");
	if (bytes % DISK_SECTOR || bytes > INT64_MAX)
		return cause_set(cause, EINVAL, "%" PRIu64 " bytes are no size of a disk; it has "
				 "whole sectors of %u", bytes, DISK_SECTOR);
	if (bytes < now)
		return cause_set(cause, ERANGE, "it has %s; while its guest runs a disk only grows",
				 text_size(text, (double)now));
	return 0;
}

static int begin(struct disk_growth *growth, struct cause *cause)
{
	const struct disk_growth *other;

	pthread_mutex_lock(&growths_mutex);
	for (other = growths; other; other = other->next)
		if (disk_file_same(&other->file.st, &growth->file.st))
			break;
	if (!other) {
		growth->next = growths;
		growths = growth;
		growth->begun = true;
	}
	pthread_mutex_unlock(&growths_mutex);
	return other ? cause_set(cause, EBUSY, "%s is being made larger already", growth->path) : 0;
}

static void end(struct disk_growth *growth)
{
	struct disk_growth **at = &growths;

	if (!growth->begun)
		return;
	pthread_mutex_lock(&growths_mutex);
	while (*at != growth)
		at = &(*at)->next;
	*at = growth->next;
	growth->begun = false;
	pthread_mutex_unlock(&growths_mutex);
}

int disk_growth_new(struct disk_growth **out, const struct disk *disk, uint64_t bytes,
		    struct cause *cause)
{
	size_t size = strlen(disk->config.path) + 1;
	struct disk_growth *growth;
	int r = check(disk, bytes, cause);

	if (r)
		return r;
	growth = calloc(1, sizeof(*growth) + size);
	if (!growth)
		return cause_errno(cause, ENOMEM, "%s", disk->config.path);
	memcpy(growth->path, disk->config.path, size);
	growth->bytes = bytes;
	growth->file = (struct disk_file){ .fd = -1, .st = disk->file.st };
	/* A file of one that is refused is not closed here, which may wait for its file system. */
	r = begin(growth, cause);
	if (!r)
		growth->file.fd = fcntl(disk->file.fd, F_DUPFD_CLOEXEC, 0);
	if (!r && growth->file.fd < 0)
		r = cause_errno(cause, errno, "%s", growth->path);
	if (r)
		disk_growth_free(growth);
	else
		*out = growth;
	return r;
}

static int grow_device(const struct disk_growth *growth, struct cause *cause)
{
	char text[TEXT_NUMBER];
	uint64_t there;

	if (ioctl(growth->file.fd, BLKGETSIZE64, &there) < 0)
		return cause_errno(cause, errno, "%s", growth->path);
	if (growth->bytes <= there)
		return 0;
	return cause_set(cause, ERANGE, "%s has %s (%" PRIu64 " bytes); make the device larger "
			 "first", growth->path, text_size(text, (double)there), there);
}

static int grow_file(const struct disk_growth *growth, struct cause *cause)
{
	struct stat st;

	if (fstat(growth->file.fd, &st) < 0 ||
	    ((uint64_t)st.st_size < growth->bytes &&
	     ftruncate(growth->file.fd, (off_t)growth->bytes) < 0))
		return cause_errno(cause, errno, "%s", growth->path);
	return 0;
}

int disk_growth_run(struct disk_growth *growth, struct cause *cause)
{
	int r = S_ISBLK(growth->file.st.st_mode) ? grow_device(growth, cause)
						 : grow_file(growth, cause);

	end(growth);
	return r;
}

void disk_growth_free(struct disk_growth *growth)
{
	if (!growth)
		return;
	end(growth);
	disk_file_close(&growth->file);
	free(growth);
}

int disk_grow(struct disk *disk, const struct disk_growth *growth, struct cause *cause)
{
	int r;

	if (!disk_file_same(&disk->file.st, &growth->file.st))
		return cause_set(cause, ECANCELED, "its image is another one by now");
	r = check(disk, growth->bytes, cause);
	if (!r)
		atomic_store(&disk->size, growth->bytes);
	return r;
}

/*
 * Raw images: opening, checking and closing files and block devices.
 *
 * The size is taken once; a guest never makes an image longer. Opening and
 * closing happen while the machine is built and torn down; counters are read
 * by any thread.
 */
#include "core/disk/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/disk/image.h"

/* Nothing but a file or a block device is opened: opening others can block or have effects. */
static int check_type(const struct stat *st, const struct disk_config *config, struct cause *cause)
{
	if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode))
		return 0;
	if (S_ISDIR(st->st_mode))
		return cause_set(cause, EINVAL,
				 "%s: %s is a directory; name a raw image file or a block device",
				 config->name, config->path);
	return cause_set(cause, EINVAL,
			 "%s: %s is neither a file nor a block device; name a raw image",
			 config->name, config->path);
}

static int open_failed(int error, const struct disk_config *config, struct cause *cause)
{
	switch (error) {
	case ENOENT:
		return cause_set(cause, error,
				 "%s: %s does not exist; make one with truncate -s 1G %s, "
				 "or correct the path",
				 config->name, config->path, config->path);
	case EACCES:
	case EPERM:
	case EROFS:
		return cause_set(cause, error,
				 config->readonly ? "%s: %s: no permission to read it; change its "
						    "mode or owner"
						  : "%s: %s: no permission to write to it; change "
						    "its mode or owner, or set readonly=yes",
				 config->name, config->path);
	default:
		return cause_errno(cause, error, "%s: %s cannot be opened", config->name,
				   config->path);
	}
}

static int open_file(struct disk *disk, const struct disk_config *config, struct stat *st,
		     struct cause *cause)
{
	int r;

	if (stat(config->path, st) < 0)
		return open_failed(errno, config, cause);
	r = check_type(st, config, cause);
	if (r < 0)
		return r;
	/* Non-blocking only until it is known that nobody has put a FIFO in its place. */
	disk->fd = open(config->path,
			(config->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (disk->fd < 0)
		return open_failed(errno, config, cause);
	if (fstat(disk->fd, st) < 0)
		return open_failed(errno, config, cause);
	r = check_type(st, config, cause);
	if (r < 0)
		return r;
	if (fcntl(disk->fd, F_SETFL, 0) < 0)
		return open_failed(errno, config, cause);
	if (S_ISREG(st->st_mode))
		disk->size = (uint64_t)st->st_size;
	else if (ioctl(disk->fd, BLKGETSIZE64, &disk->size) < 0)
		return open_failed(errno, config, cause);
	return 0;
}

static int check_content(const struct disk *disk, const struct disk_config *config,
			 struct cause *cause)
{
	char magic[4];

	if (!disk->size)
		return cause_set(cause, EINVAL,
				 "%s: %s is empty; give it a size with truncate -s 1G %s",
				 config->name, config->path, config->path);
	if (disk->size % DISK_SECTOR)
		return cause_set(cause, EINVAL,
				 "%s: %s has %" PRIu64 " bytes, which is no multiple of %u; "
				 "round it up with truncate -s %%%u %s",
				 config->name, config->path, disk->size, DISK_SECTOR, DISK_SECTOR,
				 config->path);
	if (pread(disk->fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	    !memcmp(magic, "QFI\xfb", sizeof(magic)))
		return cause_set(cause, EINVAL,
				 "%s: %s is a qcow2 image and only raw ones are served; convert it "
				 "with qemu-img convert -O raw",
				 config->name, config->path);
	return 0;
}

int disk_open(struct disk **out, struct disk_ring *ring, const struct disk_config *config,
	      struct cause *cause)
{
	struct disk *disk = calloc(1, sizeof(*disk));
	struct stat st;
	int r;

	if (!disk)
		return cause_errno(cause, ENOMEM, "%s: %s", config->name, config->path);
	disk->fd = -1;
	disk->slot = -1;
	disk->ring = ring;
	disk->config = *config;
	r = open_file(disk, config, &st, cause);
	if (!r)
		r = image_lock(&disk->lock, disk->fd, &st, config, cause);
	if (!r)
		r = check_content(disk, config, cause);
	if (!r)
		r = ring_add_disk(ring, disk, config, cause);
	if (r < 0) {
		disk_close(disk);
		return r;
	}
	*out = disk;
	return 0;
}

void disk_close(struct disk *disk)
{
	if (!disk)
		return;
	if (disk->slot >= 0)
		ring_remove_disk(disk->ring, disk);
	image_unlock(disk->lock);
	if (disk->fd >= 0)
		close(disk->fd);
	free(disk);
}

uint64_t disk_size(const struct disk *disk)
{
	return disk->size;
}

const char *disk_name(const struct disk *disk)
{
	return disk->config.name;
}

const char *disk_path(const struct disk *disk)
{
	return disk->config.path;
}

bool disk_is_readonly(const struct disk *disk)
{
	return disk->config.readonly;
}

struct disk_ring *disk_get_ring(const struct disk *disk)
{
	return disk->ring;
}

void disk_on_batch(struct disk *disk, void (*batch)(void *arg), void *arg)
{
	disk->batch = batch;
	disk->batch_arg = arg;
}

void disk_get_counters(const struct disk *disk, struct disk_counters *out)
{
	out->read_bytes = counter_get(&disk->read_bytes);
	out->read_requests = counter_get(&disk->read_requests);
	out->write_bytes = counter_get(&disk->write_bytes);
	out->write_requests = counter_get(&disk->write_requests);
	out->flushes = counter_get(&disk->flushes);
	out->errors = counter_get(&disk->errors);
}

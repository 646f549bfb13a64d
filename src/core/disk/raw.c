/*
 * Disks: an open image with its locks and its place in a ring.
 *
 * The size is taken once; a guest never makes an image longer. Opening and
 * closing happen while the machine is built and torn down; counters are read
 * by any thread.
 */
#include "core/disk/disk.h"

#include <errno.h>
#include <stdlib.h>

#include "core/disk/image.h"
#include "core/disk/lock.h"
#include "core/disk/open.h"

int disk_open(struct disk **out, struct disk_ring *ring, const struct disk_config *config,
	      struct cause *cause)
{
	struct disk *disk = calloc(1, sizeof(*disk));
	int r;

	if (!disk)
		return cause_errno(cause, ENOMEM, "%s: %s", config->name, config->path);
	disk->slot = -1;
	disk->ring = ring;
	disk->config = *config;
	r = disk_file_open(&disk->file, config, cause);
	if (!r)
		r = image_lock(&disk->lock, &disk->file, &disk->config, cause);
	if (!r)
		r = ring_add_disk(ring, disk, config, cause);
	if (r < 0) {
		disk_close(disk);
		return cause_prefix(cause, r, "%s", config->name);
	}
	if (cause && *cause->text)
		cause_prefix(cause, 0, "%s", config->name);
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
	disk_file_close(&disk->file);
	free(disk);
}

uint64_t disk_size(const struct disk *disk)
{
	return disk->file.size;
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

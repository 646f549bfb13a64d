/*
 * Disks: an open image with its locks and its place in a ring.
 *
 * The size is taken once, and again when somebody makes the image larger; a guest
 * never does. Opening and closing happen while the machine is built and torn down;
 * counters are read by any thread.
 */
#include "core/disk/disk.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/disk/claim.h"
#include "core/disk/image.h"
#include "core/disk/lock.h"
#include "core/disk/open.h"

static int claim(struct disk *disk, struct cause *cause)
{
	const struct disk_config *config = &disk->config;

	disk->claim = image_claim_new(config->guest, config->name);
	if (!disk->claim || image_claim_add(disk->claim, config->path, &disk->file.st,
					    IMAGE_ITSELF, !config->readonly) < 0)
		return cause_errno(cause, ENOMEM, "%s", config->path);
	return image_claim_take(disk->claim, cause);
}

int disk_prepare(struct disk **out, const struct disk_config *config, struct cause *cause)
{
	size_t path = strlen(config->path) + 1, guest = config->guest ? strlen(config->guest) + 1 : 0;
	struct disk *disk = calloc(1, sizeof(*disk) + path + guest);
	int r;

	if (!disk)
		return cause_errno(cause, ENOMEM, "%s: %s", config->name, config->path);
	disk->slot = -1;
	disk->config = *config;
	disk->config.path = memcpy(disk->texts, config->path, path);
	if (guest)
		disk->config.guest = memcpy(disk->texts + path, config->guest, guest);
	r = disk_file_open(&disk->file, &disk->config, cause);
	atomic_store(&disk->size, disk->file.size);
	disk->discards = S_ISBLK(disk->file.st.st_mode);
	if (!r)
		r = claim(disk, cause);
	if (!r)
		r = image_lock(&disk->lock, &disk->file, &disk->config, cause);
	if (r < 0) {
		disk_close(disk);
		return cause_prefix(cause, r, "%s", config->name);
	}
	if (cause && *cause->text)
		cause_prefix(cause, 0, "%s", config->name);
	*out = disk;
	return 0;
}

int disk_join(struct disk *disk, struct disk_ring *ring, struct cause *cause)
{
	int r = ring_add_disk(ring, disk, cause);

	if (r < 0)
		return cause_prefix(cause, r, "%s", disk->config.name);
	disk->ring = ring;
	return 0;
}

int disk_open(struct disk **out, struct disk_ring *ring, const struct disk_config *config,
	      struct cause *cause)
{
	struct disk *disk;
	int r = disk_prepare(&disk, config, cause);

	if (r < 0)
		return r;
	r = disk_join(disk, ring, cause);
	if (r < 0)
		disk_close(disk);
	else
		*out = disk;
	return r;
}

void disk_close(struct disk *disk)
{
	if (!disk)
		return;
	if (disk->slot >= 0)
		ring_remove_disk(disk->ring, disk);
	image_unlock(disk->lock);
	image_claim_free(disk->claim);
	disk_file_close(&disk->file);
	free(disk);
}

uint64_t disk_size(const struct disk *disk)
{
	return atomic_load_explicit(&disk->size, memory_order_relaxed);
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

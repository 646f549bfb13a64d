/*
 * Disks: the image, the virtio device in front of it, and the transport. The
 * guest's I/O thread.
 */
#include "core/virtio/blk_device.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/bus/disks.h"
#include "core/disk/seed.h"
#include "core/disk/storage.h"
#include "core/profile/check.h"
#include "core/virtio/blk.h"
#include "core/virtio/pci_device.h"

_Static_assert(PROFILE_QUEUES_MAX == VIRTIO_BLK_QUEUES_MAX, "what a profile can ask for");
_Static_assert(PROFILE_SERIAL_MAX == VIRTIO_BLK_SERIAL, "what a profile can say");

struct blk_device {
	struct virtio_pci transport;
	struct virtio_blk blk;
	struct disk *disk;
};

static bool disk_wanted(const struct profile *profile, unsigned number)
{
	const struct profile_disk *disk = &profile->disks[number];

	return disk->present && !disk_is_sata(disk) && !storage_serves(disk);
}

/* One for each CPU: what CPUs share they wait for. */
static unsigned queues_of(const struct profile *profile, unsigned number)
{
	unsigned queues = profile->disks[number].queues;

	if (queues)
		return queues;
	return profile->cpus < VIRTIO_BLK_QUEUES_MAX ? profile->cpus : VIRTIO_BLK_QUEUES_MAX;
}

static int create_disk(struct device *device, struct cause *cause)
{
	struct device_host *host = device->host;
	struct blk_device *disk = device->state;
	char serial[PROFILE_SERIAL_MAX + 1];
	int err;

	disks_serial(host->profile, device->number, serial);
	err = disks_open(host, device->number, NULL, &disk->disk, cause);
	if (!err)
		err = virtio_blk_init(&disk->blk, disk->disk, serial,
				      queues_of(host->profile, device->number), cause);
	return err ? err : virtio_device_create(device, &disk->blk.device, cause);
}

static void destroy_disk(struct device *device)
{
	struct blk_device *disk = device->state;

	virtio_pci_destroy(&disk->transport);
	virtio_blk_destroy(&disk->blk);
	disk_close(disk->disk);
}

static bool stop_disk(struct device *device)
{
	struct blk_device *disk = device->state;

	virtio_device_stop(device);
	return virtio_blk_is_idle(&disk->blk);
}

static bool find_disk(const struct device *device, const char *section, char *path, size_t size)
{
	if (strcmp(section, device->name))
		return false;
	snprintf(path, size, "/pci@i0cf8/scsi@%x/disk@0,0", device->slot);
	return true;
}

static void sample_disk(const struct device *device, struct device_counters *sum)
{
	const struct blk_device *disk = device->state;

	disks_sample(disk->disk, sum);
}

static int resize_disk(struct device *device, struct device_size *size, struct cause *cause)
{
	struct blk_device *disk = device->state;

	if (!size->growth)
		return disk_growth_new(&size->growth, disk->disk, size->bytes, cause);
	return virtio_blk_grow(&disk->blk, size->growth, cause);
}

/* The driver knows size and kind of its disk, and must find the same. */
struct __attribute__((packed)) blk_registers {
	struct virtio_pci_registers transport;
	uint64_t size;
	uint8_t readonly;
};

static void save_disk(struct device *device, void *to)
{
	struct blk_registers *registers = to;
	struct blk_device *disk = device->state;

	virtio_pci_save(&disk->transport, &registers->transport);
	registers->size = disk_size(disk->disk);
	registers->readonly = disk_is_readonly(disk->disk);
}

static const char *load_disk(struct device *device, const void *from)
{
	const struct blk_registers *registers = from;
	struct blk_device *disk = device->state;

	if (registers->size != disk_size(disk->disk))
		return "the image has another size";
	if (registers->readonly != disk_is_readonly(disk->disk))
		return "readonly";
	return virtio_pci_load(&disk->transport, &registers->transport);
}

const struct device_type blk_device = {
	.name = DISKS_NAME,
	.size = sizeof(struct blk_device),
	.pci = true,
	.max = PROFILE_DISKS_MAX,
	.wanted = disk_wanted,
	.create = create_disk,
	.destroy = destroy_disk,
	.start = virtio_device_start,
	.stop = stop_disk,
	.reset = virtio_device_reset,
	.version = 1,
	.saved = sizeof(struct blk_registers),
	.save = save_disk,
	.load = load_disk,
	.boot_path = find_disk,
	.describe = virtio_device_describe,
	.resize = resize_disk,
	.sample = sample_disk,
};

/* --- the seed of a cloud image: a disk in memory --- */

#define SEED_NAME "seed"

struct seed_device {
	struct blk_device blk;
	char path[32]; /* while it is opened */
};

static bool seed_wanted(const struct profile *profile, unsigned number)
{
	(void)number;
	return profile->cloud.present;
}

static void seed_found(void *arg, const char *key, bool warning, const char *text)
{
	const struct profile_check *check = arg;

	check->found(check->arg, "cloud", key, warning, text);
}

static void check_seed(const struct profile_check *check)
{
	if (check->profile->cloud.present)
		seed_check(check->profile, seed_found, (void *)check);
}

static int create_seed(struct device *device, struct cause *cause)
{
	struct device_host *host = device->host;
	struct seed_device *seed = device->state;
	struct disk_config config = { .name = SEED_NAME, .path = seed->path, .guest = host->profile->name,
				      .readonly = true, .raw = true };
	int err, fd = seed_make(host->profile, cause);

	if (fd < 0)
		return fd;
	snprintf(seed->path, sizeof(seed->path), "/proc/self/fd/%d", fd);
	err = disk_open(&seed->blk.disk, host->disks, &config, cause);
	close(fd);
	if (!err)
		err = virtio_blk_init(&seed->blk.blk, seed->blk.disk, "vmdeck-seed", 1, cause);
	return err ? err : virtio_device_create(device, &seed->blk.blk.device, cause);
}

const struct device_type seed_device = {
	.name = SEED_NAME,
	.size = sizeof(struct seed_device),
	.pci = true,
	.wanted = seed_wanted,
	.check = check_seed,
	.create = create_seed,
	.destroy = destroy_disk,
	.start = virtio_device_start,
	.stop = stop_disk,
	.reset = virtio_device_reset,
	.version = 1,
	.saved = sizeof(struct blk_registers),
	.save = save_disk,
	.load = load_disk,
	.describe = virtio_device_describe,
	.sample = sample_disk,
};

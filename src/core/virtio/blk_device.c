/*
 * Disks: the image, the virtio device in front of it, and the transport. The
 * guest's I/O thread.
 */
#include "core/virtio/blk_device.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "core/disk/check.h"
#include "core/profile/check.h"
#include "core/virtio/blk.h"
#include "core/virtio/pci_device.h"

static void configure(struct disk_config *config, const struct profile *profile, unsigned number)
{
	const struct profile_disk *disk = &profile->disks[number];

	*config = (struct disk_config){ .path = disk->path, .guest = profile->name,
					.readonly = disk->readonly,
					.raw = disk->format == DISK_FORMAT_RAW };
	snprintf(config->name, sizeof(config->name), "%s%u", blk_device.name, number);
}

/* --- the ring of all disks --- */

struct disks_check {
	const struct profile_check *check;
	struct disk_config configs[PROFILE_DISKS_MAX];
};

static bool ring_wanted(const struct profile *profile, unsigned number)
{
	(void)number;
	for (unsigned i = 0; i < PROFILE_DISKS_MAX; i++)
		if (profile->disks[i].present)
			return true;
	return false;
}

static void image_found(void *arg, unsigned number, bool warning, const char *text)
{
	const struct disks_check *disks = arg;

	disks->check->found(disks->check->arg, disks->configs[number].name, "path", warning, text);
}

static void check_disks(const struct profile_check *check)
{
	const struct profile_disk *profiles = check->profile->disks;
	struct disks_check disks = { .check = check };
	unsigned count = 0;

	for (unsigned i = 0; i < PROFILE_DISKS_MAX; i++)
		if (profiles[i].present && profiles[i].path)
			configure(&disks.configs[count++], check->profile, i);
	disk_check(disks.configs, count, image_found, &disks);
}

static void disk_full(void *arg, const struct disk *disk, int error)
{
	struct device_host *host = arg;
	struct cause why;

	cause_set(&why, -error, "%s: %.400s: %s; free some, then resume", disk_name(disk),
		  disk_path(disk),
		  error == -EDQUOT ? "no quota left" : "no space left on device");
	host->full(host, why.text);
}

/* For all guests together: it is the host that refuses. text: room for it. */
static void tell_refusal(struct device_host *host, struct cause *text)
{
	static atomic_flag told = ATOMIC_FLAG_INIT;

	if (!disk_ring_is_refused(host->disks, text) || atomic_flag_test_and_set(&told))
		return;
	cause_prefix(text, 0, "disks are served by threads, which takes more of the host's time");
	host->notice(host, text->text);
}

static int create_ring(struct device *device, struct cause *cause)
{
	struct device_host *host = device->host;
	int err = disk_ring_create(&host->disks, host->loop, cause);

	if (!err)
		disk_on_full(host->disks, disk_full, host);
	return err;
}

static void destroy_ring(struct device *device)
{
	disk_ring_destroy(device->host->disks);
	device->host->disks = NULL;
}

static void start_ring(struct device *device)
{
	disk_retry(device->host->disks);
}

/* The reset of the disks has begun before: nobody is told any more. */
static bool reset_ring(struct device *device)
{
	disk_give_up(device->host->disks);
	return true;
}

const struct device_type disk_ring_device = {
	.name = "disks",
	.wanted = ring_wanted,
	.check = check_disks,
	.create = create_ring,
	.destroy = destroy_ring,
	.start = start_ring,
	.reset = reset_ring,
};

/* --- a disk --- */

struct blk_device {
	struct virtio_pci transport;
	struct virtio_blk blk;
	struct disk *disk;
};

static bool disk_wanted(const struct profile *profile, unsigned number)
{
	return profile->disks[number].present;
}

static int create_disk(struct device *device, struct cause *cause)
{
	struct device_host *host = device->host;
	struct blk_device *disk = device->state;
	struct disk_config config;
	char serial[DEVICE_NAME_MAX + 8];
	int err;

	configure(&config, host->profile, device->number);
	snprintf(serial, sizeof(serial), "vmdeck-%s", device->name);
	err = disk_open(&disk->disk, host->disks, &config, cause);
	if (!err && *cause->text)
		host->notice(host, cause->text);
	if (!err)
		tell_refusal(host, cause);
	if (!err)
		err = virtio_blk_init(&disk->blk, disk->disk, serial, cause);
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
	struct disk_counters counters;

	disk_get_counters(disk->disk, &counters);
	sum->read_bytes += counters.read_bytes;
	sum->read_requests += counters.read_requests;
	sum->write_bytes += counters.write_bytes;
	sum->write_requests += counters.write_requests;
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
	.name = "disk",
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
	.sample = sample_disk,
};

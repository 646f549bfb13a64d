/*
 * Disks that QEMU's storage daemon serves: a virtio block device, virtio 1.2 §5.2, by
 * vhost-user. The guest's I/O thread; looking at images: any thread.
 */
#include "core/virtio/vhost_blk.h"

#include <errno.h>
#include <linux/virtio_blk.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bus/disks.h"
#include "core/disk/claim.h"
#include "core/disk/lock.h"
#include "core/disk/open.h"
#include "core/disk/overlay.h"
#include "core/disk/secrets.h"
#include "core/disk/storage.h"
#include "core/profile/check.h"
#include "core/virtio/blk_command.h"
#include "core/virtio/vhost_device.h"

#define BIT(n) (1ull << (n))

/* Of struct virtio_blk_config; what lies behind it is for features that are not offered. */
#define CONFIG_SIZE 60

/* The profile names all. */
static const struct storage_paths named;

struct vhost_blk {
	struct vhost_device vhost;
	struct overlay overlay; /* fd -1 and no path: none; fd is the machine's */
	struct image_claim *image, *layer; /* of what it is made of, and of a layer that is kept */
	struct disk_file below; /* the image below a layer, which QEMU lets others write to */
	struct image_lock *lock; /* of that */
};

static bool wanted(const struct profile *profile, unsigned number)
{
	return storage_serves(&profile->disks[number]);
}

static void check(const struct profile_check *check)
{
	char name[DEVICE_NAME_MAX];
	struct storage storage;
	struct cause cause;

	for (unsigned i = 0; i < PROFILE_DISKS_MAX; i++) {
		const struct profile_disk *disk = &check->profile->disks[i];

		if (!storage_serves(disk) || !disk->path)
			continue;
		if (check->profile->autostart && secrets_lack(NULL, check->profile, i))
			check->found(check->arg, "guest", "autostart", true, "it cannot start by "
				     "itself, as the passphrase of a disk has to be typed; set "
				     "secret_file=");
		if (storage_check(&storage, disk, &named, &cause) == 0 &&
		    overlay_check(check->profile, i, storage.size, &cause) == 0)
			continue;
		snprintf(name, sizeof(name), DISKS_NAME "%u", i);
		check->found(check->arg, name, "path", false, cause.text);
	}
}

static const struct profile_disk *disk_of(const struct device *device)
{
	return &device->host->profile->disks[device->number];
}

static unsigned on_backend(const struct device *device)
{
	return disk_of(device)->on_backend;
}

/* Hands it what only the deck has: a layer without a name, a passphrase that was typed. */
static int pass_files(const struct device *device, struct program_order *order,
		      struct storage_paths *paths, int *secret, struct cause *cause)
{
	const struct vhost_blk *blk = device->state;
	int err = secrets_open(device->host->secrets, device->number, disk_of(device)->path,
			       secret);

	if (err)
		return cause_errno(cause, -err, "its passphrase");
	if (disk_of(device)->overlay)
		paths->layer = blk->overlay.fd < 0 ? blk->overlay.path
						   : backend_pass(order, blk->overlay.fd);
	if (*secret >= 0)
		paths->secret = backend_pass(order, *secret);
	return 0;
}

static int launch(const struct device *device, struct backend *backend, struct cause *cause)
{
	const struct profile_disk *disk = disk_of(device);
	struct storage_arguments arguments;
	struct storage_paths paths = { NULL, NULL };
	struct storage storage;
	struct program_order order = { .program = PROGRAM_STORAGE_DAEMON,
				       .arguments = arguments.list,
				       .files = storage.files,
				       .network = storage_network(disk),
				       .fds = { -1, -1 } };
	int secret, err = pass_files(device, &order, &paths, &secret, cause);

	if (!err)
		err = storage_check(&storage, disk, &paths, cause);
	if (!err)
		err = storage_arguments(&arguments, disk, BACKEND_LISTEN_FD, &paths, cause);
	if (!err)
		err = backend_start(backend, &order, cause);
	if (secret >= 0)
		close(secret);
	return err;
}

static uint32_t refuse(const struct virtq_chain *chain, struct iovec *iov)
{
	struct blk_command command = { .chain = *chain };

	if (!blk_command_parse(&command, iov))
		return 0;
	*command.status = VIRTIO_BLK_S_IOERR;
	/* Bytes that are counted are counted from the first, which data would have had. */
	return command.in_size ? 0 : 1;
}

static const struct vhost_kind kind = {
	.id = 2,
	.class_code = 0x010000, /* mass storage, SCSI: what firmware expects of virtio-blk */
	.queues = 1,
	.queue_size = VHOST_QUEUE_SIZE,
	.config_size = CONFIG_SIZE,
	.config_is_theirs = true,
	.features = BIT(VIRTIO_BLK_F_SIZE_MAX) | BIT(VIRTIO_BLK_F_SEG_MAX) |
		    BIT(VIRTIO_BLK_F_RO) | BIT(VIRTIO_BLK_F_BLK_SIZE) | BIT(VIRTIO_BLK_F_FLUSH) |
		    BIT(VIRTIO_BLK_F_TOPOLOGY) | BIT(VIRTIO_BLK_F_DISCARD) |
		    BIT(VIRTIO_BLK_F_WRITE_ZEROES),
	.program = PROGRAM_STORAGE_DAEMON,
	.on_backend = on_backend,
	.launch = launch,
	.refuse = refuse,
};

static int claim_image(struct device *device, const struct storage *storage, struct cause *cause)
{
	struct vhost_blk *blk = device->state;
	int err;

	blk->image = image_claim_new(device->host->profile->name, device->name);
	if (!blk->image || storage_claim(blk->image, storage, disk_of(device)) < 0)
		return cause_errno(cause, ENOMEM, "%s", disk_of(device)->path);
	err = image_claim_take(blk->image, cause);
	return err ? err : storage_try(storage, disk_of(device), cause);
}

static int claim_layer(struct device *device, struct cause *cause)
{
	struct vhost_blk *blk = device->state;
	const char *path = blk->overlay.path;
	struct stat st;

	blk->layer = image_claim_new(device->host->profile->name, device->name);
	if (stat(path, &st) < 0 || !blk->layer ||
	    image_claim_add(blk->layer, path, &st, IMAGE_ITSELF, true) < 0)
		return cause_errno(cause, blk->layer ? errno : ENOMEM, "%s", path);
	return image_claim_take(blk->layer, cause);
}

/* As a reader that allows no writers, in other processes too. */
static int hold_below(struct device *device, struct cause *cause)
{
	const struct disk_config config = { .path = disk_of(device)->path, .readonly = true };
	struct vhost_blk *blk = device->state;
	int err = disk_file_open_as_it_is(&blk->below, &config, cause);

	return err ? err : image_lock(&blk->lock, &blk->below, &config, cause);
}

/* The layer is there as long as the machine is, whatever becomes of the daemon. */
static int make_overlay(struct device *device, uint64_t size, struct cause *cause)
{
	int *layer = &device->host->media->drives[device->number].layer;
	struct vhost_blk *blk = device->state;
	int err;

	if (*layer) {
		blk->overlay.fd = *layer - 1;
		return 0;
	}
	err = overlay_open(&blk->overlay, device->host->profile, device->number, size, cause);
	if (!err && *blk->overlay.path)
		err = claim_layer(device, cause);
	if (!err)
		*layer = blk->overlay.fd + 1;
	return err;
}

/* Of an image that is there. */
static int check_secret(const struct device *device, struct cause *cause)
{
	const struct device_host *host = device->host;

	if (!secrets_lack(host->secrets, host->profile, device->number))
		return 0;
	return cause_set(cause, ENOKEY, "%s is encrypted, and who starts the guest is asked for its "
			 "passphrase on a terminal; or set secret_file=", disk_of(device)->path);
}

static int create(struct device *device, struct cause *cause)
{
	struct vhost_blk *blk = device->state;
	struct storage storage;
	int err;

	blk->overlay.fd = blk->below.fd = -1;
	err = storage_check(&storage, disk_of(device), &named, cause);
	if (!err)
		err = check_secret(device, cause);
	if (!err)
		err = claim_image(device, &storage, cause);
	if (!err && disk_of(device)->overlay)
		err = hold_below(device, cause);
	if (!err && disk_of(device)->overlay)
		err = make_overlay(device, storage.size, cause);
	if (err)
		return cause_prefix(cause, err, "%s", device->name);
	return vhost_create(device, &kind, cause);
}

static void destroy(struct device *device)
{
	struct vhost_blk *blk = device->state;

	vhost_destroy(device);
	image_unlock(blk->lock);
	disk_file_close(&blk->below);
	image_claim_free(blk->image);
	image_claim_free(blk->layer);
}

static const char *load(struct device *device, const void *registers)
{
	if (disk_of(device)->overlay == DISK_OVERLAY_DISCARD)
		return "what it has written is forgotten (overlay=discard)";
	return vhost_load(device, registers);
}

const struct device_type vhost_blk_device = {
	.name = DISKS_NAME,
	.shares_slots = true,
	.max = PROFILE_DISKS_MAX,
	.wanted = wanted,
	.check = check,
	.create = create,
	VHOST_ROW,
	.size = sizeof(struct vhost_blk),
	.destroy = destroy,
	.load = load,
};

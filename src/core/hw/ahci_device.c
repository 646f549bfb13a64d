/*
 * The AHCI controller, and the disks of the profile that are behind it: [diskN] is
 * the drive at port N. The guest's I/O thread.
 */
#include "core/hw/ahci_device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bus/disks.h"
#include "core/hw/ahci.h"

/* --- the controller --- */

_Static_assert(PROFILE_SERIAL_MAX == ATA_SERIAL_SIZE, "what a profile can say");
_Static_assert(AHCI_PORTS == PROFILE_DISKS_MAX, "each disk has its port");

static bool controller_wanted(const struct profile *profile, unsigned number)
{
	(void)number;
	for (unsigned i = 0; i < PROFILE_DISKS_MAX; i++)
		if (disk_is_sata(&profile->disks[i]))
			return true;
	return false;
}

static void medium_failed(void *host, const char *why)
{
	((struct device_host *)host)->notice(host, why);
}

static int create_controller(struct device *device, struct cause *cause)
{
	struct device_host *host = device->host;

	host->ahci = device->state;
	host->ahci->failed = medium_failed;
	host->ahci->failed_arg = host;
	return ahci_create(device->state, host->pci, device->slot, host->memory, host->loop,
			   host->disks, cause);
}

static void destroy_controller(struct device *device)
{
	ahci_destroy(device->state);
	device->host->ahci = NULL;
}

static void start_controller(struct device *device)
{
	ahci_pause(device->state, false);
}

static bool stop_controller(struct device *device)
{
	return ahci_pause(device->state, true);
}

static bool reset_controller(struct device *device)
{
	return ahci_quiesce(device->state);
}

static void save_controller(struct device *device, void *registers)
{
	ahci_save(device->state, registers);
}

static const char *load_controller(struct device *device, const void *registers)
{
	return ahci_load(device->state, registers);
}

const struct device_type ahci_device = {
	.name = "AHCI",
	.size = sizeof(struct ahci),
	.pci = true,
	.wanted = controller_wanted,
	.create = create_controller,
	.destroy = destroy_controller,
	.start = start_controller,
	.stop = stop_controller,
	.reset = reset_controller,
	.version = 1,
	.saved = sizeof(struct ahci_registers),
	.save = save_controller,
	.load = load_controller,
};

/* --- what is plugged into it --- */

static bool drive_wanted(const struct profile *profile, unsigned number)
{
	return disk_is_sata(&profile->disks[number]);
}

static int plug(struct device *device, const char *path, struct cause *cause)
{
	struct device_host *host = device->host;
	char serial[PROFILE_SERIAL_MAX + 1];
	struct disk *disk = NULL;
	int err = 0;

	disks_serial(host->profile, device->number, serial);
	if (path)
		err = disks_open(host, device->number, path, &disk, cause);
	if (err)
		return err;
	err = ahci_plug(host->ahci, device->number,
			host->profile->disks[device->number].cdrom ? &ata_cdrom_ops : &ata_disk_ops,
			disk, serial);
	if (err)
		disk_close(disk);
	return err;
}

/* A medium that somebody has put in since may be gone by now: the guest goes on without it. */
static int create_drive(struct device *device, struct cause *cause)
{
	struct device_host *host = device->host;
	unsigned n = device->number;
	const char *path = host->profile->disks[n].path;
	int err;

	if (host->media->drives[n].exchanged)
		path = host->media->drives[n].path;
	err = plug(device, path, cause);
	if (err && path && host->media->drives[n].exchanged) {
		host->notice(host, cause->text);
		err = plug(device, NULL, cause);
	}
	if (!err && host->media->drives[n].open)
		ahci_open_tray(host->ahci, n);
	return err;
}

static void destroy_drive(struct device *device)
{
	struct device_host *host = device->host;

	host->media->drives[device->number].open = ahci_unplug(host->ahci, device->number);
}

static void sample_drive(const struct device *device, struct device_counters *sum)
{
	ahci_sample(device->host->ahci, device->number, sum);
}

static int exchange_medium(struct device *device, struct disk **medium, bool force,
			   struct cause *cause)
{
	const struct device_host *host = device->host;
	char *copy = NULL;
	int err;

	if (*medium && !(copy = strdup(disk_path(*medium))))
		return cause_errno(cause, ENOMEM, "%s", disk_path(*medium));
	err = ahci_exchange(host->ahci, device->number, medium, force, cause);
	if (err) {
		free(copy);
		return err;
	}
	free(host->media->drives[device->number].path);
	host->media->drives[device->number].path = copy;
	host->media->drives[device->number].exchanged = true;
	return 0;
}

/* AHCI has no way to tell: drivers ask a drive once. */
static int resize_drive(struct device *device, struct device_size *size, struct cause *cause)
{
	(void)device;
	(void)size;
	return cause_set(cause, EINVAL, "a SATA drive cannot tell its guest of another size; stop "
			 "the guest first");
}

static bool drive_boot_path(const struct device *device, const char *section, char *path,
			    size_t size)
{
	if (strcmp(section, device->name))
		return false;
	snprintf(path, size, "/pci@i0cf8/pci8086,2922@%x/drive@%x/disk@0",
		 device->host->ahci->function.device, device->number);
	return true;
}

static void describe_drive(struct device *device, char *text, size_t size)
{
	ahci_describe(device->host->ahci, device->number, text, size);
}

const struct device_type sata_device = {
	.name = DISKS_NAME,
	.max = PROFILE_DISKS_MAX,
	.wanted = drive_wanted,
	.create = create_drive,
	.destroy = destroy_drive,
	.boot_path = drive_boot_path,
	.describe = describe_drive,
	.resize = resize_drive,
	.exchange = exchange_medium,
	.sample = sample_drive,
};

/*
 * The AHCI controller, and the disks of the profile that are behind it: [diskN] is
 * the drive at port N. The guest's I/O thread.
 */
#include "core/hw/ahci_device.h"

#include <errno.h>
#include <stdio.h>

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

static int create_controller(struct device *device, struct cause *cause)
{
	struct device_host *host = device->host;

	host->ahci = device->state;
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

struct sata_drive {
	struct disk *disk;
};

static bool drive_wanted(const struct profile *profile, unsigned number)
{
	return disk_is_sata(&profile->disks[number]);
}

static int create_drive(struct device *device, struct cause *cause)
{
	struct device_host *host = device->host;
	struct sata_drive *drive = device->state;
	const struct profile_disk *disk = &host->profile->disks[device->number];
	char serial[PROFILE_SERIAL_MAX + 1];
	int err = 0;

	disks_serial(host->profile, device->number, serial);
	if (disk->path)
		err = disks_open(host, device->number, NULL, &drive->disk, cause);
	return err ? err : ahci_plug(host->ahci, device->number,
				     disk->cdrom ? &ata_cdrom_ops : &ata_disk_ops, drive->disk, serial);
}

static void destroy_drive(struct device *device)
{
	struct sata_drive *drive = device->state;

	ahci_unplug(device->host->ahci, device->number);
	disk_close(drive->disk);
}

static void sample_drive(const struct device *device, struct device_counters *sum)
{
	const struct sata_drive *drive = device->state;

	if (drive->disk)
		disks_sample(drive->disk, sum);
}

/* AHCI has no way to tell: drivers ask a drive once. */
static int resize_drive(struct device *device, uint64_t bytes, struct cause *cause)
{
	(void)device;
	(void)bytes;
	return cause_set(cause, EINVAL, "a SATA drive cannot tell its guest of another size; stop "
			 "the guest first");
}

static void describe_drive(struct device *device, char *text, size_t size)
{
	ahci_describe(device->host->ahci, device->number, text, size);
}

const struct device_type sata_device = {
	.name = DISKS_NAME,
	.size = sizeof(struct sata_drive),
	.max = PROFILE_DISKS_MAX,
	.wanted = drive_wanted,
	.create = create_drive,
	.destroy = destroy_drive,
	.describe = describe_drive,
	.resize = resize_drive,
	.sample = sample_drive,
};

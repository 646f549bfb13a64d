/*
 * The disks of a machine: the ring that serves them, whatever chip they are behind,
 * and how an image of the profile is opened. The guest's I/O thread.
 */
#ifndef CORE_BUS_DISKS_H
#define CORE_BUS_DISKS_H

#include "core/bus/device.h"
#include "core/disk/disk.h"
#include "core/profile/profile.h"

#define DISKS_NAME "disk" /* of a disk, before its number */

/*
 * What has become of the media of drives since the guest was started, which a reset leaves: a
 * person has put another one in or taken it out, the guest has opened the tray, or a layer has
 * what it has written. Its machine's, all zero at first; under the lock of the machine, or while
 * it is built or torn down.
 */
struct disks_media {
	struct {
		bool exchanged; /* it has path, or NULL: none */
		bool open;
		char *path;
		int layer; /* of overlay=discard: its descriptor + 1; 0: there is none yet */
	} drives[PROFILE_DISKS_MAX];
};

void disks_media_free(struct disks_media *media); /* what it holds */

/* Stands in the table before all devices with disks. */
extern const struct device_type disk_ring_device;

/* Whether a disk of the profile is behind the AHCI controller. */
bool disk_is_sata(const struct profile_disk *disk);

/*
 * Opens the image of disk number of the profile, or path if that is not NULL; both stay
 * where they are while it is open. Tells of what somebody should know. 0, or as disk_open().
 */
int disks_open(struct device_host *host, unsigned number, const char *path, struct disk **out,
	       struct cause *cause);

/*
 * How disk_prepare() is to open what somebody puts into drive number of the profile, but for the
 * path: without waiting for whoever has it in use. Any thread.
 */
void disks_describe_medium(struct disk_config *config, const struct profile *profile,
			   unsigned number);

/* What the guest is told as the serial number of disk number of the profile. */
void disks_serial(const struct profile *profile, unsigned number,
		  char serial[PROFILE_SERIAL_MAX + 1]);

/* Adds a disk's counters to a sum. Any thread. */
void disks_sample(const struct disk *disk, struct device_counters *sum);

#endif

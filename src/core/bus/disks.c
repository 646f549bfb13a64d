/* See disks.h. Looking at images: any thread. */
#include "core/bus/disks.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/disk/check.h"
#include "core/disk/claim.h"
#include "core/disk/storage.h"
#include "core/profile/check.h"

bool disk_is_sata(const struct profile_disk *disk)
{
	return disk->present && !storage_serves(disk) &&
	       (disk->cdrom || disk->bus == DISK_BUS_SATA);
}

static void configure(struct disk_config *config, const struct profile *profile, unsigned number)
{
	const struct profile_disk *disk = &profile->disks[number];

	*config = (struct disk_config){ .path = disk->path, .guest = profile->name,
					.readonly = profile_disk_is_readonly(disk),
					.raw = disk->format == DISK_FORMAT_RAW,
					.cdrom = disk->cdrom,
					.direct = disk->cache == DISK_CACHE_NONE };
	snprintf(config->name, sizeof(config->name), "%s%u", DISKS_NAME, number);
}

struct disks_check {
	const struct profile_check *check;
	struct disk_config configs[PROFILE_DISKS_MAX];
};

static bool ring_wanted(const struct profile *profile, unsigned number)
{
	(void)number;
	for (unsigned i = 0; i < PROFILE_DISKS_MAX; i++)
		if (profile->disks[i].present && !storage_serves(&profile->disks[i]))
			return true;
	return profile->cloud.present;
}

static void image_found(void *arg, unsigned number, bool warning, const char *text)
{
	const struct disks_check *disks = arg;

	disks->check->found(disks->check->arg, disks->configs[number].name, "path", warning, text);
}

static struct image_claim *claim_of(const struct profile *profile, unsigned number)
{
	const struct profile_disk *disk = &profile->disks[number];
	struct image_claim *claim;
	struct disk_config config;
	struct storage storage;
	struct stat st;
	int err = 0;

	configure(&config, profile, number);
	claim = image_claim_new(config.guest, config.name);
	if (!claim)
		return NULL;
	if (storage_serves(disk)) {
		/* Its mistakes are told elsewhere. */
		storage_check(&storage, disk, &(struct storage_paths){ .layer = NULL }, NULL);
		err = storage_claim(claim, &storage, disk);
	} else if (stat(config.path, &st) == 0) {
		err = image_claim_add(claim, config.path, &st, IMAGE_ITSELF, !config.readonly);
	}
	if (!err)
		return claim;
	image_claim_free(claim);
	return NULL;
}

/* Disks that cannot be there beside each other; of one path that was seen in the profile. */
static void check_claims(const struct profile_check *check)
{
	const struct profile_disk *disks = check->profile->disks;
	struct image_claim *claims[PROFILE_DISKS_MAX] = { NULL };
	char name[DEVICE_NAME_MAX];
	struct cause cause;

	for (unsigned i = 0; i < PROFILE_DISKS_MAX; i++) {
		if (!disks[i].present || !disks[i].path)
			continue;
		claims[i] = claim_of(check->profile, i);
		for (unsigned j = 0; j < i && claims[i]; j++) {
			if (!claims[j] || !strcmp(disks[i].path, disks[j].path) ||
			    image_claim_clash(claims[i], claims[j], &cause) == 0)
				continue;
			snprintf(name, sizeof(name), DISKS_NAME "%u", i);
			check->found(check->arg, name, "path", false, cause.text);
			break;
		}
	}
	for (unsigned i = 0; i < PROFILE_DISKS_MAX; i++)
		image_claim_free(claims[i]);
}

static void check_disks(const struct profile_check *check)
{
	const struct profile_disk *profiles = check->profile->disks;
	struct disks_check disks = { .check = check };
	unsigned count = 0;

	for (unsigned i = 0; i < PROFILE_DISKS_MAX; i++)
		if (profiles[i].present && profiles[i].path && !storage_serves(&profiles[i]))
			configure(&disks.configs[count++], check->profile, i);
	disk_check(disks.configs, count, image_found, &disks);
	check_claims(check);
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

	if (err)
		return err;
	disk_on_full(host->disks, disk_full, host);
	for (unsigned i = 0; i < PROFILE_DISKS_MAX; i++)
		if (host->profile->disks[i].present && host->profile->disks[i].cdrom)
			disk_ring_exchanges(host->disks);
	return 0;
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

int disks_open(struct device_host *host, unsigned number, const char *path, struct disk **out,
	       struct cause *cause)
{
	struct disk_config config;
	int err;

	configure(&config, host->profile, number);
	if (path)
		config.path = path;
	err = disk_open(out, host->disks, &config, cause);
	if (err)
		return err;
	if (*cause->text)
		host->notice(host, cause->text);
	tell_refusal(host, cause);
	/* Those were warnings; a later failure is not to be taken for one. */
	*cause->text = '\0';
	return 0;
}

void disks_describe_medium(struct disk_config *config, const struct profile *profile,
			   unsigned number)
{
	configure(config, profile, number);
	config->at_once = true;
}

void disks_media_free(struct disks_media *media)
{
	for (unsigned i = 0; i < PROFILE_DISKS_MAX; i++) {
		free(media->drives[i].path);
		if (media->drives[i].layer)
			close(media->drives[i].layer - 1);
	}
}

void disks_serial(const struct profile *profile, unsigned number,
		  char serial[PROFILE_SERIAL_MAX + 1])
{
	const char *given = profile->disks[number].serial;

	if (given && *given)
		snprintf(serial, PROFILE_SERIAL_MAX + 1, "%s", given);
	else
		snprintf(serial, PROFILE_SERIAL_MAX + 1, "vmdeck-%s%u", DISKS_NAME, number);
}

void disks_sample(const struct disk *disk, struct device_counters *sum)
{
	struct disk_counters counters;

	disk_get_counters(disk, &counters);
	sum->read_bytes += counters.read_bytes;
	sum->read_requests += counters.read_requests;
	sum->write_bytes += counters.write_bytes;
	sum->write_requests += counters.write_requests;
}

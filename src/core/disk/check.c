/* See check.h. */
#include "core/disk/check.h"

#include <string.h>

#include "core/disk/lock.h"
#include "core/disk/open.h"

/*
 * Two disks of one image, of which one at least is written to. With one path in both that is
 * a mistake that was seen as the profile was read.
 */
static void check_twice(const struct disk_config *configs, const struct disk_file *files,
			unsigned number, disk_finding *tell, void *arg)
{
	struct cause cause;

	for (unsigned i = 0; i < number; i++) {
		if (files[i].fd < 0 || !disk_file_same(&files[i].st, &files[number].st) ||
		    (configs[i].readonly && configs[number].readonly))
			continue;
		if (!strcmp(configs[i].path, configs[number].path))
			return;
		cause_set(&cause, 0, DISK_TWICE, configs[number].path, configs[i].name);
		tell(arg, number, false, cause.text);
		return;
	}
}

void disk_check(const struct disk_config *configs, unsigned count, disk_finding *tell, void *arg)
{
	struct disk_file files[DISK_RING_DISKS];
	struct cause cause;

	if (count > DISK_RING_DISKS)
		count = DISK_RING_DISKS;
	for (unsigned i = 0; i < count; i++) {
		int r = disk_file_open(&files[i], &configs[i], &cause);

		if (!r)
			check_twice(configs, files, i, tell, arg);
		if (*cause.text)
			tell(arg, i, !r, cause.text);
	}
	for (unsigned i = 0; i < count; i++)
		disk_file_close(&files[i]);
}

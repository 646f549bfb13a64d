/* See check.h. */
#include "core/disk/check.h"

#include "core/disk/lock.h"
#include "core/disk/open.h"

void disk_check(const struct disk_config *configs, unsigned count, disk_finding *tell, void *arg)
{
	struct disk_file file;
	struct cause cause;

	for (unsigned i = 0; i < count; i++) {
		int r = disk_file_open(&file, &configs[i], &cause);

		if (*cause.text)
			tell(arg, i, !r, cause.text);
		disk_file_close(&file);
	}
}

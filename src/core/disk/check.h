/*
 * Looking at images before a guest starts, as strictly as the start will. Any thread.
 */
#ifndef CORE_DISK_CHECK_H
#define CORE_DISK_CHECK_H

#include "core/disk/disk.h"

/*
 * A sentence about the image of configs[number] that begins with its path: what would
 * keep it from being opened, or, as a warning, what would be said of it at a start.
 */
typedef void disk_finding(void *arg, unsigned number, bool warning, const char *text);

/*
 * Tells what is to be said of the images of one guest, each by itself. Whether others use them
 * now is not looked at: a guest that runs may be checked.
 */
void disk_check(const struct disk_config *configs, unsigned count, disk_finding *tell, void *arg);

#endif

/*
 * The file that a guest's UEFI variables are in, $XDG_STATE_HOME/vmdeck/uefi/NAME.fd: as
 * large as the chip that has them, and all of it. The thread that builds the machine,
 * but variables_file_write() and variables_file_sync().
 */
#ifndef CORE_HW_UEFI_VARIABLES_FILE_H
#define CORE_HW_UEFI_VARIABLES_FILE_H

#include <limits.h>
#include <stdbool.h>

#include "base/cause.h"
#include "core/disk/disk.h"
#include "core/disk/file.h"

struct image_lock;

struct variables_file {
	char path[PATH_MAX];
	struct disk_config config; /* as a writable image, so that QEMU and others are kept off it */
	struct disk_file file;
	struct image_claim *claim;
	struct image_lock *lock; /* NULL: it is not open */
};

/*
 * Opens the guest's file, locked, and reads it into cells; if there is none, it is made with
 * what is in cells, in one step, and *fresh set. -EBUSY, -EINVAL (another size), -ENOSPC, -EACCES
 * and so on with a cause that names the file.
 */
int variables_file_open(struct variables_file *file, const char *guest, uint8_t *cells,
			size_t size, bool *fresh, struct cause *cause);
void variables_file_close(struct variables_file *file); /* also one that is all zero */

/* Tells what would keep variables_file_open() from succeeding, as far as that can be seen. */
int variables_file_check(const char *guest, size_t size, struct cause *cause);

/* 0 or a negative errno. Any thread; what has been written survives this process. */
int variables_file_write(const struct variables_file *file, size_t offset, const void *data,
			 size_t size);

/* The same, and then it survives the host. */
int variables_file_sync(const struct variables_file *file);

#endif

/*
 * Images past the page cache (cache=none): what the host's file system asks of requests then,
 * and memory of our own for those that a guest makes otherwise. open(2), statx(2).
 */
#ifndef CORE_DISK_DIRECT_H
#define CORE_DISK_DIRECT_H

#include "core/disk/disk.h"
#include "core/disk/file.h"

/*
 * From now on what is read and written of the file goes past the page cache. 0, or -EINVAL with a
 * cause that begins with the path: the file system cannot do that, or not by sectors. Any thread.
 */
int direct_begin(struct disk_file *file, const char *path, struct cause *cause);

/*
 * Of a read or write of such a file: gives it a bounce if the driver's memory is not aligned as
 * that needs. 0 or -ENOMEM. I/O thread, as the rest.
 */
int direct_prepare(const struct disk_file *file, struct disk_request *request);

/* How many bytes go through the bounce next: from done_bytes on. */
size_t direct_piece(const struct disk_request *request);

/* Copies that piece into the bounce; or so many bytes out of it. */
void direct_gather(struct disk_request *request);
void direct_scatter(struct disk_request *request, size_t size);

#endif

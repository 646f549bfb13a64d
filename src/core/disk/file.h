/* The open file of an image. Any thread. */
#ifndef CORE_DISK_FILE_H
#define CORE_DISK_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct disk_file {
	int fd; /* -1 without one */
	struct stat st;
	uint64_t size; /* bytes, a multiple of 512 */
	bool far; /* somebody else serves its file system, who may not answer */
	/* Past the page cache: what addresses and lengths are multiples of. 0: not so. */
	uint32_t memory_align, block_align;
};

/* Whether two are one file or device, by whatever paths they were opened. */
static inline bool disk_file_same(const struct stat *one, const struct stat *other)
{
	if (S_ISBLK(one->st_mode) && S_ISBLK(other->st_mode))
		return one->st_rdev == other->st_rdev;
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

#endif

/*
 * A real file system of a few pages, in a mount namespace that the test program makes. After
 * cmocka.h.
 */
#ifndef TESTS_UNIT_SMALL_FS_H
#define TESTS_UNIT_SMALL_FS_H

#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>

#include "scratch.h"

#define SMALL_FS_ROOM "1m"

static inline int small_fs_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -1;
	r = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
	close(fd);
	return r;
}

/* Mounts of this process are its own from here on. */
static inline int small_fs_own_mounts(void)
{
	char uids[64], gids[64];

	snprintf(uids, sizeof(uids), "0 %u 1", getuid());
	snprintf(gids, sizeof(gids), "0 %u 1", getgid());
	if (unshare(CLONE_NEWNS) < 0 &&
	    (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
	     small_fs_write("/proc/self/setgroups", "deny") < 0 ||
	     small_fs_write("/proc/self/uid_map", uids) < 0 ||
	     small_fs_write("/proc/self/gid_map", gids) < 0))
		return -1;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static inline int small_fs_mount(const char *folder)
{
	return mount("vmdeck-test", folder, "tmpfs", MS_NOSUID | MS_NODEV, "size=" SMALL_FS_ROOM);
}

static inline void small_fs_unmount(const char *folder)
{
	umount2(folder, MNT_DETACH);
}

/* Whether it can be done here; says so if not. */
static inline bool small_fs_here(void)
{
	struct scratch scratch = { .folder = "" };
	bool can;

	if (small_fs_own_mounts() < 0) {
		perror("skipped: no mount namespace can be made here");
		return false;
	}
	if (scratch_create(&scratch) < 0)
		return false;
	can = small_fs_mount(scratch.folder) == 0;
	if (can)
		small_fs_unmount(scratch.folder);
	else
		perror("skipped: tmpfs cannot be mounted here");
	rmdir(scratch.folder);
	return can;
}

#endif

/* See overlay.h. open(2), rename(2). */
#include "core/disk/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/paths.h"
#include "core/disk/qcow2.h"
#include "core/disk/storage.h"

static int find_path(char path[PATH_MAX], const struct profile *profile, unsigned number, bool make,
		     struct cause *cause)
{
	char state[PATH_MAX], folder[PATH_MAX - sizeof("/overlays")];
	int err = paths_state(state, cause);

	if (err)
		return err;
	if ((size_t)snprintf(folder, sizeof(folder), "%s/overlays", state) >= sizeof(folder) ||
	    (size_t)snprintf(path, PATH_MAX, "%s/%s-disk%u.qcow2", folder, profile->name, number) >=
		    PATH_MAX)
		return cause_errno(cause, ENAMETOOLONG, "%.200s", state);
	return make ? paths_make(folder, cause) : 0;
}

/* A file beside path that has no name, or one for as long as the caller likes. */
static int make_file(char temporary[PATH_MAX], const char *path, const struct profile_disk *disk,
		     uint64_t size, struct cause *cause)
{
	int fd, err;

	if ((size_t)snprintf(temporary, PATH_MAX, "%s.XXXXXX", path) >= PATH_MAX)
		return cause_errno(cause, ENAMETOOLONG, "%.200s", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return cause_errno(cause, errno, "%s: cannot be made", path);
	err = qcow2_create(fd, size, disk->path, storage_driver(disk));
	if (!err)
		return fd;
	unlink(temporary);
	close(fd);
	return cause_errno(cause, -err, "%s: cannot be made", path);
}

/* 1: there is one, and it fits; 0: there is none. */
static int look_at_kept(const char *path, const struct profile_disk *disk, uint64_t size,
			struct cause *cause)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), err;
	struct qcow2_header header;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return cause_errno(cause, errno, "%s cannot be opened", path);
	err = qcow2_read(&header, fd, path, cause);
	close(fd);
	if (err)
		return err;
	if (strcmp(header.backing, disk->path) != 0)
		return cause_set(cause, EINVAL, "%s is a layer over %s; move it away to begin with "
				 "a new one over %s", path, header.backing, disk->path);
	if (header.size != size)
		return cause_set(cause, EINVAL, "%s is a layer over %" PRIu64 " bytes, and %s has %"
				 PRIu64 "; bring back the image as it was, or move the layer away",
				 path, header.size, disk->path, size);
	return 1;
}

/* That a name in the folder of path outlives the host's end. */
static int sync_folder(const char *path)
{
	char folder[PATH_MAX];
	int fd, err;

	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return err;
}

static int make_kept(const char *path, const struct profile_disk *disk, uint64_t size,
		     struct cause *cause)
{
	char temporary[PATH_MAX];
	int fd = make_file(temporary, path, disk, size, cause), err = 0;

	if (fd < 0)
		return fd;
	err = fsync(fd) < 0 ? -errno : files_name(temporary, path);
	if (err) {
		cause_errno(cause, -err, "%s: cannot be made", path);
		unlink(temporary);
	} else if ((err = sync_folder(path))) {
		cause_errno(cause, -err, "%s: its folder cannot be written", path);
	}
	close(fd);
	return err;
}

static int make_nameless(struct overlay *overlay, const char *path,
			 const struct profile_disk *disk, uint64_t size, struct cause *cause)
{
	char temporary[PATH_MAX];

	overlay->fd = make_file(temporary, path, disk, size, cause);
	if (overlay->fd < 0)
		return overlay->fd;
	unlink(temporary);
	return 0;
}

int overlay_open(struct overlay *overlay, const struct profile *profile, unsigned number,
		 uint64_t size, struct cause *cause)
{
	const struct profile_disk *disk = &profile->disks[number];
	char path[PATH_MAX];
	int r = find_path(path, profile, number, true, cause);

	*overlay = (struct overlay){ .fd = -1 };
	if (r)
		return r;
	if (disk->overlay == DISK_OVERLAY_DISCARD)
		return make_nameless(overlay, path, disk, size, cause);
	r = look_at_kept(path, disk, size, cause);
	if (r == 0)
		r = make_kept(path, disk, size, cause);
	if (r < 0)
		return r;
	memcpy(overlay->path, path, sizeof(path));
	return 0;
}

int overlay_check(const struct profile *profile, unsigned number, uint64_t size,
		  struct cause *cause)
{
	char path[PATH_MAX];
	int r;

	if (profile->disks[number].overlay != DISK_OVERLAY_KEEP)
		return 0;
	r = find_path(path, profile, number, false, cause);
	if (!r)
		r = look_at_kept(path, &profile->disks[number], size, cause);
	return r < 0 ? r : 0;
}

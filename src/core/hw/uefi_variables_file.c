/* See uefi_variables_file.h. rename(2), open(2). */
#include "core/hw/uefi_variables_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/paths.h"
#include "core/disk/claim.h"
#include "core/disk/lock.h"

/* The folder is made; false: only its name is wanted. */
static int find_path(char path[PATH_MAX], const char *guest, bool make, struct cause *cause)
{
	char folder[PATH_MAX - sizeof("/uefi")];
	char state[PATH_MAX];
	int err = paths_state(state, cause);

	if (err)
		return err;
	if ((size_t)snprintf(folder, sizeof(folder), "%s/uefi", state) >= sizeof(folder) ||
	    (size_t)snprintf(path, PATH_MAX, "%s/%s.fd", folder, guest) >= PATH_MAX)
		return cause_errno(cause, ENAMETOOLONG, "%.200s", state);
	return make ? paths_make(folder, cause) : 0;
}

static int write_all(int fd, size_t offset, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t n = pwrite(fd, data, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		offset += (size_t)n;
		size -= (size_t)n;
	}
	return 0;
}

static int read_all(int fd, uint8_t *data, size_t size)
{
	size_t offset = 0;

	while (offset < size) {
		ssize_t n = pread(fd, data + offset, size - offset, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		offset += (size_t)n;
	}
	return 0;
}

/* Names in the file's folder survive the host then. fsync(2). */
static int sync_folder(const char *path)
{
	char folder[PATH_MAX];
	int fd, err = 0;

	snprintf(folder, sizeof(folder), "%s", path);
	*strrchr(folder, '/') = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0 && errno != EINVAL) /* not every file system does this */
		err = -errno;
	close(fd);
	return err;
}

/*
 * Fills a new file and gives it its name, unless another has that meanwhile. All of it takes
 * space from now on, so that a full file system refuses no change later.
 */
static int fill(int fd, const char *temporary, const char *path, const uint8_t *cells,
		size_t size)
{
	int err = write_all(fd, 0, cells, size);

	if (!err && fsync(fd) < 0)
		err = -errno;
	if (err)
		return err;
	err = renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE);
	if (err < 0 && errno == EINVAL) /* no such flag on this file system */
		err = rename(temporary, path);
	return err < 0 ? -errno : sync_folder(path);
}

/* 0 also when another process has made it first. */
static int make(const char *path, const uint8_t *cells, size_t size, struct cause *cause)
{
	char temporary[PATH_MAX];
	int fd, err;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= sizeof(temporary))
		return cause_errno(cause, ENAMETOOLONG, "%.200s", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return cause_errno(cause, errno, "%s: cannot be made", path);
	err = fill(fd, temporary, path, cells, size);
	close(fd);
	if (err)
		unlink(temporary);
	if (err && err != -EEXIST)
		return cause_errno(cause, -err, "%s: cannot be made", path);
	return 0;
}

/* -ENOENT without a cause: there is none. */
static int open_existing(struct disk_file *file, const char *path, size_t size,
			 struct cause *cause)
{
	*file = (struct disk_file){ .fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) };
	if (file->fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (file->fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS))
		return cause_set(cause, errno, "%s: no permission to write to it; change its mode "
				 "or owner: the guest's UEFI variables are there", path);
	if (file->fd < 0 || fstat(file->fd, &file->st) < 0)
		return cause_errno(cause, errno, "%s cannot be opened", path);
	if (!S_ISREG(file->st.st_mode))
		return cause_set(cause, EINVAL, "%s is not a file; move it away", path);
	file->size = (uint64_t)file->st.st_size;
	if (file->size != size)
		return cause_set(cause, EINVAL, "%s has %llu bytes, and UEFI variables of this "
				 "firmware have %zu; bring back the right file, or move it away to "
				 "begin without variables", path, (unsigned long long)file->size,
				 size);
	return 0;
}

static int open_or_make(struct variables_file *file, const uint8_t *cells, size_t size,
			bool *fresh, struct cause *cause)
{
	int err = open_existing(&file->file, file->path, size, cause);

	*fresh = err == -ENOENT && file->file.fd < 0;
	if (!*fresh)
		return err;
	err = make(file->path, cells, size, cause);
	if (!err)
		err = open_existing(&file->file, file->path, size, cause);
	return err == -ENOENT ? cause_errno(cause, ENOENT, "%s", file->path) : err;
}

static int claim(struct variables_file *file, struct cause *cause)
{
	file->claim = image_claim_new(file->config.guest, file->config.name);
	if (!file->claim || image_claim_add(file->claim, file->path, &file->file.st, IMAGE_ITSELF,
					    true) < 0)
		return cause_errno(cause, ENOMEM, "%s", file->path);
	return image_claim_take(file->claim, cause);
}

int variables_file_open(struct variables_file *file, const char *guest, uint8_t *cells,
			size_t size, bool *fresh, struct cause *cause)
{
	int err;

	*file = (struct variables_file){ .file.fd = -1 };
	file->config = (struct disk_config){ .name = "variables", .path = file->path,
					     .guest = guest };
	err = find_path(file->path, guest, true, cause);
	if (!err)
		err = open_or_make(file, cells, size, fresh, cause);
	if (!err)
		err = claim(file, cause);
	if (!err)
		err = image_lock(&file->lock, &file->file, &file->config, cause);
	if (!err && read_all(file->file.fd, cells, size))
		err = cause_errno(cause, EIO, "%s: cannot be read", file->path);
	if (err)
		variables_file_close(file);
	return err;
}

void variables_file_close(struct variables_file *file)
{
	if (!*file->path)
		return;
	image_unlock(file->lock);
	file->lock = NULL;
	image_claim_free(file->claim);
	file->claim = NULL;
	disk_file_close(&file->file);
}

int variables_file_check(const char *guest, size_t size, struct cause *cause)
{
	struct disk_file file = { .fd = -1 };
	char path[PATH_MAX];
	int err = find_path(path, guest, false, cause);

	if (err)
		return err;
	err = open_existing(&file, path, size, cause);
	if (err == -ENOENT && file.fd < 0)
		err = 0;
	disk_file_close(&file);
	return err;
}

int variables_file_write(const struct variables_file *file, size_t offset, const void *data,
			 size_t size)
{
	return write_all(file->file.fd, offset, data, size);
}

int variables_file_sync(const struct variables_file *file)
{
	return fdatasync(file->file.fd) < 0 ? -errno : 0;
}

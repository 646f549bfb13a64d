/* See open.h. open(2), fstatfs(2), BLKGETSIZE64 and BLKROGET of linux/fs.h. */
#include "core/disk/open.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/checked.h"
#include "core/disk/direct.h"
#include "core/disk/format.h"
#include "core/disk/lock.h"

/* What to do about a file: for a drive there are no keys to set, and no image to be made. */
static const char *advice(const struct disk_config *config, const char *for_disk)
{
	return config->cdrom ? "name the image of a CD" : for_disk;
}

/* Nothing but a file or a block device is opened: opening others can block or have effects. */
static int check_type(const struct stat *st, const struct disk_config *config,
		      struct cause *cause)
{
	const char *path = config->path;

	if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode))
		return 0;
	if (S_ISDIR(st->st_mode))
		return cause_set(cause, EINVAL, "%s is a directory; %s", path,
				 advice(config, "name a raw image file or a block device"));
	return cause_set(cause, EINVAL, "%s is neither a file nor a block device; %s", path,
			 advice(config, "name a raw image"));
}

static int open_failed(int error, const struct disk_config *config, struct cause *cause)
{
	const char *path = config->path;

	switch (error) {
	case ENOENT:
		if (config->readonly || !strncmp(path, "/dev/", 5))
			return cause_set(cause, error, "%s does not exist; correct the path", path);
		return cause_set(cause, error, "%s does not exist; make one with "
				 "truncate -s 1G %s, or correct the path", path, path);
	case EACCES:
	case EPERM:
	case EROFS:
		return cause_set(cause, error,
				 config->readonly ? "%s: no permission to read it; change its mode "
						    "or owner"
						  : "%s: no permission to write to it; change its "
						    "mode or owner, or set readonly=yes",
				 path);
	default:
		return cause_errno(cause, error, "%s cannot be opened", path);
	}
}

static int device_is_readonly(const char *path, struct cause *cause)
{
	return cause_set(cause, EROFS, "%s is a read-only device; set readonly=yes", path);
}

/* Of a device that does not let itself be opened for writing: whether nobody may write to it. */
static bool is_readonly_device(const char *path, const struct stat *st)
{
	struct disk_file file = {
		.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), .st = *st
	};
	int readonly = 0;

	if (file.fd >= 0 && ioctl(file.fd, BLKROGET, &readonly) < 0)
		readonly = 0;
	disk_file_close(&file);
	return readonly;
}

/* What the open device says of itself. */
static int look_at_device(struct disk_file *file, const struct disk_config *config,
			  struct cause *cause)
{
	int readonly = 0;

	if (ioctl(file->fd, BLKGETSIZE64, &file->size) < 0)
		return open_failed(errno, config, cause);
	if (!config->readonly && ioctl(file->fd, BLKROGET, &readonly) == 0 && readonly)
		return device_is_readonly(config->path, cause);
	return 0;
}

/* One that does not say what it is is not the kernel's own. */
static bool is_far(int fd)
{
	static const uint32_t kinds[] = {
		FUSE_SUPER_MAGIC, NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC,
		CEPH_SUPER_MAGIC, AFS_SUPER_MAGIC, AFS_FS_MAGIC, CODA_SUPER_MAGIC, V9FS_MAGIC,
	};
	struct statfs st;

	if (fstatfs(fd, &st) < 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if ((uint32_t)st.f_type == kinds[i])
			return true;
	return false;
}

static int open_file(struct disk_file *file, const struct disk_config *config,
		     struct cause *cause)
{
	const char *path = config->path;
	int r;

	if (stat(path, &file->st) < 0)
		return open_failed(errno, config, cause);
	r = check_type(&file->st, config, cause);
	if (r < 0)
		return r;
	/* Non-blocking only until it is known that nobody has put a FIFO in its place. */
	file->fd = open(path, (config->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY |
			O_NONBLOCK);
	if (file->fd < 0) {
		r = errno;
		if (S_ISBLK(file->st.st_mode) && !config->readonly &&
		    is_readonly_device(path, &file->st))
			return device_is_readonly(path, cause);
		return open_failed(r, config, cause);
	}
	if (fstat(file->fd, &file->st) < 0)
		return open_failed(errno, config, cause);
	r = check_type(&file->st, config, cause);
	if (r < 0)
		return r;
	if (fcntl(file->fd, F_SETFL, 0) < 0)
		return open_failed(errno, config, cause);
	if (S_ISBLK(file->st.st_mode))
		return look_at_device(file, config, cause);
	file->size = (uint64_t)file->st.st_size;
	file->far = is_far(file->fd);
	return 0;
}

/* What the content says of itself; whoever says format=raw has the last word. */
static int check_format(const struct image_format *format, const struct disk_config *config,
			struct cause *cause)
{
	const char *path = config->path;

	if (!format || (format->readable && config->readonly))
		return 0;
	if (config->cdrom && !config->raw)
		return cause_set(cause, EINVAL, "%s is %s; %s", path, format->what,
				 format->packed ? format->remedy : advice(config, ""));
	if (!config->raw)
		return cause_set(cause, EINVAL, "%s is %s; %s, or set format=raw to have it as it "
				 "is", path, format->what, format->remedy);
	cause_set(cause, 0, "%s is %s; with format=raw the guest %s as it is", path,
		  format->what, config->readonly ? "reads it" : "reads and overwrites it");
	return 0;
}

/* Whether it begins as text does. */
static bool is_text(const struct disk_file *file)
{
	uint8_t bytes[DISK_SECTOR];
	ssize_t size = pread(file->fd, bytes, sizeof(bytes), 0);

	for (ssize_t i = 0; i < size; i++)
		if (bytes[i] == 0x7f || (bytes[i] < ' ' && !memchr("\t\n\r\f", bytes[i], 4)))
			return false;
	return size > 0;
}

/* Its size is no multiple of a sector. */
static int not_sectors(const struct disk_file *file, const struct disk_config *config,
		       struct cause *cause)
{
	const char *path = config->path;
	char what[64] = "";

	if (is_text(file))
		snprintf(what, sizeof(what), "is a text file");
	else if (file->size < DISK_SECTOR)
		snprintf(what, sizeof(what), "has only %" PRIu64 " bytes, less than a sector",
			 file->size);
	if (*what)
		return cause_set(cause, EINVAL, "%s %s, so it is no raw image; %s", path, what,
				 advice(config, "correct the path, or make an image with vmdeck "
					"disk create"));
	if (config->cdrom)
		return cause_set(cause, EINVAL, "%s has %" PRIu64 " bytes, which is no multiple of "
				 "%u; %s", path, file->size, DISK_SECTOR, advice(config, ""));
	return cause_set(cause, EINVAL, "%s has %" PRIu64 " bytes, which is no multiple of %u; "
			 "round it up with truncate -s %%%u %s", path, file->size, DISK_SECTOR,
			 DISK_SECTOR, path);
}

static int check_content(const struct disk_file *file, const struct disk_config *config,
			 struct cause *cause)
{
	const char *path = config->path;
	const struct image_format *format;
	int r;

	if (!file->size && S_ISBLK(file->st.st_mode))
		return cause_set(cause, EINVAL, "%s is a device without a medium", path);
	if (!file->size && config->cdrom)
		return cause_set(cause, EINVAL, "%s is empty; %s", path, advice(config, ""));
	if (!file->size)
		return cause_set(cause, EINVAL, "%s is empty; give it a size with "
				 "truncate -s 1G %s", path, path);
	format = image_format_find(file->fd, file->size);
	r = check_format(format, config, cause);
	if (r < 0 || file->size % DISK_SECTOR == 0)
		return r;
	if (format)
		return cause_set(cause, EINVAL, "%s is %s, and its %" PRIu64 " bytes are no "
				 "multiple of %u; %s", path, format->what, file->size, DISK_SECTOR,
				 format->remedy);
	return not_sectors(file, config, cause);
}

int disk_file_open_as_it_is(struct disk_file *file, const struct disk_config *config,
			    struct cause *cause)
{
	int r;

	*file = (struct disk_file){ .fd = -1 };
	r = open_file(file, config, cause);
	if (r < 0)
		disk_file_close(file);
	return r;
}

int disk_file_open(struct disk_file *file, const struct disk_config *config, struct cause *cause)
{
	int r;

	*file = (struct disk_file){ .fd = -1 };
	cause_set(cause, 0, "%s", "");
	r = open_file(file, config, cause);
	if (!r)
		r = check_content(file, config, cause);
	if (!r && config->direct)
		r = direct_begin(file, config->path, cause);
	if (r < 0)
		disk_file_close(file);
	return r;
}

int disk_look(const char *path, struct cause *cause)
{
	const struct disk_config config = { .path = path, .readonly = true };
	struct disk_file file;
	int r = disk_file_open(&file, &config, cause);

	disk_file_close(&file);
	return r;
}

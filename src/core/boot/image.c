/*
 * Files that go into guest memory: opened once, their size taken once, read
 * straight to where they belong. The machine's thread.
 */
#include "core/boot/load.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "core/boot/map.h"

#define PAGE_SIZE 4096u

static int check_kind(const struct stat *st, const char *path, struct cause *cause)
{
	if (S_ISREG(st->st_mode))
		return 0;
	return cause_set(cause, EINVAL, "%s: not a regular file; name an image file", path);
}

int image_open(struct load_image *image, const char *path, struct cause *cause)
{
	struct stat st;

	*image = (struct load_image){ .name = path, .fd = -1 };
	/* Before it is opened: opening some devices does something. */
	if (stat(path, &st) == 0 && check_kind(&st, path, cause) < 0)
		return -EINVAL;
	/* Without O_NONBLOCK a FIFO would hold us up before we can refuse it. */
	image->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (image->fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return cause_set(cause, errno, "%s: No such file or directory; correct its "
					       "path", path);
	if (image->fd < 0 && errno == EACCES)
		return cause_set(cause, errno, "%s: no permission to read it; change its mode or "
					       "owner", path);
	if (image->fd < 0 || fstat(image->fd, &st) != 0)
		return cause_errno(cause, errno, "%s", path);
	image->size = (uint64_t)st.st_size;
	return check_kind(&st, path, cause);
}

void image_close(struct load_image *image)
{
	if (image->fd >= 0)
		close(image->fd);
	image->fd = -1;
}

static int check_range(const struct load_image *image, uint64_t offset, uint64_t length,
		       struct cause *cause)
{
	if (range_inside(offset, length, image->size))
		return 0;
	return cause_set(cause, ENOEXEC, "%s: ends at byte %llu, but names content up to byte "
			 "%llu; it is damaged or cut short", image->name,
			 (unsigned long long)image->size, (unsigned long long)(offset + length));
}

int image_load(const struct load_image *image, uint64_t offset, void *to, uint64_t length,
	       struct cause *cause)
{
	return image->look ? check_range(image, offset, length, cause) :
			     image_read(image, offset, to, length, cause);
}

int image_read(const struct load_image *image, uint64_t offset, void *to, uint64_t length,
	       struct cause *cause)
{
	uint8_t *p = to;
	ssize_t n;

	if (check_range(image, offset, length, cause) < 0)
		return -ENOEXEC;
	if (range_inside(offset, length, image->held)) {
		if (length)
			memcpy(to, image->bytes + offset, length);
		return 0;
	}
	while (length) {
		n = pread(image->fd, p, length, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cause_errno(cause, errno, "%s: cannot be read", image->name);
		if (n == 0)
			return cause_set(cause, EIO, "%s: became shorter while it was read",
					 image->name);
		p += n;
		offset += (uint64_t)n;
		length -= (uint64_t)n;
	}
	return 0;
}

int image_hold(struct load_image *image, uint8_t *buffer, uint64_t size, struct cause *cause)
{
	uint64_t length = size < image->size ? size : image->size;
	int error;

	if (length <= image->held)
		return 0;
	error = image_read(image, 0, buffer, length, cause);
	if (error)
		return error;
	image->bytes = buffer;
	image->held = length;
	return 0;
}

/* The highest page-aligned base for size bytes below limit that is clear of taken, or 0. */
static uint64_t find_room(uint64_t size, uint64_t limit, const struct load_range *taken,
			  unsigned count)
{
	uint64_t base;
	unsigned i;

	for (;;) {
		if (limit < LOAD_RAM_BASE || size > limit - LOAD_RAM_BASE)
			return 0;
		base = (limit - size) & ~(uint64_t)(PAGE_SIZE - 1);
		if (base < LOAD_RAM_BASE)
			return 0;
		for (i = 0; i < count; i++)
			if (range_overlap(base, size, taken[i].base, taken[i].size))
				break;
		if (i == count)
			return base;
		/* Each turn passes below at least one more range. */
		limit = taken[i].base;
	}
}

int load_initrd(const struct guest_memory *memory, const struct boot_source *source,
		uint64_t limit, const struct load_range *taken, unsigned count,
		struct load_initrd *initrd, struct cause *cause)
{
	const char *path = source->initrd;
	struct load_image image;
	void *to;
	int error;

	*initrd = (struct load_initrd){ 0 };
	if (!path)
		return 0;
	error = image_open(&image, path, cause);
	image.look = source->look;
	if (!error && image.size == 0)
		error = cause_set(cause, EINVAL, "%s: the initrd is empty", path);
	if (!error) {
		if (limit > boot_low_top(memory))
			limit = boot_low_top(memory);
		initrd->size = image.size;
		initrd->base = find_room(image.size, limit, taken, count);
		to = initrd->base ? memory_at(memory, initrd->base, initrd->size) : NULL;
		if (to)
			error = image_load(&image, 0, to, initrd->size, cause);
		else
			error = cause_set(cause, ENOMEM,
					  "%s: no room for an initrd of %llu KiB beside "
					  "the kernel; give the guest more memory", path,
					  (unsigned long long)(image.size + 1023) / 1024);
	}
	image_close(&image);
	return error;
}

int load_cmdline(const struct guest_memory *memory, const char *cmdline, uint64_t address,
		 uint64_t end, uint64_t max, struct cause *cause)
{
	size_t length = cmdline ? strlen(cmdline) : 0;

	if (max > end - address - 1)
		max = end - address - 1;
	if (length > max)
		return cause_set(cause, E2BIG,
				 "cmdline: %zu characters, but this kernel takes %llu",
				 length, (unsigned long long)max);
	if (length == 0)
		return 0;
	return memory_write(memory, address, cmdline, length + 1);
}

/* See rom.h. Any thread. */
#include "core/hw/rom.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads exactly size bytes of a file. */
static int fill(uint8_t *to, size_t size, int fd, const char *path, struct cause *cause)
{
	while (size) {
		ssize_t n = read(fd, to, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cause_errno(cause, errno, "%s: cannot be read", path);
		if (n == 0)
			return cause_set(cause, EIO, "%s: became shorter while it was read", path);
		to += n;
		size -= (size_t)n;
	}
	return 0;
}

static int read_open(struct rom *rom, int fd, const char *path, struct cause *cause)
{
	struct stat st;
	void *data;

	if (fstat(fd, &st) < 0)
		return cause_errno(cause, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return cause_set(cause, EINVAL, "%s: not a regular file; name an image file", path);
	if (st.st_size <= 0 || st.st_size > (off_t)ROM_MAX)
		return cause_set(cause, EINVAL, "%s: has %lld bytes; firmware has 1 to %u", path,
				 (long long)st.st_size, ROM_MAX);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	if (data == MAP_FAILED)
		return cause_errno(cause, errno, "%s", path);
	*rom = (struct rom){ data, (size_t)st.st_size };
	return fill(rom->data, rom->size, fd, path, cause);
}

int rom_read(struct rom *rom, const char *path, struct cause *cause)
{
	/* Without O_NONBLOCK a FIFO would hold us up before we can refuse it. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int err;

	*rom = (struct rom){ 0 };
	if (fd < 0)
		return cause_errno(cause, errno, "%s", path);
	err = read_open(rom, fd, path, cause);
	close(fd);
	if (err)
		rom_free(rom);
	return err;
}

int rom_find(struct rom *rom, const struct rom_source *source, struct cause *cause)
{
	char path[PATH_MAX];
	int err = -ENOENT;

	for (const char *folder = source->folders; *folder && err == -ENOENT;) {
		size_t size = strcspn(folder, ":");

		snprintf(path, sizeof(path), "%.*s/%s", (int)size, folder, source->name);
		err = rom_read(rom, path, cause);
		folder += size + (folder[size] == ':');
	}
	if (err != -ENOENT)
		return err;
	return cause_set(cause, ENOENT, "%s is not installed; install the package %s", source->name,
			 source->package);
}

void rom_free(struct rom *rom)
{
	if (rom->data)
		munmap(rom->data, rom->size);
	*rom = (struct rom){ 0 };
}

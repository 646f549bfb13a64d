/* A folder of its own for one test program, image files in it, and other files. After cmocka.h. */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <fcntl.h>
#include <liburing.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scratch {
	char folder[64];
	char path[128];
};

static inline int scratch_create(struct scratch *scratch)
{
	snprintf(scratch->folder, sizeof(scratch->folder), "/tmp/vmdeck-test-XXXXXX");
	return mkdtemp(scratch->folder) ? 0 : -1;
}

/* Makes a file of this many bytes in which each byte tells its position; 0 or -1. */
static inline int scratch_image(struct scratch *scratch, const char *name, size_t size)
{
	FILE *file;

	snprintf(scratch->path, sizeof(scratch->path), "%s/%s", scratch->folder, name);
	file = fopen(scratch->path, "w");
	if (!file)
		return -1;
	for (size_t i = 0; i < size; i++)
		putc((int)((i ^ (i >> 9) * 7) & 0xff), file);
	return fclose(file);
}

static inline void scratch_write(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static inline uint8_t scratch_byte(size_t at)
{
	return (uint8_t)((at ^ (at >> 9) * 7) & 0xff);
}

/* Whether io_uring can be used here; says so if not. */
static inline int scratch_io_uring(void)
{
	struct io_uring uring;
	int r = io_uring_queue_init(1, &uring, 0);

	if (r < 0) {
		fprintf(stderr, "skipped: io_uring cannot be used here: %s\n", strerror(-r));
		return 0;
	}
	io_uring_queue_exit(&uring);
	return 1;
}

static inline int scratch_remove(struct scratch *scratch, const char *const *names)
{
	char path[128];

	for (; *names; names++) {
		snprintf(path, sizeof(path), "%s/%s", scratch->folder, *names);
		unlink(path);
	}
	return rmdir(scratch->folder);
}

#endif

/*
 * Images past the page cache: requests that are aligned as the host wants it, and those of guests
 * that know nothing of that. Skips where the file system of /tmp has no O_DIRECT.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>

#include <cmocka.h>

#include "core/disk/direct.h"
#include "core/disk/image.h"
#include "lib/refuse.h"
#include "scratch.h"

#define IMAGE_SIZE (2u << 20)
#define ALIGNMENT 4096u

struct fixture {
	struct scratch scratch;
	struct loop loop;
	struct disk_ring *ring;
	struct disk *disk;
	uint8_t *memory; /* of a guest, aligned */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct disk_config config = { .name = "disk0", .direct = true };
	struct cause cause;

	if (!f || scratch_create(&f->scratch) < 0 ||
	    scratch_image(&f->scratch, "x.img", IMAGE_SIZE) < 0 || loop_init(&f->loop, NULL) < 0 ||
	    disk_ring_create(&f->ring, &f->loop, NULL) < 0)
		return -1;
	f->memory = aligned_alloc(ALIGNMENT, 2 * IMAGE_SIZE);
	config.path = f->scratch.path;
	*state = f;
	if (!disk_open(&f->disk, f->ring, &config, &cause))
		return 0;
	/* What is refused is said. */
	return strstr(cause.text, "set cache=writeback") ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const files[] = { "x.img", NULL };
	struct fixture *f = *state;
	int r;

	disk_close(f->disk);
	disk_ring_destroy(f->ring);
	loop_destroy(&f->loop);
	r = scratch_remove(&f->scratch, files);
	free(f->memory);
	free(f);
	return r;
}

static void done(struct disk_request *request, int result)
{
	(void)request;
	(void)result;
}

static void batch(void *arg)
{
	loop_stop(arg);
}

/* Whether it had to be copied. */
static bool transfer(struct fixture *f, enum disk_operation operation, uint64_t offset,
		     const struct iovec *iov, unsigned count)
{
	struct disk_request request = { .operation = operation, .offset = offset, .iov = iov,
					.iov_count = count, .done = done };
	struct disk_counters before, after;
	bool bounced;

	if (!f->disk)
		skip();
	for (unsigned i = 0; i < count; i++)
		request.length += iov[i].iov_len;
	if (!count)
		request.length = ALIGNMENT;
	disk_get_counters(f->disk, &before);
	disk_on_batch(f->disk, batch, &f->loop);
	assert_int_equal(disk_queue(f->disk, &request), 0);
	bounced = request.bounce;
	disk_submit(f->ring);
	assert_int_equal(loop_run(&f->loop), 0);
	disk_get_counters(f->disk, &after);
	assert_int_equal(after.errors, before.errors);
	return bounced;
}

static void check(const struct iovec *iov, unsigned count, uint64_t offset)
{
	for (unsigned i = 0; i < count; i++)
		for (size_t at = 0; at < iov[i].iov_len; at++)
			assert_int_equal(((uint8_t *)iov[i].iov_base)[at], scratch_byte(offset++));
}

static void aligned_requests_are_not_copied(void **state)
{
	struct fixture *f = *state;
	struct iovec iov[] = { { f->memory, ALIGNMENT }, { f->memory + 3 * ALIGNMENT, 1024 } };

	assert_false(transfer(f, DISK_READ, 512, iov, 2));
	check(iov, 2, 512);
	memset(f->memory, 0x42, ALIGNMENT);
	assert_false(transfer(f, DISK_WRITE, 8192, iov, 1));
	memset(f->memory, 0, ALIGNMENT);
	assert_false(transfer(f, DISK_READ, 8192, iov, 1));
	assert_int_equal(f->memory[ALIGNMENT - 1], 0x42);
}

/* More than goes through the memory that there is for it at once, in pieces that end anywhere. */
static void odd_memory(void **state)
{
	struct fixture *f = *state;
	const size_t total = 1 << 20;
	struct iovec iov[8];
	uint8_t *at = f->memory + 1;
	size_t left = total;

	for (unsigned i = 0; i < 8; i++) {
		size_t piece = i == 7 ? left : 70001 + 3 * i;

		iov[i] = (struct iovec){ at, piece };
		at += piece + 5;
		left -= piece;
	}
	assert_true(transfer(f, DISK_READ, 1536, iov, 8));
	check(iov, 8, 1536);
	assert_true(transfer(f, DISK_WRITE, 2048, iov, 8));
	memset(f->memory, 0, 2 * IMAGE_SIZE);
	assert_true(transfer(f, DISK_READ, 2048, iov, 8));
	check(iov, 8, 1536);
	iov[0] = (struct iovec){ f->memory, 2048 };
	assert_false(transfer(f, DISK_READ, 0, iov, 1));
	check(iov, 1, 0);
}

static void zeroes_and_flush(void **state)
{
	struct fixture *f = *state;
	struct iovec iov = { f->memory, 2 * ALIGNMENT };

	if (!f->disk)
		skip();
	f->disk->no_punch = f->disk->no_zero_range = true; /* so that they are written */
	assert_false(transfer(f, DISK_WRITE_ZEROES, ALIGNMENT, NULL, 0));
	transfer(f, DISK_FLUSH, 0, NULL, 0);
	assert_false(transfer(f, DISK_READ, 0, &iov, 1));
	assert_int_equal(f->memory[ALIGNMENT - 1], scratch_byte(ALIGNMENT - 1));
	for (unsigned i = 0; i < ALIGNMENT; i++)
		assert_int_equal(f->memory[ALIGNMENT + i], 0);
}

static void a_file_system_without_it(void **state)
{
	struct disk_file file = { .fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC) };
	struct cause cause;

	(void)state;
	assert_true(file.fd >= 0);
	assert_int_equal(direct_begin(&file, "/x", &cause), -EINVAL);
	assert_string_equal(cause.text, "/x lies on a file system that has no way past the page "
			    "cache (O_DIRECT); set cache=writeback");
	close(file.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(aligned_requests_are_not_copied),
		TEST(odd_memory),
		TEST(zeroes_and_flush),
		cmocka_unit_test(a_file_system_without_it),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	if (refuse_calls(&(struct refusal){ SYS_io_uring_setup, ENOSYS }, 1) == 0)
		failed += cmocka_run_group_tests_name("threads", tests, NULL, NULL);
	return failed;
}

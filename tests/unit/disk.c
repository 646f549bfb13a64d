/* Disk images through io_uring: data, flush, zeroes, discards, limits, errors, causes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <errno.h>

#include <cmocka.h>

#include "base/checked.h"
#include "core/disk/image.h"
#include "lib/refuse.h"
#include "scratch.h"

#define IMAGE_SIZE (1u << 20)
#define MANY 200

struct fixture {
	struct scratch scratch;
	struct loop loop;
	struct disk_ring *ring;
	struct disk *disk;
	unsigned pending, batches;
};

struct order {
	struct disk_request request;
	struct fixture *fixture;
	int result;
	bool done;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct cause cause;

	if (!f || scratch_create(&f->scratch) < 0 ||
	    scratch_image(&f->scratch, "x.img", IMAGE_SIZE) < 0 || loop_init(&f->loop, NULL) < 0)
		return -1;
	if (disk_ring_create(&f->ring, &f->loop, &cause) < 0) {
		fprintf(stderr, "%s\n", cause.text);
		return -1;
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = { "x.img", "y.img", "link.img", NULL };
	struct fixture *f = *state;
	int r;

	disk_close(f->disk);
	disk_ring_destroy(f->ring);
	loop_destroy(&f->loop);
	r = scratch_remove(&f->scratch, files);
	free(f);
	return r;
}

static int open_disk(struct fixture *f, bool readonly, struct cause *cause)
{
	struct disk_config config = { .name = "disk0", .path = f->scratch.path,
				      .readonly = readonly };

	return disk_open(&f->disk, f->ring, &config, cause);
}

static void batch(void *arg)
{
	struct fixture *f = arg;

	f->batches++;
	if (!f->pending)
		loop_stop(&f->loop);
}

static void done(struct disk_request *request, int result)
{
	struct order *order = container_of(request, struct order, request);

	assert_false(order->done);
	order->done = true;
	order->result = result;
	order->fixture->pending--;
}

static int queue(struct fixture *f, struct order *order)
{
	int r;

	order->fixture = f;
	order->request.done = done;
	r = disk_queue(f->disk, &order->request);
	if (!r)
		f->pending++;
	return r;
}

static void run(struct fixture *f)
{
	disk_on_batch(f->disk, batch, f);
	disk_submit(f->ring);
	assert_int_equal(loop_run(&f->loop), 0);
	assert_int_equal(f->pending, 0);
}

static int run_one(struct fixture *f, struct order *order)
{
	assert_int_equal(queue(f, order), 0);
	run(f);
	return order->result;
}

static int transfer(struct fixture *f, enum disk_operation operation, uint64_t offset, void *data,
		    size_t length)
{
	struct iovec iov = { data, length };
	struct order order = { .request = { .operation = operation, .offset = offset,
					    .length = length, .iov = &iov, .iov_count = 1 } };

	return run_one(f, &order);
}

static int change(struct fixture *f, enum disk_operation operation, uint64_t offset,
		  uint64_t length, bool unmap, bool stable)
{
	struct order order = { .request = { .operation = operation, .offset = offset,
					    .length = length, .unmap = unmap,
					    .stable = stable } };

	return run_one(f, &order);
}

static void reads_scatter(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = malloc(8192 + 512);
	struct iovec iov[] = { { data, 100 }, { data + 100, 0 }, { data + 100, 4000 },
			       { data + 4100, 4604 } };
	struct order order = { .request = { .operation = DISK_READ, .offset = 1536,
					    .length = 8704, .iov = iov, .iov_count = 4 } };
	struct disk_counters counters;

	assert_int_equal(open_disk(f, false, NULL), 0);
	assert_int_equal(disk_size(f->disk), IMAGE_SIZE);
	assert_int_equal(run_one(f, &order), 0);
	for (size_t i = 0; i < 8704; i++)
		assert_int_equal(data[i], scratch_byte(1536 + i));
	disk_get_counters(f->disk, &counters);
	assert_int_equal(counters.read_requests, 1);
	assert_int_equal(counters.read_bytes, 8704);
	assert_int_equal(counters.errors, 0);
	free(data);
}

static void writes_reach_the_file(void **state)
{
	struct fixture *f = *state;
	uint8_t data[1024], back[1024];
	struct disk_counters counters;
	int fd;

	memset(data, 0x5a, sizeof(data));
	assert_int_equal(open_disk(f, false, NULL), 0);
	assert_int_equal(transfer(f, DISK_WRITE, 512, data, sizeof(data)), 0);
	assert_int_equal(change(f, DISK_FLUSH, 0, 0, false, false), 0);
	fd = open(f->scratch.path, O_RDONLY);
	assert_int_equal(pread(fd, back, sizeof(back), 512), sizeof(back));
	assert_memory_equal(data, back, sizeof(back));
	close(fd);
	disk_get_counters(f->disk, &counters);
	assert_int_equal(counters.write_requests, 1);
	assert_int_equal(counters.write_bytes, 1024);
	assert_int_equal(counters.flushes, 1);
}

/* More than the ring holds: the rest waits in line, and all of it is done once. */
static void more_than_the_ring_holds(void **state)
{
	struct fixture *f = *state;
	struct order *orders = calloc(MANY, sizeof(*orders));
	struct iovec *iov = calloc(MANY, sizeof(*iov));
	uint8_t *data = malloc(MANY * 512);

	assert_int_equal(open_disk(f, true, NULL), 0);
	for (unsigned i = 0; i < MANY; i++) {
		iov[i] = (struct iovec){ data + i * 512, 512 };
		orders[i].request = (struct disk_request){
			.operation = DISK_READ, .offset = (MANY - i) * 512, .length = 512,
			.iov = &iov[i], .iov_count = 1
		};
		assert_int_equal(queue(f, &orders[i]), 0);
	}
	run(f);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(orders[i].result, 0);
		for (size_t n = 0; n < 512; n++)
			assert_int_equal(data[i * 512 + n], scratch_byte((MANY - i) * 512 + n));
	}
	assert_true(f->batches < MANY);
	free(data);
	free(iov);
	free(orders);
}

static void check_zero(struct fixture *f, uint64_t offset, size_t length)
{
	uint8_t *data = malloc(length + 1024);

	assert_int_equal(transfer(f, DISK_READ, offset - 512, data, length + 1024), 0);
	for (size_t i = 0; i < length + 1024; i++)
		assert_int_equal(data[i], i < 512 || i >= 512 + length ?
						  scratch_byte(offset - 512 + i) : 0);
	free(data);
}

static void zeroes_by_any_method(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(open_disk(f, false, NULL), 0);
	assert_int_equal(change(f, DISK_WRITE_ZEROES, 4096, 8192, false, false), 0);
	check_zero(f, 4096, 8192);
	assert_int_equal(change(f, DISK_WRITE_ZEROES, 65536, 8192, true, true), 0);
	check_zero(f, 65536, 8192);
	/* As on a file system that can do neither: more than one piece, with an odd end. */
	f->disk->no_punch = f->disk->no_zero_range = true;
	assert_int_equal(change(f, DISK_WRITE_ZEROES, 131072, 300 * 1024 + 512, true, true), 0);
	check_zero(f, 131072, 300 * 1024 + 512);
}

static void discard_gives_space_back(void **state)
{
	struct fixture *f = *state;
	struct stat before, after;

	assert_int_equal(open_disk(f, false, NULL), 0);
	assert_int_equal(change(f, DISK_FLUSH, 0, 0, false, false), 0);
	stat(f->scratch.path, &before);
	assert_int_equal(change(f, DISK_DISCARD, 65536, 524288, false, false), 0);
	stat(f->scratch.path, &after);
	assert_int_equal(after.st_size, IMAGE_SIZE);
	if (!f->disk->no_punch)
		assert_true(after.st_blocks < before.st_blocks);
}

static void refuses_what_lies_outside(void **state)
{
	struct fixture *f = *state;
	uint8_t data[1024];
	struct iovec iov = { data, sizeof(data) };
	struct disk_request bad[] = {
		{ .operation = DISK_READ, .offset = IMAGE_SIZE - 512, .length = 1024 },
		{ .operation = DISK_READ, .offset = IMAGE_SIZE, .length = 1024 },
		{ .operation = DISK_WRITE, .offset = UINT64_MAX - 511, .length = 1024 },
		{ .operation = DISK_WRITE, .offset = 0, .length = 512 },
		{ .operation = DISK_READ, .offset = 0, .length = 0 },
		{ .operation = DISK_DISCARD, .offset = 0, .length = IMAGE_SIZE + 512 },
		{ .operation = DISK_WRITE_ZEROES, .offset = 512, .length = UINT64_MAX },
	};

	assert_int_equal(open_disk(f, false, NULL), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		struct order order = { .request = bad[i] };

		order.request.iov = &iov;
		order.request.iov_count = 1;
		assert_int_equal(queue(f, &order), -EINVAL);
	}
}

static void readonly_is_never_written(void **state)
{
	struct fixture *f = *state;
	uint8_t data[512];
	struct iovec iov = { data, sizeof(data) };
	struct order order = { .request = { .operation = DISK_WRITE, .length = 512, .iov = &iov,
					    .iov_count = 1 } };
	struct order zero = { .request = { .operation = DISK_WRITE_ZEROES, .length = 512 } };
	struct order discard = { .request = { .operation = DISK_DISCARD, .length = 512 } };

	chmod(f->scratch.path, 0400);
	assert_int_equal(open_disk(f, true, NULL), 0);
	assert_true(disk_is_readonly(f->disk));
	assert_int_equal(queue(f, &order), -EROFS);
	assert_int_equal(queue(f, &zero), -EROFS);
	assert_int_equal(queue(f, &discard), -EROFS);
	assert_int_equal(transfer(f, DISK_READ, 0, data, sizeof(data)), 0);
	assert_int_equal(change(f, DISK_FLUSH, 0, 0, false, false), 0);
}

/* A read that ends within the file comes back short, goes on and then finds nothing. */
static void image_made_shorter_behind_our_back(void **state)
{
	struct fixture *f = *state;
	struct disk_counters counters;
	uint8_t *data = malloc(8192);

	assert_int_equal(open_disk(f, false, NULL), 0);
	assert_int_equal(truncate(f->scratch.path, 6000), 0);
	assert_int_equal(transfer(f, DISK_READ, 0, data, 8192), -EIO);
	assert_int_equal(transfer(f, DISK_READ, 16384, data, 512), -EIO);
	assert_int_equal(transfer(f, DISK_READ, 0, data, 4096), 0);
	disk_get_counters(f->disk, &counters);
	assert_int_equal(counters.errors, 2);
	assert_int_equal(counters.read_requests, 1);
	free(data);
}

/* Errors of the system are that request's result and no more: here a bad buffer. */
static void errors_are_reported(void **state)
{
	struct fixture *f = *state;
	uint8_t data[512];

	assert_int_equal(open_disk(f, false, NULL), 0);
	assert_int_equal(transfer(f, DISK_READ, 0, (void *)4096, 512), -EFAULT);
	assert_int_equal(transfer(f, DISK_READ, 0, data, 512), 0);
}

static void ring_is_restricted(void **state)
{
	struct fixture *f = *state;
	struct io_uring_cqe *cqe;
	struct io_uring_sqe *sqe;
	uint8_t data[512];
	int none = -1;

	assert_int_equal(open_disk(f, false, NULL), 0);
	assert_int_equal(transfer(f, DISK_READ, 0, data, 512), 0);
	sqe = io_uring_get_sqe(&f->ring->uring);
	io_uring_prep_openat(sqe, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
	io_uring_submit(&f->ring->uring);
	assert_int_equal(io_uring_wait_cqe(&f->ring->uring, &cqe), 0);
	assert_int_equal(cqe->res, -EACCES);
	io_uring_cqe_seen(&f->ring->uring, cqe);
	sqe = io_uring_get_sqe(&f->ring->uring); /* not a fixed file */
	io_uring_prep_read(sqe, f->disk->file.fd, data, 512, 0);
	io_uring_submit(&f->ring->uring);
	assert_int_equal(io_uring_wait_cqe(&f->ring->uring, &cqe), 0);
	assert_int_equal(cqe->res, -EACCES);
	io_uring_cqe_seen(&f->ring->uring, cqe);
	assert_int_equal(io_uring_register_files_update(&f->ring->uring, 1, &none, 1), -EACCES);
}

static void disks_come_before_requests(void **state)
{
	struct fixture *f = *state;
	struct disk_config config = { .name = "disk1", .path = f->scratch.path };
	struct disk *second;
	struct cause cause;
	uint8_t data[512];

	assert_int_equal(open_disk(f, false, NULL), 0);
	assert_int_equal(transfer(f, DISK_READ, 0, data, 512), 0);
	scratch_image(&f->scratch, "y.img", 512);
	assert_int_equal(disk_open(&second, f->ring, &config, &cause), -EBUSY);
}

static void disks_are_exchanged(void **state)
{
	struct fixture *f = *state;
	struct disk_config config = { .name = "disk1" };
	char path[sizeof(f->scratch.path)];
	uint8_t data[512];

	disk_ring_exchanges(f->ring);
	assert_int_equal(open_disk(f, false, NULL), 0);
	assert_int_equal(transfer(f, DISK_READ, 0, data, 512), 0);
	disk_close(f->disk);
	assert_int_equal(scratch_image(&f->scratch, "y.img", 1024), 0);
	memcpy(path, f->scratch.path, sizeof(path));
	config.path = path;
	assert_int_equal(disk_prepare(&f->disk, &config, NULL), 0);
	memset(path, 'x', 8); /* the disk has its own */
	assert_int_equal(disk_join(f->disk, f->ring, NULL), 0);
	assert_int_equal(disk_size(f->disk), 1024);
	assert_int_equal(transfer(f, DISK_READ, 512, data, 512), 0);
	assert_int_equal(data[0], scratch_byte(512));
}

static void symbolic_links_are_followed(void **state)
{
	struct fixture *f = *state;

	snprintf(f->scratch.path, sizeof(f->scratch.path), "%s/link.img", f->scratch.folder);
	assert_int_equal(symlink("x.img", f->scratch.path), 0);
	assert_int_equal(open_disk(f, false, NULL), 0);
	assert_int_equal(disk_size(f->disk), IMAGE_SIZE);
}

static void causes_name_the_disk(void **state)
{
	struct fixture *f = *state;
	struct disk_config config = { .name = "disk0", .path = f->scratch.path, .raw = true };
	struct cause cause, warning;
	FILE *image = fopen(f->scratch.path, "r+");

	fputs("KDMV", image);
	fclose(image);
	assert_int_equal(open_disk(f, false, &cause), -EINVAL);
	assert_memory_equal(cause.text, "disk0: /", 8);
	assert_int_equal(disk_open(&f->disk, f->ring, &config, &warning), 0);
	assert_memory_equal(warning.text, "disk0: /", 8);
}

/* Without a file of its own, the close of which may wait: fcntl() would not give one. */
static int grow_in_vain(struct disk *disk)
{
	struct disk_growth *second = NULL;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (refuse_calls(&(struct refusal){ SYS_fcntl, EIO }, 1) < 0)
			_exit(1);
		_exit(-disk_growth_new(&second, disk, 2 * IMAGE_SIZE, NULL));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : 0;
}

static void one_grows_once_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct disk_growth *growth = NULL;
	struct cause cause;

	assert_int_equal(open_disk(f, false, NULL), 0);
	assert_int_equal(disk_growth_new(&growth, f->disk, 2 * IMAGE_SIZE, &cause), 0);
	assert_int_equal(grow_in_vain(f->disk), -EBUSY);
	assert_int_equal(disk_growth_run(growth, &cause), 0);
	assert_int_equal(grow_in_vain(f->disk), -EIO);
	assert_int_equal(disk_grow(f->disk, growth, &cause), 0);
	assert_int_equal(disk_size(f->disk), 2 * IMAGE_SIZE);
	disk_growth_free(growth);
}

/* How hosts refuse io_uring: kernels without it, its switch, and containers' filters. */
static const struct refusal refusals[] = {
	{ SYS_io_uring_setup, EPERM },
	{ SYS_io_uring_setup, ENOSYS },
	{ SYS_io_uring_register, EPERM },
	{ SYS_io_uring_enter, EPERM },
	{ SYS_io_uring_enter, ENOSYS },
};

static bool is_served_without(struct refusal refusal)
{
	struct fixture *f;
	void *state;
	uint8_t data[512];
	struct cause why;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid) {
		assert_int_equal(waitpid(pid, &status, 0), pid);
		return WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	if (refuse_calls(&refusal, 1) < 0 || setup(&state) < 0)
		_exit(1);
	f = state;
	if (open_disk(f, false, NULL) < 0 || !disk_ring_is_refused(f->ring, &why) ||
	    !strstr(why.text, "io_uring") || transfer(f, DISK_READ, 512, data, 512) < 0)
		_exit(2);
	for (size_t i = 0; i < sizeof(data); i++)
		if (data[i] != scratch_byte(512 + i))
			_exit(3);
	_exit(teardown(&state) ? 4 : 0);
}

static void threads_where_io_uring_is_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(refusals); i++)
		if (!is_served_without(refusals[i]))
			fail_msg("without call %ld, error %d", refusals[i].call, refusals[i].error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(reads_scatter),
		TEST(writes_reach_the_file),
		TEST(more_than_the_ring_holds),
		TEST(zeroes_by_any_method),
		TEST(discard_gives_space_back),
		TEST(refuses_what_lies_outside),
		TEST(readonly_is_never_written),
		TEST(image_made_shorter_behind_our_back),
		TEST(errors_are_reported),
		TEST(disks_come_before_requests),
		TEST(disks_are_exchanged),
		TEST(symbolic_links_are_followed),
		TEST(causes_name_the_disk),
		TEST(one_grows_once_at_a_time),
	};

	const struct CMUnitTest with_io_uring[] = {
		TEST(ring_is_restricted),
		cmocka_unit_test(threads_where_io_uring_is_refused),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	if (scratch_io_uring())
		failed += cmocka_run_group_tests(with_io_uring, NULL, NULL);
	if (refuse_calls(&refusals[0], 1) == 0)
		failed += cmocka_run_group_tests_name("threads", tests, NULL, NULL);
	return failed;
}

/*
 * A file system without room: changes are held, submitted again, given up.
 * Skips where none can be had.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>

#include <cmocka.h>

#include "base/checked.h"
#include "core/disk/image.h"
#include "lib/refuse.h"
#include "small_fs.h"

#define BLOCK 4096u /* a page, which is what tmpfs gives out */
#define IMAGE_SIZE (4u << 20) /* sparse */
#define MANY 100u	      /* more than the ring holds */

struct fixture {
	struct scratch scratch;
	char image[160], ballast[160];
	struct loop loop;
	struct loop_timer patience;
	struct disk_ring *ring;
	struct disk *disk;
	unsigned pending, batches, times_full;
	const struct disk *full_disk;
	int full_error;
};

struct order {
	struct disk_request request;
	struct iovec iov;
	struct fixture *fixture;
	int result;
	bool done;
};

static void make_file(const char *path, off_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

/* Takes all room but this many blocks. */
static void leave_room(struct fixture *f, unsigned blocks)
{
	int fd = open(f->ballast, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	static const uint8_t junk[BLOCK] = { 1 };
	off_t size = 0;

	assert_true(fd >= 0);
	while (write(fd, junk, sizeof(junk)) == (ssize_t)sizeof(junk))
		size += BLOCK;
	assert_int_equal(errno, ENOSPC);
	assert_true(size >= (off_t)(blocks * BLOCK));
	assert_int_equal(ftruncate(fd, size - (off_t)(blocks * BLOCK)), 0);
	close(fd);
}

/* Blocks of the image that hold nothing but their own pattern. */
static unsigned written_blocks(struct fixture *f, unsigned count)
{
	int fd = open(f->image, O_RDONLY | O_CLOEXEC);
	unsigned found = 0;
	uint8_t data[BLOCK];

	assert_true(fd >= 0);
	for (unsigned i = 0; i < count; i++) {
		bool right = true;

		assert_int_equal(pread(fd, data, BLOCK, (off_t)(i * BLOCK)), BLOCK);
		for (unsigned at = 0; at < BLOCK; at++)
			right &= data[at] == (uint8_t)(i + 1);
		found += right;
	}
	close(fd);
	return found;
}

/* --- fixture --- */

static void too_long(void *arg)
{
	(void)arg;
	fail_msg("nothing has happened for a minute");
}

static void batch(void *arg)
{
	struct fixture *f = arg;

	f->batches++;
	if (!f->pending)
		loop_stop(&f->loop);
}

static void full(void *arg, const struct disk *disk, int error)
{
	struct fixture *f = arg;

	f->times_full++;
	f->full_disk = disk;
	f->full_error = error;
	loop_stop(&f->loop);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct disk_config config = { .name = "disk0" };
	struct cause cause;

	if (!f || scratch_create(&f->scratch) < 0 || small_fs_mount(f->scratch.folder) < 0 ||
	    loop_init(&f->loop, NULL) < 0)
		return -1;
	snprintf(f->image, sizeof(f->image), "%s/x.img", f->scratch.folder);
	snprintf(f->ballast, sizeof(f->ballast), "%s/ballast", f->scratch.folder);
	make_file(f->image, IMAGE_SIZE);
	config.path = f->image;
	if (disk_ring_create(&f->ring, &f->loop, &cause) < 0 ||
	    disk_open(&f->disk, f->ring, &config, &cause) < 0) {
		fprintf(stderr, "%s\n", cause.text);
		return -1;
	}
	disk_on_batch(f->disk, batch, f);
	disk_on_full(f->ring, full, f);
	f->patience = (struct loop_timer){ .fire = too_long };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r;

	disk_close(f->disk);
	disk_ring_destroy(f->ring);
	loop_destroy(&f->loop);
	small_fs_unmount(f->scratch.folder);
	r = rmdir(f->scratch.folder);
	free(f);
	return r;
}

static void done(struct disk_request *request, int result)
{
	struct order *order = container_of(request, struct order, request);

	assert_false(order->done);
	order->done = true;
	order->result = result;
	order->fixture->pending--;
}

static void queue(struct fixture *f, struct order *order)
{
	order->fixture = f;
	order->request.done = done;
	order->request.iov = &order->iov;
	order->request.iov_count = 1;
	assert_int_equal(disk_queue(f->disk, &order->request), 0);
	f->pending++;
}

/* Writes the pattern of its first block into each block. */
static void queue_write(struct fixture *f, struct order *order, unsigned block, unsigned count)
{
	order->iov = (struct iovec){ malloc(count * BLOCK), count * BLOCK };
	for (unsigned i = 0; i < count; i++)
		memset((uint8_t *)order->iov.iov_base + i * BLOCK, (int)(block + i + 1), BLOCK);
	order->request.operation = DISK_WRITE;
	order->request.offset = (uint64_t)block * BLOCK;
	order->request.length = (uint64_t)count * BLOCK;
	queue(f, order);
}

/* Until all is done or full() is told. */
static void run(struct fixture *f)
{
	loop_timer_set(&f->loop, &f->patience, 60000000000ull);
	assert_int_equal(loop_run(&f->loop), 0);
	loop_timer_cancel(&f->loop, &f->patience);
}

static void look(void *arg)
{
	loop_stop(arg);
}

/* Until nothing is under way: all is done, or held, of which nothing is told but the first. */
static void settle(struct fixture *f)
{
	struct loop_timer again = { .fire = look, .arg = &f->loop };

	while (f->ring->in_flight || f->ring->waiting) {
		loop_timer_set(&f->loop, &again, 1000000);
		run(f);
	}
	loop_timer_cancel(&f->loop, &again);
}

static void assert_full(struct fixture *f, unsigned times)
{
	assert_int_equal(f->times_full, times);
	assert_ptr_equal(f->full_disk, f->disk);
	assert_int_equal(f->full_error, -ENOSPC);
}

/* --- cases --- */

static void held_data_arrive(void **state)
{
	struct fixture *f = *state;
	struct order order = { 0 };
	struct disk_counters counters;

	leave_room(f, 0);
	queue_write(f, &order, 3, 1);
	disk_submit(f->ring);
	run(f);
	assert_full(f, 1);
	assert_false(order.done);
	assert_int_equal(f->batches, 0);
	disk_get_counters(f->disk, &counters);
	assert_int_equal(counters.errors, 0);

	leave_room(f, 1);
	disk_retry(f->ring);
	run(f);
	assert_true(order.done);
	assert_int_equal(order.result, 0);
	assert_int_equal(written_blocks(f, 8), 1);
	assert_full(f, 1);
	disk_get_counters(f->disk, &counters);
	assert_int_equal(counters.write_requests, 1);
	assert_int_equal(counters.write_bytes, BLOCK);
	free(order.iov.iov_base);
}

static void again_without_room(void **state)
{
	struct fixture *f = *state;
	struct order order = { 0 };

	leave_room(f, 0);
	queue_write(f, &order, 0, 2);
	disk_submit(f->ring);
	for (unsigned times = 1; times < 5; times++) {
		run(f);
		assert_full(f, times);
		assert_false(order.done);
		disk_retry(f->ring);
	}
	run(f);
	leave_room(f, 2);
	disk_retry(f->ring);
	run(f);
	assert_int_equal(order.result, 0);
	assert_int_equal(written_blocks(f, 2), 2);
	free(order.iov.iov_base);
}

/* What was written before the room ran out is not written again, nor left out. */
static void torn_write_goes_on(void **state)
{
	struct fixture *f = *state;
	struct order order = { 0 };

	leave_room(f, 5);
	queue_write(f, &order, 0, 12);
	disk_submit(f->ring);
	run(f);
	assert_full(f, 1);
	assert_false(order.done);
	assert_int_equal(order.request.done_bytes, 5 * BLOCK);
	leave_room(f, 7);
	disk_retry(f->ring);
	run(f);
	assert_true(order.done);
	assert_int_equal(order.result, 0);
	assert_int_equal(written_blocks(f, 12), 12);
	free(order.iov.iov_base);
}

static void many_are_held(void **state)
{
	struct fixture *f = *state;
	struct order *orders = calloc(MANY, sizeof(*orders));

	leave_room(f, 0);
	for (unsigned i = 0; i < MANY; i++)
		queue_write(f, &orders[i], i, 1);
	disk_submit(f->ring);
	settle(f);
	assert_full(f, 1);
	assert_int_equal(f->pending, MANY);

	leave_room(f, 30);
	disk_retry(f->ring);
	settle(f);
	assert_full(f, 2);
	assert_int_equal(f->pending, MANY - 30);
	assert_int_equal(written_blocks(f, MANY), 30);

	leave_room(f, MANY - 30);
	disk_retry(f->ring);
	settle(f);
	assert_int_equal(f->pending, 0);
	assert_full(f, 2);
	assert_int_equal(written_blocks(f, MANY), MANY);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(orders[i].result, 0);
		free(orders[i].iov.iov_base);
	}
	free(orders);
}

static void others_are_served_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct order first = { 0 }, held = { 0 }, over = { 0 }, read = { 0 }, flush = { 0 };
	uint8_t data[BLOCK];

	queue_write(f, &first, 0, 1);
	disk_submit(f->ring);
	run(f);
	leave_room(f, 0);
	queue_write(f, &held, 1, 1);
	disk_submit(f->ring);
	run(f);
	assert_full(f, 1);

	queue_write(f, &over, 0, 1);
	read.iov = (struct iovec){ data, sizeof(data) };
	read.request = (struct disk_request){ .operation = DISK_READ, .length = sizeof(data),
					      .offset = 2 * BLOCK };
	queue(f, &read);
	flush.request.operation = DISK_FLUSH;
	queue(f, &flush);
	disk_submit(f->ring);
	settle(f);
	assert_true(over.done && read.done && flush.done);
	assert_int_equal(over.result | read.result | flush.result, 0);
	assert_false(held.done);
	disk_give_up(f->ring);
	free(first.iov.iov_base);
	free(held.iov.iov_base);
	free(over.iov.iov_base);
}

static void zeroes_are_held(void **state)
{
	struct fixture *f = *state;
	struct order order = { .request = { .operation = DISK_WRITE_ZEROES, .stable = true,
					    .offset = BLOCK, .length = 3 * BLOCK } };
	struct stat st;

	/* As on a file system that can do neither; tmpfs never allocates for a hole. */
	f->disk->no_punch = f->disk->no_zero_range = true;
	leave_room(f, 1);
	queue(f, &order);
	disk_submit(f->ring);
	run(f);
	assert_full(f, 1);
	assert_false(order.done);
	leave_room(f, 2);
	disk_retry(f->ring);
	run(f);
	assert_true(order.done);
	assert_int_equal(order.result, 0);
	assert_int_equal(stat(f->image, &st), 0);
	assert_int_equal(st.st_blocks, 3 * BLOCK / 512);
}

static void giving_up_ends_all(void **state)
{
	struct fixture *f = *state;
	struct order orders[3] = { 0 }, late = { 0 };
	struct disk_counters counters;

	leave_room(f, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(orders); i++)
		queue_write(f, &orders[i], i, 1);
	disk_submit(f->ring);
	settle(f);
	assert_int_equal(f->pending, ARRAY_SIZE(orders));
	disk_give_up(f->ring);
	assert_int_equal(f->pending, 0);
	assert_int_equal(f->batches, 1);
	for (unsigned i = 0; i < ARRAY_SIZE(orders); i++) {
		assert_int_equal(orders[i].result, -ENOSPC);
		free(orders[i].iov.iov_base);
	}
	disk_give_up(f->ring);
	disk_retry(f->ring);

	/* One that fails now is not held any more. */
	queue_write(f, &late, 5, 1);
	disk_submit(f->ring);
	settle(f);
	assert_true(late.done);
	assert_int_equal(late.result, -ENOSPC);
	assert_full(f, 1);
	disk_get_counters(f->disk, &counters);
	assert_int_equal(counters.errors, ARRAY_SIZE(orders) + 1);
	free(late.iov.iov_base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(held_data_arrive),
		TEST(again_without_room),
		TEST(torn_write_goes_on),
		TEST(many_are_held),
		TEST(others_are_served_meanwhile),
		TEST(zeroes_are_held),
		TEST(giving_up_ends_all),
	};

	int failed;

	if (!small_fs_here())
		return 77;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (refuse_calls(&(struct refusal){ SYS_io_uring_setup, ENOSYS }, 1) == 0)
		failed += cmocka_run_group_tests_name("threads", tests, NULL, NULL);
	return failed;
}

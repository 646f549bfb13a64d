/*
 * Block devices of the host as disks: data, discards and zeroes that reach what is behind them,
 * growing, past the page cache. Loop devices; skips where there can be none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>

#include <cmocka.h>

#include "core/disk/image.h"
#include "loop_device.h"
#include "lib/refuse.h"
#include "scratch.h"

#define IMAGE_SIZE (1u << 20)

struct fixture {
	struct scratch scratch;
	char device[32]; /* "": there is none */
	struct loop loop;
	struct disk_ring *ring;
	struct disk *disk;
	int result;
};

static int setup_mode(void **state, bool direct)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct disk_config config = { .name = "disk0", .path = f->device, .direct = direct };

	if (!f || scratch_create(&f->scratch) < 0 ||
	    scratch_image(&f->scratch, "x.img", IMAGE_SIZE) < 0 || loop_init(&f->loop, NULL) < 0 ||
	    disk_ring_create(&f->ring, &f->loop, NULL) < 0)
		return -1;
	*state = f;
	if (!loop_device_attach(f->scratch.path, false, f->device)) {
		f->device[0] = '\0';
		return 0;
	}
	return disk_open(&f->disk, f->ring, &config, NULL);
}

static int setup(void **state)
{
	return setup_mode(state, false);
}

static int setup_direct(void **state)
{
	return setup_mode(state, true);
}

static int teardown(void **state)
{
	static const char *const files[] = { "x.img", NULL };
	struct fixture *f = *state;
	int r;

	disk_close(f->disk);
	if (*f->device)
		loop_device_detach(f->device);
	disk_ring_destroy(f->ring);
	loop_destroy(&f->loop);
	r = scratch_remove(&f->scratch, files);
	free(f);
	return r;
}

struct order {
	struct disk_request request;
	struct fixture *fixture;
};

static void done(struct disk_request *request, int result)
{
	((struct order *)request)->fixture->result = result;
}

static void batch(void *arg)
{
	loop_stop(arg);
}

/* Of length bytes of one byte, if data is not NULL. */
static void transfer(struct fixture *f, enum disk_operation operation, uint64_t offset, void *data,
		     size_t length)
{
	struct iovec iov = { data, length };
	struct order order = {
		.request = { .operation = operation, .unmap = true, .offset = offset,
			     .length = length, .iov = &iov, .iov_count = data ? 1 : 0, .done = done },
		.fixture = f,
	};

	if (!f->disk)
		skip();
	f->result = 1;
	disk_on_batch(f->disk, batch, &f->loop);
	assert_int_equal(disk_queue(f->disk, &order.request), 0);
	disk_submit(f->ring);
	while (f->result == 1)
		assert_int_equal(loop_run(&f->loop), 0);
	assert_int_equal(f->result, 0);
}

static blkcnt_t blocks(struct fixture *f)
{
	struct stat st;

	assert_int_equal(stat(f->scratch.path, &st), 0);
	return st.st_blocks;
}

static void data_and_holes(void **state)
{
	struct fixture *f = *state;
	_Alignas(4096) static uint8_t data[8192];
	blkcnt_t before;

	transfer(f, DISK_READ, 4096, data, sizeof(data));
	for (unsigned i = 0; i < sizeof(data); i++)
		assert_int_equal(data[i], scratch_byte(4096 + i));
	memset(data, 0x44, sizeof(data));
	transfer(f, DISK_WRITE, 0, data, sizeof(data));
	transfer(f, DISK_FLUSH, 0, NULL, 0);
	before = blocks(f);
	transfer(f, DISK_DISCARD, 64 << 10, NULL, 256 << 10);
	assert_true(blocks(f) <= before - (256 << 10) / 512);
	before = blocks(f);
	transfer(f, DISK_WRITE_ZEROES, 512 << 10, NULL, 128 << 10);
	transfer(f, DISK_READ, 512 << 10, data, sizeof(data));
	for (unsigned i = 0; i < sizeof(data); i++)
		assert_int_equal(data[i], 0);
	assert_true(blocks(f) <= before - (128 << 10) / 512);
	transfer(f, DISK_READ, 0, data, sizeof(data));
	assert_int_equal(data[8191], 0x44);
}

static int grow(struct disk *disk, uint64_t bytes, struct cause *cause)
{
	struct disk_growth *growth = NULL;
	int err = disk_growth_new(&growth, disk, bytes, cause);

	if (!err)
		err = disk_growth_run(growth, cause);
	if (!err)
		err = disk_grow(disk, growth, cause);
	disk_growth_free(growth);
	return err;
}

static void grows_with_its_device(void **state)
{
	struct fixture *f = *state;
	struct cause cause;
	uint8_t data[512];

	if (!f->disk)
		skip();
	assert_int_equal(grow(f->disk, 2 * IMAGE_SIZE, &cause), -ERANGE);
	assert_non_null(strstr(cause.text, "make the device larger first"));
	assert_int_equal(truncate(f->scratch.path, 2 * IMAGE_SIZE), 0);
	assert_int_equal(loop_device_call(f->device, LOOP_SET_CAPACITY), 0);
	assert_int_equal(grow(f->disk, 2 * IMAGE_SIZE, &cause), 0);
	transfer(f, DISK_READ, 2 * IMAGE_SIZE - 512, data, sizeof(data));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(data_and_holes, setup, teardown),
		cmocka_unit_test_setup_teardown(grows_with_its_device, setup, teardown),
		cmocka_unit_test_setup_teardown(data_and_holes, setup_direct, teardown),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	if (refuse_calls(&(struct refusal){ SYS_io_uring_setup, ENOSYS }, 1) == 0)
		failed += cmocka_run_group_tests_name("threads", tests, NULL, NULL);
	return failed;
}

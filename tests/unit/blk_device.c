/*
 * A virtio disk behind its transport: what its profile asks for is what a driver finds, with
 * several queues, and a size that can grow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/virtio_blk.h>

#include "killed.h"
#include "lib/device_bench.h"

#define FEATURES (1u << VIRTIO_BLK_F_MQ | 1u << VIRTIO_BLK_F_FLUSH)

static struct device_bench bench;
static int disk_fd;

static int setup(void **state)
{
	(void)state;
	if (disk_fd < 0)
		return 0;
	bench_create(&bench, disk_fd);
	devices_start(&bench.set);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (disk_fd >= 0)
		bench_destroy(&bench);
	return 0;
}

static void need_disk(void)
{
	if (disk_fd < 0)
		skip();
}

static void start(unsigned queues)
{
	need_disk();
	assert_true(bench_start_driver(&bench, BENCH_DISK, queues, FEATURES, true));
}

static uint8_t ask(unsigned n, uint32_t type, uint64_t sector, uint32_t size)
{
	unsigned used = bench_used(&bench, BENCH_DISK, n);

	bench_disk_ask(&bench, n, type, sector, size);
	assert_true(bench_wait_used(&bench, BENCH_DISK, n, used + 1));
	return bench_disk_status(&bench, n);
}

static void each_cpu_has_a_queue(void **state)
{
	uint8_t *one, *two;

	(void)state;
	start(BENCH_CPUS);
	assert_int_equal(bench_config(&bench, BENCH_DISK,
				      offsetof(struct virtio_blk_config, num_queues), 2), BENCH_CPUS);
	one = bench_at(&bench, BENCH_DISK_DATA);
	two = bench_at(&bench, BENCH_DISK_DATA + 0x1000);
	memset(one, 0x11, 512);
	memset(two, 0x22, 512);
	bench_disk_ask(&bench, 0, VIRTIO_BLK_T_OUT, 1, 512);
	bench_disk_ask(&bench, 1, VIRTIO_BLK_T_OUT, 2, 512);
	assert_true(bench_wait_used(&bench, BENCH_DISK, 0, 1));
	assert_true(bench_wait_used(&bench, BENCH_DISK, 1, 1));
	assert_int_equal(ask(1, VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_OK);
	assert_int_equal(ask(1, VIRTIO_BLK_T_IN, 1, 1024), VIRTIO_BLK_S_OK);
	assert_int_equal(two[0], 0x11);
	assert_int_equal(two[512], 0x22);
	/* Nothing came in the other queue. */
	assert_int_equal(bench_used(&bench, BENCH_DISK, 0), 1);
}

static void a_driver_may_use_fewer(void **state)
{
	(void)state;
	start(1);
	assert_int_equal(ask(0, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
}

/* What is broken is a queue, and the whole device as far as its driver is told. */
static void a_queue_that_breaks(void **state)
{
	(void)state;
	start(BENCH_CPUS);
	bench_offer(&bench, BENCH_DISK, 1, BENCH_RING);
	bench_kick(&bench, BENCH_DISK, 1);
	bench_settle(&bench);
	assert_true(bench_status(&bench, BENCH_DISK) & 0x40);
	start(BENCH_CPUS);
	assert_int_equal(ask(1, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
}

static void check_serial(const char *serial)
{
	assert_int_equal(ask(0, VIRTIO_BLK_T_GET_ID, 0, VIRTIO_BLK_ID_BYTES), VIRTIO_BLK_S_OK);
	assert_string_equal(bench_at(&bench, BENCH_DISK_DATA), serial);
}

static void serial_by_its_number(void **state)
{
	(void)state;
	start(1);
	check_serial("vmdeck-disk0");
}

static void change(struct profile *profile)
{
	static char serial[] = "root.1";

	profile->disks[0].serial = serial;
	profile->disks[0].queues = 1;
}

static void serial_and_queues_of_the_profile(void **state)
{
	(void)state;
	need_disk();
	bench_destroy(&bench);
	bench_create_changed(&bench, disk_fd, change);
	devices_start(&bench.set);
	assert_false(bench_start_driver(&bench, BENCH_DISK, 1, FEATURES, true)); /* of one queue */
	assert_true(bench_start_driver(&bench, BENCH_DISK, 1, FEATURES & ~(1u << VIRTIO_BLK_F_MQ),
				       true));
	check_serial("root.1");
}

static void check_refused(uint64_t bytes, const char *text)
{
	struct cause cause = { "" };

	assert_true(bench_resize(&bench, "disk0", bytes, &cause) < 0);
	assert_string_equal(cause.text, text);
}

static void grows_while_it_is_used(void **state)
{
	const uint64_t last = BENCH_IMAGE / 512;
	struct cause cause = { "" };
	uint8_t generation;

	(void)state;
	start(1);
	generation = bench_generation(&bench, BENCH_DISK);
	assert_int_equal(ask(0, VIRTIO_BLK_T_IN, last, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(bench_resize(&bench, "disk0", 2 * BENCH_IMAGE, &cause), 0);
	assert_int_not_equal(bench_generation(&bench, BENCH_DISK), generation);
	assert_int_equal(bench_config(&bench, BENCH_DISK, 0, 8), 2 * last);
	assert_int_equal(lseek(disk_fd, 0, SEEK_END), 2 * BENCH_IMAGE);
	assert_int_equal(ask(0, VIRTIO_BLK_T_IN, last, 512), VIRTIO_BLK_S_OK);
	assert_int_equal(ask(0, VIRTIO_BLK_T_IN, 2 * last, 512), VIRTIO_BLK_S_IOERR);
	check_refused(BENCH_IMAGE, "disk0: it has 128K; while its guest runs a disk only grows");
	check_refused(2 * BENCH_IMAGE + 1,
		      "disk0: 131073 bytes are no size of a disk; it has whole sectors of 512");
	assert_int_equal(bench_resize(&bench, "disk0", 2 * BENCH_IMAGE, &cause), 0);
}

static void make_readonly(struct profile *profile)
{
	profile->disks[0].readonly = true;
}

static void only_what_is_written_to_grows(void **state)
{
	(void)state;
	need_disk();
	bench_destroy(&bench);
	bench_create_changed(&bench, disk_fd, make_readonly);
	check_refused(4 * BENCH_IMAGE, "disk0: it is read-only, and so is its size");
	assert_int_equal(ftruncate(disk_fd, BENCH_IMAGE), 0);
}

/* Both queues write, one flushes. */
static void write_versions(const char *path, struct killed *killed)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	bench_create(&bench, fd);
	devices_start(&bench.set);
	start(BENCH_CPUS);
	for (uint32_t version = 1;; version++) {
		for (unsigned i = 0; i < KILLED_BLOCKS; i += BENCH_CPUS) {
			unsigned used[BENCH_CPUS];

			for (unsigned n = 0; n < BENCH_CPUS; n++) {
				used[n] = bench_used(&bench, BENCH_DISK, n);
				*(uint32_t *)bench_at(&bench, BENCH_DISK_DATA + 0x1000 * n) = version;
				bench_disk_ask(&bench, n, VIRTIO_BLK_T_OUT, (i + n) * 8, KILLED_BLOCK);
			}
			for (unsigned n = 0; n < BENCH_CPUS; n++)
				if (!bench_wait_used(&bench, BENCH_DISK, n, used[n] + 1))
					return;
		}
		if (ask(0, VIRTIO_BLK_T_FLUSH, 0, 0) != VIRTIO_BLK_S_OK)
			return;
		killed_flushed(killed, version);
	}
}

static void what_was_flushed_is_there(void **state)
{
	char path[64];
	int fd;

	(void)state;
	need_disk();
	fd = bench_disk_file();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	killed_rounds(path, write_versions);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(each_cpu_has_a_queue),
		TEST(a_driver_may_use_fewer),
		TEST(a_queue_that_breaks),
		TEST(serial_by_its_number),
		TEST(serial_and_queues_of_the_profile),
		TEST(grows_while_it_is_used),
		TEST(only_what_is_written_to_grows),
		cmocka_unit_test(what_was_flushed_is_there),
	};

	disk_fd = bench_disk_file();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

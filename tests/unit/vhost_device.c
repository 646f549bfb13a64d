/*
 * A disk that the storage daemon serves, behind its transport: what becomes of requests when the
 * daemon ends, of which the driver is this test and the daemon the real one.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/virtio_blk.h>

#include "base/clock.h"
#include "core/virtio/vhost_blk.h"
#include "core/virtio/vhost_device.h"
#include "lib/device_bench.h"
#include "sandbox/helper.h"

#define FEATURES (1u << VIRTIO_BLK_F_FLUSH)
#define SECTORS 128

static char folder[] = "/tmp/vmdeck-vhost-XXXXXX", image[sizeof(folder) + 8];
static unsigned on_backend, overlay;
static struct device_bench bench;

static void use_daemon(struct profile *profile)
{
	struct profile_disk *disk = &profile->disks[0];

	/* What is kept is found by the next one, too. */
	profile->vsock.present = false; /* of which two machines cannot have the same */
	*disk = (struct profile_disk){ .present = true, .path = image, .format = DISK_FORMAT_RAW,
				       .overlay = overlay, .on_backend = on_backend };
}

static int setup(void **state)
{
	(void)state;
	bench_effects.waits = bench_effects.notices = 0;
	on_backend = ON_BACKEND_PAUSE;
	overlay = DISK_OVERLAY_KEEP;
	return 0;
}

static void go(void)
{
	devices_start(&bench.set);
	assert_true(bench_start_driver(&bench, BENCH_DISK, 1, FEATURES, true));
}

static void start(void)
{
	char path[PATH_MAX];

	if (program_find(PROGRAM_STORAGE_DAEMON, path, NULL) < 0)
		skip();
	bench_create_changed(&bench, -1, use_daemon);
	go();
}

static struct vhost_device *vhost(void)
{
	for (unsigned i = 0; i < bench.set.count; i++)
		if (bench.set.devices[i].type == &vhost_blk_device)
			return bench.set.devices[i].state;
	fail();
	return NULL;
}

static void put(uint32_t type, uint64_t sector)
{
	bench_disk_ask(&bench, 0, type, sector, 512);
}

static uint8_t finish(void)
{
	assert_true(bench_wait_used(&bench, BENCH_DISK, 0, bench_used(&bench, BENCH_DISK, 0) + 1));
	return bench_disk_status(&bench, 0);
}

static uint8_t ask(uint32_t type, uint64_t sector)
{
	put(type, sector);
	return finish();
}

static uint8_t *data(void)
{
	return bench_at(&bench, BENCH_DISK_DATA);
}

/* With a request that it has not done, or has not even seen. */
static void end_daemon(uint8_t byte)
{
	int pid = vhost()->backend.process.pid;

	assert_true(pid > 0);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	memset(data(), byte, 512);
	put(VIRTIO_BLK_T_OUT, 3);
	assert_int_equal(kill(pid, SIGKILL), 0);
	for (unsigned i = 0; i < 1000 && vhost()->backend.process.pid; i++) {
		bench_settle(&bench);
		usleep(10000);
	}
	assert_int_equal(vhost()->backend.process.pid, 0);
}

static void resume(void)
{
	bench_stop(&bench);
	devices_start(&bench.set);
}

static void what_is_written_is_read(void **state)
{
	(void)state;
	start();
	memset(data(), 0x11, 512);
	assert_int_equal(ask(VIRTIO_BLK_T_OUT, 1), VIRTIO_BLK_S_OK);
	memset(data(), 0, 512);
	assert_int_equal(ask(VIRTIO_BLK_T_IN, 1), VIRTIO_BLK_S_OK);
	assert_int_equal(data()[511], 0x11);
	assert_int_equal(ask(VIRTIO_BLK_T_IN, SECTORS), VIRTIO_BLK_S_IOERR);
	bench_destroy(&bench);
}

static void a_guest_that_waits_loses_nothing(void **state)
{
	(void)state;
	start();
	assert_int_equal(ask(VIRTIO_BLK_T_IN, 1), VIRTIO_BLK_S_OK);
	end_daemon(0x22);
	assert_int_equal(bench_effects.waits, 1);
	resume();
	assert_int_equal(finish(), VIRTIO_BLK_S_OK);
	/* Pauses between that are nothing to it, nor to the notes. */
	resume();
	memset(data(), 0, 512);
	assert_int_equal(ask(VIRTIO_BLK_T_IN, 3), VIRTIO_BLK_S_OK);
	assert_int_equal(data()[0], 0x22);
	resume();
	end_daemon(0x23);
	resume();
	assert_int_equal(finish(), VIRTIO_BLK_S_OK);
	assert_int_equal(bench_effects.waits, 2);
	assert_int_equal(bench_used(&bench, BENCH_DISK, 0), 4);
	bench_destroy(&bench);
}

static uint64_t now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

/* The daemon has left a doorbell that was rung. */
static void check_that_the_loop_sleeps(void)
{
	struct loop_timer limit = { .fire = stop_loop, .arg = &bench.loop };
	uint64_t busy = now(CLOCK_THREAD_CPUTIME_ID), passed = now(CLOCK_MONOTONIC);

	loop_timer_set(&bench.loop, &limit, 200 * NS_PER_MS);
	assert_int_equal(loop_run(&bench.loop), 0);
	loop_timer_cancel(&bench.loop, &limit);
	busy = now(CLOCK_THREAD_CPUTIME_ID) - busy;
	passed = now(CLOCK_MONOTONIC) - passed;
	assert_true(busy < passed / 4);
}

static void a_guest_that_goes_on_gets_errors(void **state)
{
	(void)state;
	on_backend = ON_BACKEND_STOP;
	start();
	assert_int_equal(ask(VIRTIO_BLK_T_IN, 1), VIRTIO_BLK_S_OK);
	end_daemon(0x33);
	assert_int_equal(bench_used(&bench, BENCH_DISK, 0), 2);
	assert_int_equal(bench_disk_status(&bench, 0), VIRTIO_BLK_S_IOERR);
	assert_int_equal(bench_used_length(&bench, BENCH_DISK, 0), 1);
	check_that_the_loop_sleeps();
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(ask(VIRTIO_BLK_T_IN, 1), VIRTIO_BLK_S_IOERR);
		assert_int_equal(bench_used_length(&bench, BENCH_DISK, 0), 0);
	}
	assert_int_equal(bench_effects.waits, 0);
	assert_int_equal(bench_effects.notices, 1);
	/* By its driver, and by a pause. */
	assert_true(bench_start_driver(&bench, BENCH_DISK, 1, FEATURES, true));
	assert_int_equal(ask(VIRTIO_BLK_T_IN, 1), VIRTIO_BLK_S_OK);
	end_daemon(0x34);
	assert_int_equal(bench_disk_status(&bench, 0), VIRTIO_BLK_S_IOERR);
	resume();
	assert_int_equal(ask(VIRTIO_BLK_T_IN, 3), VIRTIO_BLK_S_OK);
	bench_destroy(&bench);
}

/* Whatever the profile says: its memory is left alone. */
static void one_that_is_paused_begins_anew(void **state)
{
	int pid;

	(void)state;
	on_backend = ON_BACKEND_STOP;
	start();
	assert_int_equal(ask(VIRTIO_BLK_T_IN, 1), VIRTIO_BLK_S_OK);
	bench_stop(&bench);
	pid = vhost()->backend.process.pid;
	assert_int_equal(kill(pid, SIGKILL), 0);
	put(VIRTIO_BLK_T_IN, 1);
	while (vhost()->backend.process.pid)
		bench_settle(&bench);
	assert_int_equal(bench_used(&bench, BENCH_DISK, 0), 1);
	devices_start(&bench.set);
	assert_int_equal(finish(), VIRTIO_BLK_S_OK);
	assert_int_equal(bench_effects.waits, 0);
	bench_destroy(&bench);
}

/* Saved while nobody serves it, with a request that waits; and again before it goes on. */
static void one_that_waits_is_saved_and_loaded(void **state)
{
	struct bench_saved saved;
	struct cause cause;

	(void)state;
	start();
	assert_int_equal(ask(VIRTIO_BLK_T_IN, 1), VIRTIO_BLK_S_OK);
	end_daemon(0x44);
	for (unsigned i = 0; i < 2; i++) {
		saved = bench_save_devices(&bench);
		bench_destroy(&bench);
		bench_create_changed(&bench, -1, use_daemon);
		assert_int_equal(bench_load(&bench, saved.ram, saved.data, saved.size, &cause), 0);
		bench_saved_free(&saved);
	}
	devices_start(&bench.set);
	assert_int_equal(finish(), VIRTIO_BLK_S_OK);
	memset(data(), 0, 512);
	assert_int_equal(ask(VIRTIO_BLK_T_IN, 3), VIRTIO_BLK_S_OK);
	assert_int_equal(data()[511], 0x44);
	bench_destroy(&bench);
}

static void a_reset_keeps_what_is_forgotten_at_the_end(void **state)
{
	(void)state;
	overlay = DISK_OVERLAY_DISCARD;
	start();
	memset(data(), 0x55, 512);
	assert_int_equal(ask(VIRTIO_BLK_T_OUT, 5), VIRTIO_BLK_S_OK);
	bench_renew(&bench);
	go();
	memset(data(), 0xff, 512);
	assert_int_equal(ask(VIRTIO_BLK_T_IN, 5), VIRTIO_BLK_S_OK);
	assert_int_equal(data()[0], 0x55);
	bench_destroy(&bench);
	start();
	assert_int_equal(ask(VIRTIO_BLK_T_IN, 5), VIRTIO_BLK_S_OK);
	assert_int_equal(data()[0], 0);
	bench_destroy(&bench);
}

static void remove_files(void)
{
	char path[sizeof(folder) + 64];

	snprintf(path, sizeof(path), "%s/vmdeck/overlays/a-disk0.qcow2", folder);
	unlink(path);
	unlink(image);
	for (char *slash = path; (slash = strrchr(path, '/')) && strcmp(path, folder) != 0;) {
		*slash = '\0';
		rmdir(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_written_is_read, setup),
		cmocka_unit_test_setup(a_guest_that_waits_loses_nothing, setup),
		cmocka_unit_test_setup(a_guest_that_goes_on_gets_errors, setup),
		cmocka_unit_test_setup(one_that_is_paused_begins_anew, setup),
		cmocka_unit_test_setup(one_that_waits_is_saved_and_loaded, setup),
		cmocka_unit_test_setup(a_reset_keeps_what_is_forgotten_at_the_end, setup),
	};
	struct cause cause;
	int fd, failed;

	if (!mkdtemp(folder) || setenv("XDG_STATE_HOME", folder, 1) < 0)
		return 99;
	snprintf(image, sizeof(image), "%s/image", folder);
	fd = open(image, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, SECTORS * 512) < 0 || close(fd) < 0)
		return 99;
	if (helper_start(NULL, &cause) < 0) {
		print_error("%s\n", cause.text);
		return 99;
	}
	bench_effects.may_wait = true;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	remove_files();
	return failed;
}

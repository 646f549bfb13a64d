/*
 * Devices that are saved in the middle of their work and loaded into fresh ones: these
 * go on as the first would have, and records that are damaged are refused, or do no harm.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/bus/platform.h"
#include "lib/device_bench.h"

static struct device_bench bench;
static int disk_fd = -1; /* or, without io_uring, no disk */

static void test_goes_on(void **state)
{
	struct bench_saved saved = bench_save(disk_fd), again;
	struct cause cause = { "" };
	unsigned reads, sent, head, frames;

	(void)state;
	assert_true(saved.level[PLATFORM_COM1_GSI] && saved.level[PLATFORM_SCI_GSI]);
	bench_create(&bench, disk_fd);
	assert_int_equal(bench_load(&bench, saved.ram, saved.data, saved.size, &cause), 0);
	assert_memory_equal(saved.level, bench_effects.level, sizeof(saved.level));

	/* Loaded and not started, it touches nothing and is what was saved. */
	bench_settle(&bench);
	assert_false(bench_deliver(0) || bench_deliver(1));
	again = bench_save_devices(&bench);
	assert_int_equal(again.size, saved.size);
	assert_memory_equal(again.ram, saved.ram, BENCH_RAM);

	/* It does what nobody has told it of, and what is new. */
	sent = bench_sent_used(&bench);
	head = bench_e1000e_head(&bench);
	frames = bench_effects.sent;
	reads = bench_disk_used(&bench);
	if (disk_fd >= 0)
		assert_int_not_equal(bench_sata_waits(&bench), 0);
	devices_start(&bench.set);
	assert_true(bench_deliver(0) && bench_deliver(1));
	bench_send(&bench);
	bench_e1000e_send(&bench);
	if (disk_fd >= 0)
		bench_disk_read(&bench);
	bench_settle(&bench);
	bench_stop(&bench);
	assert_int_equal(bench_sent_used(&bench), sent + 2);
	assert_int_equal(bench_e1000e_head(&bench), head + 2);
	assert_int_equal(bench_effects.sent, frames + 4);
	assert_int_equal(bench_disk_used(&bench), disk_fd >= 0 ? reads + 2 : reads);
	if (disk_fd >= 0)
		assert_int_equal(bench_sata_waits(&bench), 0);
	bench_destroy(&bench);
	bench_saved_free(&saved);
	bench_saved_free(&again);
}

/* One that was pulled out, or in, meanwhile: the drivers are told. */
static void test_another_link(void **state)
{
	struct bench_saved saved = bench_save(disk_fd);
	uint8_t generations[2];
	struct cause cause = { "" };

	(void)state;
	for (unsigned down = 0; down < 2; down++) {
		bench_create(&bench, disk_fd);
		for (unsigned nic = 0; down && nic < 2; nic++)
			bench_set_link(nic, false);
		assert_int_equal(bench_load(&bench, saved.ram, saved.data, saved.size, &cause), 0);
		generations[down] = bench_generation(&bench, BENCH_NIC);
		assert_int_equal(bench_config(&bench, BENCH_NIC, 6, 2), !down); /* status */
		assert_int_equal(bench_e1000e_link_changed(&bench), down);
		bench_stop(&bench);
		bench_destroy(&bench);
	}
	assert_int_equal(generations[1], (uint8_t)(generations[0] + 1));
	bench_saved_free(&saved);
}

/* Each byte of each record, changed: it is refused by name, or a guest finds it so. */
static void test_damaged(void **state)
{
	struct bench_saved saved = bench_save(disk_fd);
	unsigned refused = 0, taken = 0;

	(void)state;
	for (size_t i = 0; i < saved.size; i++) {
		struct cause cause = { "" };

		saved.data[i] ^= 0x81;
		bench_create(&bench, disk_fd);
		if (bench_load(&bench, saved.ram, saved.data, saved.size, &cause) < 0) {
			assert_non_null(strstr(cause.text, "saved state: "));
			refused++;
		} else {
			bench_drive(&bench);
			taken++;
		}
		bench_destroy(&bench);
		saved.data[i] ^= 0x81;
	}
	/* Names, sizes and what is fixed; typed bytes and the clock's RAM are as good as others. */
	assert_true(refused > saved.size / 3);
	assert_true(taken > 500);
	bench_saved_free(&saved);
}

static void test_cut(void **state)
{
	struct bench_saved saved = bench_save(disk_fd);

	(void)state;
	for (size_t size = 0; size < saved.size; size += 1 + size / 50) {
		struct cause cause = { "" };

		bench_create(&bench, disk_fd);
		assert_int_equal(bench_load(&bench, saved.ram, saved.data, size, &cause), -EINVAL);
		assert_non_null(strstr(cause.text, "saved state: "));
		bench_destroy(&bench);
	}
	bench_saved_free(&saved);
}

/* Records are found by the names of devices, which must not be cut off. */
static void test_names(void **state)
{
	(void)state;
	bench_create(&bench, disk_fd);
	for (unsigned i = 0; i < bench.set.count; i++) {
		const struct device *device = &bench.set.devices[i];

		assert_non_null(strstr(device->name, device->type->name));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(device->name, bench.set.devices[j].name);
	}
	bench_destroy(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_another_link),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_names),
	};

	disk_fd = bench_disk_file();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

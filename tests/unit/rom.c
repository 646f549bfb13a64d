/* Firmware's files: where they are looked for, and what is said of one that is not there. */
#include "core/hw/rom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"

static struct scratch scratch;

static int setup(void **state)
{
	(void)state;
	return scratch_create(&scratch) || scratch_image(&scratch, "a.bin", 5000);
}

static int teardown(void **state)
{
	char command[sizeof(scratch.folder) + 16];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", scratch.folder);
	return system(command);
}

static void folders_are_tried_in_turn(void **state)
{
	char folders[sizeof(scratch.folder) + 32];
	const struct rom_source source = { "a.bin", folders, "firmware-package" };
	struct cause cause;
	struct rom rom;

	(void)state;
	snprintf(folders, sizeof(folders), "/nonexistent:%s", scratch.folder);
	assert_int_equal(rom_find(&rom, &source, &cause), 0);
	assert_int_equal(rom.size, 5000);
	assert_int_equal(rom.data[1], 1);
	rom_free(&rom);
	assert_null(rom.data);
	rom_free(&rom);
}

static void a_missing_one_names_its_package(void **state)
{
	static const struct rom_source source = { "a.bin", "/nonexistent:/dev", "firmware-package" };
	struct cause cause;
	struct rom rom;

	(void)state;
	assert_true(rom_find(&rom, &source, &cause) < 0);
	assert_string_equal(cause.text,
			    "a.bin is not installed; install the package firmware-package");
	assert_null(rom.data);
}

static void what_is_no_image_is_refused(void **state)
{
	static const char *const paths[] = { "/dev/zero", "/proc/self/maps", "/", "/nonexistent" };
	struct cause cause;
	struct rom rom;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_true(rom_read(&rom, paths[i], &cause) < 0);
		assert_null(rom.data);
		assert_memory_equal(cause.text, paths[i], strlen(paths[i]));
	}
	assert_int_equal(truncate(scratch.path, ROM_MAX + 1), 0);
	assert_true(rom_read(&rom, scratch.path, &cause) < 0);
	assert_non_null(strstr(cause.text, "firmware has 1 to "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(folders_are_tried_in_turn, setup, teardown),
		cmocka_unit_test(a_missing_one_names_its_package),
		cmocka_unit_test_setup_teardown(what_is_no_image_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

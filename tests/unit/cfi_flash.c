/* The flash chip's commands, as OVMF gives them, and mistakes. */
#include "core/hw/cfi_flash.h"

#include <errno.h>
#include <string.h>

#include "fake_bus.h"

#define BASE 0xffc00000u
#define BLOCKS 3u
#define SIZE (BLOCKS * CFI_FLASH_BLOCK)

struct fixture {
	struct fake_bus mmio;
	struct cfi_flash flash;
	uint8_t cells[SIZE];
	uint8_t kept[SIZE]; /* the file behind it */
	int error;	    /* a negative errno: it keeps nothing */
	unsigned keeps, settled;
};

static int keep(void *arg, size_t offset, const void *cells, size_t size)
{
	struct fixture *f = arg;

	assert_true(size && offset + size <= SIZE);
	f->keeps++;
	if (!f->error)
		memcpy(f->kept + offset, cells, size);
	return f->error;
}

static void settle(void *arg)
{
	((struct fixture *)arg)->settled++;
}

static void create(struct fixture *f)
{
	const struct cfi_flash_wires wires = { keep, settle, f };

	memset(&f->flash, 0, sizeof(f->flash));
	f->mmio = (struct fake_bus){ .base = BASE };
	assert_int_equal(cfi_flash_init(&f->flash, &f->mmio.bus, BASE, f->cells, SIZE, &wires, NULL),
			 0);
}

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){ 0 };
	memset(fixture.cells, 0xff, CFI_FLASH_BLOCK);
	memset(fixture.kept, 0xff, CFI_FLASH_BLOCK);
	create(&fixture);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	cfi_flash_destroy(&f->flash);
	return 0;
}

/* As the guest sees it: without an exit. */
static uint8_t seen(struct fixture *f, unsigned at)
{
	assert_int_equal(in(&f->mmio, at), f->flash.view[at]);
	return f->flash.view[at];
}

static void program(struct fixture *f, unsigned at, uint8_t value)
{
	out(&f->mmio, at, 0x10);
	out(&f->mmio, at, value);
}

/* QemuFlashDetected(): it is neither RAM nor ROM. */
static void it_is_told_from_ram_and_rom(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(seen(f, 5), 0xff);
	out(&f->mmio, 5, 0x50);
	assert_int_equal(seen(f, 5), 0xff);
	out(&f->mmio, 5, 0x70);
	assert_int_equal(seen(f, 5), 0);
	out(&f->mmio, 5, 0xff);
	assert_int_equal(seen(f, 5), 0xff);
	assert_int_equal(f->keeps, 0);
}

static void programming_clears_bits(void **state)
{
	struct fixture *f = *state;

	program(f, 7, 0x5a);
	assert_int_equal(seen(f, 0), 0x80);
	assert_int_equal(seen(f, 7), 0x80);
	assert_int_equal(f->kept[7], 0x5a);
	program(f, 7, 0xf3);
	out(&f->mmio, 8, 0x40);
	fake_write(&f->mmio, 8, 0x04030201, 4);
	out(&f->mmio, 7, 0xff);
	assert_int_equal(seen(f, 7), 0x52);
	assert_int_equal(fake_read(&f->mmio, 8, 4), 0x04030201);
	assert_int_equal(seen(f, 12), 0xff);
	assert_memory_equal(f->kept, f->cells, SIZE);
}

/* The blocks beside it stay. */
static void a_block_is_erased(void **state)
{
	struct fixture *f = *state;

	program(f, CFI_FLASH_BLOCK - 1, 0);
	out(&f->mmio, CFI_FLASH_BLOCK + 100, 0x20);
	assert_int_equal(seen(f, 0), 0x80);
	out(&f->mmio, CFI_FLASH_BLOCK + 100, 0xd0);
	assert_int_equal(seen(f, 0), 0x80);
	out(&f->mmio, 0, 0xff);
	assert_int_equal(seen(f, CFI_FLASH_BLOCK - 1), 0);
	assert_int_equal(seen(f, CFI_FLASH_BLOCK), 0xff);
	assert_int_equal(seen(f, 2 * CFI_FLASH_BLOCK - 1), 0xff);
	assert_int_equal(seen(f, 2 * CFI_FLASH_BLOCK), 0);
	assert_memory_equal(f->kept, f->cells, SIZE);
}

/* Once for each burst of the driver's, and at the end. */
static void what_was_written_is_settled(void **state)
{
	struct fixture *f = *state;

	out(&f->mmio, 0, 0xff);
	assert_int_equal(f->settled, 0);
	program(f, 0, 1);
	program(f, 1, 1);
	assert_int_equal(f->settled, 0);
	out(&f->mmio, 1, 0xff);
	assert_int_equal(f->settled, 1);
	out(&f->mmio, 1, 0xff);
	assert_int_equal(f->settled, 1);
	program(f, 2, 1);
	cfi_flash_destroy(&f->flash);
	assert_int_equal(f->settled, 2);
}

static void what_cannot_be_kept_is_not_there(void **state)
{
	struct fixture *f = *state;

	f->error = -ENOSPC;
	program(f, 3, 0);
	assert_int_equal(seen(f, 3), 0x90);
	out(&f->mmio, 3, 0x50);
	out(&f->mmio, CFI_FLASH_BLOCK, 0x20);
	out(&f->mmio, CFI_FLASH_BLOCK, 0xd0);
	assert_int_equal(seen(f, 3), 0xa0);
	out(&f->mmio, 3, 0xff);
	assert_int_equal(seen(f, 3), 0xff);
	assert_int_equal(seen(f, CFI_FLASH_BLOCK), 0);
	f->error = 0;
	program(f, 3, 0);
	out(&f->mmio, 3, 0xff);
	assert_int_equal(seen(f, 3), 0);
}

static void what_is_no_command_changes_nothing(void **state)
{
	struct fixture *f = *state;

	out(&f->mmio, 0, 0xd0);
	out(&f->mmio, 0, 0xe8);
	assert_int_equal(seen(f, 0), 0xff);
	out(&f->mmio, 0, 0x20);
	out(&f->mmio, 0, 0x10);
	assert_int_equal(seen(f, 0), 0xb0);
	out(&f->mmio, 0, 0xff);
	assert_int_equal(f->keeps, 0);
	assert_int_equal(seen(f, 0), 0xff);
}

static void it_says_what_it_is(void **state)
{
	struct fixture *f = *state;

	out(&f->mmio, 0x55, 0x98);
	for (unsigned block = 0; block < SIZE; block += CFI_FLASH_BLOCK) {
		assert_memory_equal(f->flash.view + block + 0x10, "QRY\1\0", 5);
		assert_int_equal(seen(f, block + 0x27), 14); /* 12 KiB lie in 16 */
		assert_int_equal(seen(f, block + 0x2c), 1);
		assert_memory_equal(f->flash.view + block + 0x2d, "\2\0\x10\0", 4);
	}
	out(&f->mmio, 0, 0x90);
	assert_memory_equal(f->flash.view + CFI_FLASH_BLOCK, "\x89\x16\0", 3);
	out(&f->mmio, 0, 0xff);
	assert_memory_equal(f->flash.view, f->cells, SIZE);
}

/* In the middle of each command. */
static void it_goes_on_elsewhere(void **state)
{
	struct cfi_flash_registers saved;
	struct fixture *f = *state;

	out(&f->mmio, 9, 0x10);
	cfi_flash_save(&f->flash, &saved);
	cfi_flash_destroy(&f->flash);
	create(f);
	assert_int_equal(seen(f, 9), 0xff);
	assert_null(cfi_flash_load(&f->flash, &saved));
	assert_int_equal(seen(f, 9), 0x80);
	out(&f->mmio, 9, 0x21);
	assert_int_equal(f->kept[9], 0x21);
	out(&f->mmio, 9, 0x20);
	cfi_flash_save(&f->flash, &saved);
	cfi_flash_destroy(&f->flash);
	create(f);
	assert_null(cfi_flash_load(&f->flash, &saved));
	out(&f->mmio, 9, 0xd0);
	out(&f->mmio, 9, 0xff);
	assert_int_equal(seen(f, 9), 0xff);
}

static void what_cannot_be_is_not_loaded(void **state)
{
	static const struct {
		struct cfi_flash_registers registers;
		const char *wrong;
	} cases[] = {
		{ { 4, 0, 0x80 }, "mode" },    { { 1, 3, 0x80 }, "command" },
		{ { 0, 1, 0x80 }, "command" }, { { 3, 2, 0x80 }, "command" },
		{ { 0, 0, 0x81 }, "status" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_string_equal(cfi_flash_load(&f->flash, &cases[i].registers), cases[i].wrong);
		assert_int_equal(seen(f, 0), 0xff);
	}
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_told_from_ram_and_rom),
		TEST(programming_clears_bits),
		TEST(a_block_is_erased),
		TEST(what_was_written_is_settled),
		TEST(what_cannot_be_kept_is_not_there),
		TEST(what_is_no_command_changes_nothing),
		TEST(it_says_what_it_is),
		TEST(it_goes_on_elsewhere),
		TEST(what_cannot_be_is_not_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The VGA: registers as BIOSes and drivers write them, and the text that is seen. */
#include "core/hw/vga.h"

#include <string.h>

#include "fake_bus.h"

#include "base/checked.h"
#include "core/kvm/memory.h"

#define PORT 0x3b0
#define RAM (1u << 20)
#define TEXT 0xb8000u

/* Registers of the BIOS's mode 3, 80x25 in colour; sequencer, CRT controller, and so on from 0. */
static const uint8_t mode3_crtc[] = {
	0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00,
	0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff,
};
static const uint8_t mode3_sequencer[] = { 0x03, 0x00, 0x03, 0x00, 0x02 };
static const uint8_t mode3_graphics[] = { 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x0f, 0xff };
static const uint8_t mode3_attributes[] = {
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a,
	0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00,
};

struct fixture {
	struct fake_bus io;
	struct vga vga;
	struct guest_memory memory;
	struct screen screen;
};

static uint8_t port_in(struct fixture *f, unsigned port)
{
	return in(&f->io, port - PORT);
}

static void port_out(struct fixture *f, unsigned port, uint8_t value)
{
	out(&f->io, port - PORT, value);
}

/* An index and its data by one instruction, as most write them. */
static void indexed(struct fixture *f, unsigned port, unsigned index, unsigned value)
{
	fake_write(&f->io, port - PORT, index | value << 8, 2);
}

static void attribute(struct fixture *f, uint8_t index, uint8_t value)
{
	port_in(f, 0x3da);
	port_out(f, 0x3c0, index);
	port_out(f, 0x3c0, value);
}

static void set_mode3(struct fixture *f)
{
	port_out(f, 0x3c2, 0x67);
	for (unsigned i = 0; i < ARRAY_SIZE(mode3_sequencer); i++)
		indexed(f, 0x3c4, i, mode3_sequencer[i]);
	indexed(f, 0x3d4, 0x11, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(mode3_crtc); i++)
		indexed(f, 0x3d4, i, mode3_crtc[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(mode3_graphics); i++)
		indexed(f, 0x3ce, i, mode3_graphics[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(mode3_attributes); i++)
		attribute(f, (uint8_t)i, mode3_attributes[i]);
	port_out(f, 0x3c0, 0x20);
}

static const struct screen *look(struct fixture *f)
{
	vga_screen(&f->vga, &f->memory, &f->screen);
	return &f->screen;
}

static void put(struct fixture *f, unsigned cell, uint8_t code, uint8_t attribute)
{
	const uint8_t bytes[] = { code, attribute };

	assert_int_equal(memory_write(&f->memory, TEXT + cell * 2, bytes, 2), 0);
}

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){ .io.base = PORT };
	assert_int_equal(vga_init(&fixture.vga, &fixture.io.bus, PORT, NULL), 0);
	assert_int_equal(memory_create(&fixture.memory, RAM, NULL), 0);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	memory_destroy(&((struct fixture *)*state)->memory);
	return 0;
}

static void test_text(void **state)
{
	struct fixture *f = *state;
	const struct screen *screen = look(f);

	assert_int_equal(screen->mode, SCREEN_OFF);
	set_mode3(f);
	put(f, 0, 'A', 0x1f);
	put(f, 24 * 80 + 79, 'Z', 0x87);
	indexed(f, 0x3d4, 0x0e, (5 * 80 + 7) >> 8);
	indexed(f, 0x3d4, 0x0f, (5 * 80 + 7) & 0xff);
	screen = look(f);
	assert_int_equal(screen->mode, SCREEN_TEXT);
	assert_int_equal(screen->columns, 80);
	assert_int_equal(screen->rows, 25);
	assert_true(screen->blink);
	assert_int_equal(screen->cells[0][0].code, 'A');
	assert_int_equal(screen->cells[0][0].attribute, 0x1f);
	assert_int_equal(screen->cells[24][79].code, 'Z');
	assert_int_equal(screen->cells[24][79].attribute, 0x87);
	assert_true(screen->cursor);
	assert_false(screen->block);
	assert_int_equal(screen->row, 5);
	assert_int_equal(screen->column, 7);
}

static void test_cursor(void **state)
{
	struct fixture *f = *state;

	set_mode3(f);
	indexed(f, 0x3d4, 0x0a, 0x00);
	assert_true(look(f)->block);
	indexed(f, 0x3d4, 0x0a, 0x20);
	assert_false(look(f)->cursor);
	indexed(f, 0x3d4, 0x0a, 0x0f); /* below its end */
	assert_false(look(f)->cursor);
	indexed(f, 0x3d4, 0x0a, 0x0d);
	assert_true(look(f)->cursor);
	indexed(f, 0x3d4, 0x0e, 0x7f); /* beyond the last row */
	assert_false(look(f)->cursor);
}

/* Linux scrolls by the start address, and the window is a ring to it. */
static void test_start(void **state)
{
	struct fixture *f = *state;
	unsigned start = 0x4000 - 80;

	set_mode3(f);
	put(f, start, 'x', 7);
	put(f, 0, 'y', 7);
	indexed(f, 0x3d4, 0x0c, start >> 8);
	indexed(f, 0x3d4, 0x0d, start & 0xff);
	assert_int_equal(look(f)->cells[0][0].code, 'x');
	assert_int_equal(f->screen.cells[1][0].code, 'y');
	assert_true(f->screen.cursor); /* at cell 0 */
	assert_int_equal(f->screen.row, 1);
}

static void test_sizes(void **state)
{
	struct fixture *f = *state;

	set_mode3(f);
	indexed(f, 0x3d4, 0x09, 0x47); /* 8 lines a character */
	assert_int_equal(look(f)->rows, 50);
	indexed(f, 0x3d4, 0x09, 0xc7); /* and each of them twice */
	assert_int_equal(look(f)->rows, 25);
	indexed(f, 0x3d4, 0x11, 0);
	indexed(f, 0x3d4, 0x01, 39);
	indexed(f, 0x3d4, 0x13, 20);
	put(f, 40, 'r', 7);
	assert_int_equal(look(f)->columns, 40);
	assert_int_equal(f->screen.cells[1][0].code, 'r');
	indexed(f, 0x3d4, 0x01, 131);
	assert_int_equal(look(f)->columns, 132);
	indexed(f, 0x3d4, 0x01, 0xff); /* more than is shown */
	indexed(f, 0x3d4, 0x09, 0);
	indexed(f, 0x3d4, 0x07, 0xff);
	indexed(f, 0x3d4, 0x12, 0xff);
	assert_int_equal(look(f)->columns, SCREEN_COLUMNS_MAX);
	assert_int_equal(f->screen.rows, SCREEN_ROWS_MAX);
	indexed(f, 0x3d4, 0x13, 0); /* all rows are the first one */
	put(f, 0, 's', 7);
	assert_int_equal(look(f)->cells[60][0].code, 's');
	assert_false(f->screen.cursor);
}

static void test_graphics(void **state)
{
	struct fixture *f = *state;

	set_mode3(f);
	indexed(f, 0x3d4, 0x11, 0);
	indexed(f, 0x3d4, 0x07, 0x3e);
	indexed(f, 0x3d4, 0x09, 0x40);
	indexed(f, 0x3d4, 0x12, 0xdf);
	indexed(f, 0x3ce, 0x06, 0x05);
	assert_int_equal(look(f)->mode, SCREEN_GRAPHICS);
	assert_int_equal(f->screen.columns, 640);
	assert_int_equal(f->screen.rows, 480);
	indexed(f, 0x3d4, 0x07, 0x1f); /* mode 13h */
	indexed(f, 0x3d4, 0x12, 0x8f);
	indexed(f, 0x3d4, 0x09, 0x41);
	attribute(f, 0x10, 0x41);
	port_out(f, 0x3c0, 0x20);
	assert_int_equal(look(f)->columns, 320);
	assert_int_equal(f->screen.rows, 200);
	indexed(f, 0x3c4, 0x01, 0x20);
	assert_int_equal(look(f)->mode, SCREEN_OFF);
}

static void test_monochrome(void **state)
{
	struct fixture *f = *state;
	const uint8_t cell[] = { 'm', 0x70 };

	set_mode3(f);
	port_out(f, 0x3c2, 0x66);
	indexed(f, 0x3b4, 0x0c, 0);
	assert_int_equal(port_in(f, 0x3b4), 0x0c);
	assert_int_equal(port_in(f, 0x3d4), 0xff);
	indexed(f, 0x3ce, 0x06, 0x0a);
	assert_int_equal(memory_write(&f->memory, 0xb0000, cell, 2), 0);
	assert_int_equal(look(f)->cells[0][0].code, 'm');
}

/* Characters of a second font are not of the code page: Linux loads it, with 512. */
static void test_two_fonts(void **state)
{
	struct fixture *f = *state;

	set_mode3(f);
	put(f, 0, 'a', 0x07);
	put(f, 1, 'a', 0x0f);
	indexed(f, 0x3c4, 0x03, 0x05); /* the same one for both */
	assert_int_equal(look(f)->cells[0][1].code, 'a');
	assert_int_equal(f->screen.cells[0][1].attribute, 0x0f);
	indexed(f, 0x3c4, 0x03, 0x04);
	assert_int_equal(look(f)->cells[0][0].code, 'a');
	assert_int_not_equal(f->screen.cells[0][1].code, 'a');
	assert_int_equal(f->screen.cells[0][1].attribute, 0x07);
}

static void test_registers(void **state)
{
	struct fixture *f = *state;
	uint8_t before;

	set_mode3(f);
	assert_int_equal(port_in(f, 0x3cc), 0x67);
	/* Registers 0 to 7 are protected, but for the line compare bit. */
	indexed(f, 0x3d4, 0x01, 0x11);
	assert_int_equal(port_in(f, 0x3d5), 0x4f);
	indexed(f, 0x3d4, 0x07, 0x00);
	assert_int_equal(port_in(f, 0x3d5), 0x0f);
	/* The status changes, also for the one who waits for the end of a retrace. */
	before = port_in(f, 0x3da);
	assert_int_equal(before ^ port_in(f, 0x3da), 0x09);
	/* Attributes are read at the next port, and the index stays. */
	port_out(f, 0x3c0, 0x30);
	assert_int_equal(port_in(f, 0x3c1), 0x0c);
	assert_int_equal(port_in(f, 0x3c0), 0x30);
	port_in(f, 0x3da);
	port_out(f, 0x3c0, 0x34);
	assert_int_equal(port_in(f, 0x3c0), 0x34);
	/* Nobody's. */
	assert_int_equal(port_in(f, 0x3bc), 0xff);
}

static void test_dac(void **state)
{
	struct fixture *f = *state;

	port_out(f, 0x3c8, 0xff);
	for (uint8_t i = 1; i <= 6; i++)
		port_out(f, 0x3c9, i == 6 ? 0xff : i); /* on into colour 0 */
	assert_int_equal(port_in(f, 0x3c8), 1);
	assert_int_equal(port_in(f, 0x3c7), 0);
	port_out(f, 0x3c7, 0xff);
	assert_int_equal(port_in(f, 0x3c7), 3);
	for (uint8_t i = 1; i <= 5; i++)
		assert_int_equal(port_in(f, 0x3c9), i);
	assert_int_equal(port_in(f, 0x3c9), 0x3f);
}

/* Between the two writes of an attribute and in the middle of a colour. */
static void test_save(void **state)
{
	struct fixture *f = *state, other = { .io.base = PORT };
	struct vga_registers saved, bad;

	set_mode3(f);
	put(f, 3, 'S', 7);
	port_out(f, 0x3c8, 9);
	port_out(f, 0x3c9, 1);
	port_in(f, 0x3da);
	port_out(f, 0x3c0, 0x30);
	vga_save(&f->vga, &saved);
	assert_int_equal(vga_init(&other.vga, &other.io.bus, PORT, NULL), 0);
	assert_null(vga_load(&other.vga, &saved));
	port_out(&other, 0x3c0, 0x04);
	port_out(&other, 0x3c9, 2);
	port_out(&other, 0x3c9, 3);
	assert_int_equal(port_in(&other, 0x3c8), 10);
	assert_int_equal(other.vga.regs.dac[9][0], 1);
	assert_int_equal(other.vga.regs.dac[9][2], 3);
	other.memory = f->memory;
	assert_int_equal(look(&other)->cells[0][3].code, 'S');
	assert_false(other.screen.blink);

	bad = saved;
	bad.crtc_index = VGA_CRTC;
	assert_string_equal(vga_load(&other.vga, &bad), "index");
	bad = saved;
	bad.dac_component = 3;
	assert_string_equal(vga_load(&other.vga, &bad), "DAC");
	bad = saved;
	bad.dac[255][2] = 0x40;
	assert_string_equal(vga_load(&other.vga, &bad), "DAC");
	bad = saved;
	bad.status = 2;
	assert_string_equal(vga_load(&other.vga, &bad), "status");
	bad = saved;
	bad.enabled = 2;
	assert_string_equal(vga_load(&other.vga, &bad), "enable");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cursor, setup, teardown),
		cmocka_unit_test_setup_teardown(test_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_graphics, setup, teardown),
		cmocka_unit_test_setup_teardown(test_monochrome, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_fonts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_registers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dac, setup, teardown),
		cmocka_unit_test_setup_teardown(test_save, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The chip set's own registers, as SeaBIOS, OVMF and Linux look at them. */
#include "core/hw/q35.h"

#include <stdlib.h>

#include "fake_bus.h"

#include "core/bus/pci.h"
#include "core/bus/platform.h"

#define HOST 0x0000u
#define LPC 0xf800u

struct fixture {
	struct fake_bus io;
	struct bus mmio;
	struct device_host host;
	struct device device;
};

static void create(struct fixture *f, bool firmware)
{
	*f = (struct fixture){ .io.base = PLATFORM_PCI_PORT };
	f->host = (struct device_host){ .io = &f->io.bus, .mmio = &f->mmio };
	if (firmware)
		f->host.fw_cfg = (struct fw_cfg *)f; /* there is one, and that is all */
	f->device = (struct device){ .type = &q35_device, .host = &f->host,
				     .state = calloc(1, q35_device.size) };
	assert_non_null(f->device.state);
	assert_int_equal(q35_device.create(&f->device, NULL), 0);
}

static void destroy(struct fixture *f)
{
	q35_device.destroy(&f->device);
	free(f->device.state);
}

static int setup(void **state)
{
	static struct fixture fixture;

	create(&fixture, true);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	destroy(*state);
	return 0;
}

static uint32_t config(struct fixture *f, unsigned function, unsigned reg)
{
	fake_write(&f->io, 0, 0x80000000u | function | (reg & 0xfcu), 4);
	return fake_read(&f->io, 4 + (reg & 3), 4 - (reg & 3));
}

static void set_config(struct fixture *f, unsigned function, unsigned reg, uint8_t value)
{
	fake_write(&f->io, 0, 0x80000000u | function | (reg & 0xfcu), 4);
	fake_write(&f->io, 4 + (reg & 3), value, 1);
}

static void its_identity_is_known_to_firmware(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(config(f, HOST, 0), 0x29c08086);
	assert_int_equal(config(f, HOST, 0x2c), 0x11001af4);
	assert_int_equal(config(f, LPC, 0), 0x29188086);
	assert_int_equal(config(f, LPC, 0x2c), 0x11001af4);
}

/* Written as SeaBIOS does, they are where the machine has them. */
static void places_are_fixed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(config(f, HOST, 0x60), PLATFORM_ECAM_BASE | 1);
	for (unsigned i = 0; i < 8; i++)
		set_config(f, HOST, 0x60 + i, 0);
	assert_int_equal(config(f, HOST, 0x60), PLATFORM_ECAM_BASE | 1);
	assert_int_equal(config(f, HOST, 0x64), 0);
	set_config(f, LPC, 0x41, 0xb0);
	assert_int_equal(config(f, LPC, 0x40), PLATFORM_PM_PORT | 1);
	set_config(f, LPC, 0x44, 0);
	assert_int_equal(config(f, LPC, 0x44) & 0xff, 0x80);
}

/* UEFI switches it on and off, and uses what is behind it only if it is on then. */
static void the_isa_bridge_is_always_on(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(config(f, LPC, 4) & 0xffff, 7);
	set_config(f, LPC, 4, 0);
	assert_int_equal(config(f, LPC, 4) & 0xffff, 7);
}

static void memory_attributes_begin_with_ram(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(config(f, HOST, 0x90), 0x33333330);
	assert_int_equal(config(f, HOST, 0x94) & 0xffffff, 0x333333);
	set_config(f, HOST, 0x90, 0x10);
	set_config(f, HOST, 0x91, 0xff);
	assert_int_equal(config(f, HOST, 0x90), 0x33333310);
}

static void interrupt_routes_are_kept(void **state)
{
	struct fixture *f = *state;
	void *saved = calloc(1, q35_device.saved);

	assert_int_equal(config(f, LPC, 0x60), 0x80808080);
	assert_int_equal(config(f, LPC, 0x68), 0x80808080);
	set_config(f, LPC, 0x60, 10);
	set_config(f, LPC, 0x6b, 0xff);
	q35_device.save(&f->device, saved);
	destroy(f);
	create(f, true);
	assert_null(q35_device.load(&f->device, saved));
	free(saved);
	assert_int_equal(config(f, LPC, 0x60), 0x8080800a);
	assert_int_equal(config(f, LPC, 0x68), 0x8f808080);

	/* Without firmware they are as that would set them up. */
	destroy(f);
	create(f, false);
	assert_int_equal(config(f, LPC, 0x60), 0x0b0b0a0a);
	assert_int_equal(config(f, LPC, 0x68), 0x0b0b0a0a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(its_identity_is_known_to_firmware, setup, teardown),
		cmocka_unit_test_setup_teardown(places_are_fixed, setup, teardown),
		cmocka_unit_test_setup_teardown(the_isa_bridge_is_always_on, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_attributes_begin_with_ram, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupt_routes_are_kept, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

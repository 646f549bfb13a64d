/* System control port A: the A20 gate and the fast reset. */
#include "core/hw/port92.h"

#include <stdlib.h>

#include "fake_bus.h"

#include "core/bus/platform.h"
#include "core/profile/profile.h"

struct fixture {
	struct fake_bus io;
	struct device_host host;
	struct device device;
	unsigned resets;
};

static struct fixture fixture;

static void reset(void *host)
{
	assert_ptr_equal(host, &fixture.host);
	fixture.resets++;
}

static int setup(void **state)
{
	(void)state;
	fixture = (struct fixture){ .io.base = PLATFORM_PORT92 };
	fixture.host = (struct device_host){ .io = &fixture.io.bus, .reset = reset };
	fixture.device = (struct device){ .type = &port92_device, .host = &fixture.host,
					  .state = calloc(1, port92_device.size) };
	return port92_device.create(&fixture.device, NULL);
}

static int teardown(void **state)
{
	(void)state;
	free(fixture.device.state);
	return 0;
}

static void the_gate_can_be_read_back(void **state)
{
	(void)state;
	assert_int_equal(in(&fixture.io, 0), 2);
	out(&fixture.io, 0, 0xfc);
	assert_int_equal(in(&fixture.io, 0), 0);
	out(&fixture.io, 0, 2);
	assert_int_equal(in(&fixture.io, 0), 2);
	assert_int_equal(fixture.resets, 0);
}

static void a_rising_bit_resets(void **state)
{
	(void)state;
	out(&fixture.io, 0, 3);
	out(&fixture.io, 0, 1);
	assert_int_equal(fixture.resets, 1);
	out(&fixture.io, 0, 0);
	out(&fixture.io, 0, 1);
	assert_int_equal(fixture.resets, 2);
}

static void it_is_saved(void **state)
{
	uint8_t saved = 0, wrong = 4;

	(void)state;
	out(&fixture.io, 0, 1);
	port92_device.save(&fixture.device, &saved);
	assert_int_equal(saved, 1);
	out(&fixture.io, 0, 2);
	assert_null(port92_device.load(&fixture.device, &saved));
	assert_int_equal(in(&fixture.io, 0), 1);
	assert_non_null(port92_device.load(&fixture.device, &wrong));
	assert_int_equal(in(&fixture.io, 0), 1);
}

static void it_is_there_for_firmware(void **state)
{
	(void)state;
	assert_false(port92_device.wanted(&(struct profile){ 0 }, 0));
	assert_true(port92_device.wanted(&(struct profile){ .firmware = FIRMWARE_BIOS }, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_gate_can_be_read_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rising_bit_resets, setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_saved, setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_there_for_firmware, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

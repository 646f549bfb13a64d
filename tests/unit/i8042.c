/* The keyboard controller, probed as Linux and SeaBIOS do. */
#include "core/hw/i8042.h"

#include <string.h>

#include "fake_bus.h"

#define PORT 0x60

struct fixture {
	struct fake_bus io;
	struct i8042 chip;
	unsigned resets;
};

static void reset(void *arg)
{
	((struct fixture *)arg)->resets++;
}

static int setup(void **state)
{
	static struct fixture fixture;
	struct i8042_wires wires = { fake_irq, reset, &fixture };

	fixture = (struct fixture){ .io.base = PORT };
	assert_int_equal(i8042_init(&fixture.chip, &fixture.io.bus, PORT, &wires, false, NULL), 0);
	*state = &fixture;
	return 0;
}

/* The answer must be there at once; its status comes with it. */
static uint8_t ask(struct fixture *f, uint8_t command, uint8_t *status)
{
	out(&f->io, 4, command);
	*status = in(&f->io, 4);
	assert_int_equal(*status & 3, 1);
	return in(&f->io, 0);
}

static uint8_t ask_data(struct fixture *f, uint8_t command, uint8_t data, uint8_t *status)
{
	out(&f->io, 4, command);
	assert_int_equal(in(&f->io, 4) & 3, 0);
	out(&f->io, 0, data);
	*status = in(&f->io, 4);
	assert_int_equal(*status & 3, 1);
	return in(&f->io, 0);
}

static void test_probe(void **state)
{
	struct fixture *f = *state;
	uint8_t status, mode;

	assert_int_equal(in(&f->io, 4) & 3, 0);
	assert_int_equal(ask(f, 0xaa, &status), 0x55);
	assert_int_equal(in(&f->io, 4) & 5, 4);
	assert_int_equal(ask(f, 0xab, &status), 0);
	mode = ask(f, 0x20, &status);
	out(&f->io, 4, 0x60);
	out(&f->io, 0, mode & 0xfe);
	assert_int_equal(ask(f, 0x20, &status), mode & 0xfe);
	/* No auxiliary port: the loop is not marked as its own, the test fails. */
	assert_int_equal(ask_data(f, 0xd3, 0x5a, &status), 0x5a);
	assert_int_equal(status & 0x20, 0);
	assert_int_not_equal(ask(f, 0xa9, &status), 0);
	assert_int_equal(ask_data(f, 0xd2, 0x33, &status), 0x33);
}

static void test_no_keyboard(void **state)
{
	struct fixture *f = *state;

	out(&f->io, 4, 0x60);
	out(&f->io, 0, 0x01);
	assert_false(f->io.line);
	out(&f->io, 0, 0xf2); /* what are you? */
	assert_true(f->io.line);
	assert_int_equal(in(&f->io, 4) & 0x61, 0x41);
	assert_int_equal(in(&f->io, 0), 0xfe);
	assert_false(f->io.line);
	assert_int_equal(in(&f->io, 4) & 0x61, 0);
	out(&f->io, 4, 0xd4);
	out(&f->io, 0, 0xff);
	assert_false(f->io.line);
	assert_int_equal(in(&f->io, 4) & 0x61, 0x61);
	assert_int_equal(in(&f->io, 0), 0xfe);
}

static void test_reset_line(void **state)
{
	struct fixture *f = *state;
	uint8_t status;

	out(&f->io, 4, 0xff);
	assert_int_equal(f->resets, 0);
	out(&f->io, 4, 0xfe);
	assert_int_equal(f->resets, 1);
	out(&f->io, 4, 0xd1);
	out(&f->io, 0, 0x03);
	assert_int_equal(f->resets, 1);
	assert_int_equal(ask(f, 0xd0, &status), 0x03);
	out(&f->io, 4, 0xd1);
	out(&f->io, 0, 0x02);
	assert_int_equal(f->resets, 2);
}

/* A second controller gives the answer that waits, and obeys the byte that the first waits for. */
static void test_save(void **state)
{
	struct fixture *f = *state, other = { .io.base = PORT };
	struct i8042_wires wires = { fake_irq, reset, &other };
	struct i8042_registers saved, bad;
	uint8_t status;

	out(&f->io, 4, 0x60);
	out(&f->io, 0, 0x05);
	out(&f->io, 0, 0xf2);
	out(&f->io, 4, 0xd1);
	i8042_save(&f->chip, &saved);

	assert_int_equal(i8042_init(&other.chip, &other.io.bus, PORT, &wires, false, NULL), 0);
	assert_null(i8042_load(&other.chip, &saved));
	assert_true(other.io.line);
	assert_int_equal(in(&other.io, 4), in(&f->io, 4));
	assert_int_equal(in(&other.io, 0), 0xfe);
	out(&other.io, 0, 0x02);
	assert_int_equal(other.resets, 1);
	assert_int_equal(ask(&other, 0x20, &status), 0x05);

	bad = saved;
	bad.status |= 0x80;
	assert_string_equal(i8042_load(&other.chip, &bad), "status");
	bad = saved;
	bad.output_port = 0;
	assert_string_equal(i8042_load(&other.chip, &bad), "output port");
	bad = saved;
	bad.command = 0xd0;
	assert_string_equal(i8042_load(&other.chip, &bad), "command");
}

static void test_any_byte(void **state)
{
	struct fixture *f = *state;
	unsigned command, data;

	for (command = 0; command < 256; command++)
		for (data = 0; data < 256; data += 5) {
			out(&f->io, 4, (uint8_t)command);
			out(&f->io, 0, (uint8_t)data);
			assert_int_equal(in(&f->io, 4) & 2, 0);
			in(&f->io, 0);
			assert_int_equal(in(&f->io, 4) & 1, 0);
		}
	i8042_reset(&f->chip);
	assert_false(f->io.line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_probe, setup),
		cmocka_unit_test_setup(test_no_keyboard, setup),
		cmocka_unit_test_setup(test_reset_line, setup),
		cmocka_unit_test_setup(test_save, setup),
		cmocka_unit_test_setup(test_any_byte, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

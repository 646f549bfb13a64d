/*
 * libFuzzer: a guest that drives a keyboard controller while somebody types. Each byte of
 * the input is a step and the next one what it needs; now and then the chip is saved, and
 * another one goes on.
 */
#include <string.h>

#include "core/hw/i8042.h"
#include "lib/fuzz.h"

#define SEED(text) { text, sizeof(text) - 1 }

enum { READ, WRITE, COMMAND, STATUS, TYPE, MOVE, STEPS };

const struct fuzz_seed fuzz_seeds[] = {
	/* SeaBIOS sets it up, and 'A' and an arrow are typed */
	SEED("\2\x60\1\x20\1\xff\0\0\0\0\1\xf5\0\0\1\xf0\0\0\1\2\0\0\1\xf4\0\0\2\x60\1\x61\4\1A\4\3\033[A"
	     "\0\0\0\0\5\0\0\0\0\0\3\0"),
	SEED("\1\xed\1\7\5\0\1\xf2\0\0\0\0\0\0\2\xaa\2\xd1\1\3\4\10abcdefgh\2\x20\0\0\2\xfe"),
	{ NULL, 0 },
};

static bool level;

static void irq(void *arg, bool to)
{
	(void)arg;
	REQUIRE(level != to);
	level = to;
}

static void reset(void *arg)
{
	(void)arg;
}

static void create(struct i8042 *chip, struct bus *bus)
{
	const struct i8042_wires wires = { irq, reset, NULL };

	memset(bus, 0, sizeof(*bus));
	level = false;
	if (i8042_init(chip, bus, 0, &wires, true, NULL) < 0)
		abort();
}

/* What can be saved can be loaded. */
static void move(struct i8042 *chip, struct bus *bus)
{
	struct i8042_registers saved;

	i8042_save(chip, &saved);
	create(chip, bus);
	REQUIRE(!i8042_load(chip, &saved));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct i8042 chip;
	struct bus bus;
	uint8_t value;
	size_t n;

	create(&chip, &bus);
	for (; size >= 2; data += 2, size -= 2) {
		value = data[1];
		switch (data[0] % STEPS) {
		case READ:
			bus_read(&bus, 0, &value, 1);
			break;
		case WRITE:
			bus_write(&bus, 0, &value, 1);
			break;
		case COMMAND:
			bus_write(&bus, 4, &value, 1);
			break;
		case STATUS:
			bus_read(&bus, 4, &value, 1);
			break;
		case TYPE:
			n = value < size - 2 ? value : size - 2;
			REQUIRE(i8042_type(&chip, data + 2, n) <= n);
			data += n;
			size -= n;
			break;
		case MOVE:
			move(&chip, &bus);
			break;
		}
	}
	return 0;
}

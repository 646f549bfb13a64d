/* The keyboard behind its controller, as SeaBIOS and Linux drive it, and what people type. */
#include <string.h>

#include "fake_bus.h"

#include "base/checked.h"
#include "core/hw/i8042.h"
#include "core/hw/ps2_typing.h"

#define PORT 0x60
#define READY 0x01
#define SHIFT PS2_KEY_SHIFT

struct fixture {
	struct fake_bus io;
	struct i8042 chip;
};

static void reset(void *arg)
{
	(void)arg;
	fail();
}

static void plug_in(struct fixture *f)
{
	const struct i8042_wires wires = { fake_irq, reset, f };

	*f = (struct fixture){ .io.base = PORT };
	assert_int_equal(i8042_init(&f->chip, &f->io.bus, PORT, &wires, true, NULL), 0);
}

static int setup(void **state)
{
	static struct fixture fixture;

	plug_in(&fixture);
	*state = &fixture;
	return 0;
}

static void set_mode(struct fixture *f, uint8_t mode)
{
	out(&f->io, 4, 0x60);
	out(&f->io, 0, mode);
}

static size_t type(struct fixture *f, const char *text)
{
	return i8042_type(&f->chip, (const uint8_t *)text, strlen(text));
}

/* The bytes that come, and no more. */
static void expect(struct fixture *f, size_t size, const uint8_t *bytes)
{
	for (size_t i = 0; i < size; i++) {
		assert_int_equal(in(&f->io, 4) & READY, READY);
		assert_int_equal(in(&f->io, 0), bytes[i]);
	}
	assert_int_equal(in(&f->io, 4) & READY, 0);
}

#define EXPECT(f, ...)                                                            \
	do {                                                                      \
		static const uint8_t bytes_[] = { __VA_ARGS__ };                  \
		expect(f, sizeof(bytes_), bytes_);                                \
	} while (0)

static void command(struct fixture *f, uint8_t value)
{
	out(&f->io, 0, value);
	EXPECT(f, 0xfa);
}

/* SeaBIOS: reset, no scanning, set 2, scanning; then with translation and interrupts. */
static void set_up(struct fixture *f)
{
	set_mode(f, 0x20);
	while (in(&f->io, 4) & READY)
		in(&f->io, 0);
	out(&f->io, 0, 0xff);
	EXPECT(f, 0xfa, 0xaa);
	command(f, 0xf5);
	command(f, 0xf0);
	command(f, 0x02);
	command(f, 0xf4);
	set_mode(f, 0x61);
}

static void test_seabios(void **state)
{
	struct fixture *f = *state;
	unsigned raised;

	assert_int_equal(type(f, "x"), 1);
	assert_int_equal(in(&f->io, 4) & READY, 0); /* the interface is off after power-on */
	set_up(f);
	raised = f->io.raised;
	assert_int_equal(type(f, "a"), 1);
	assert_true(f->io.line);
	EXPECT(f, 0x1e, 0x9e);
	assert_false(f->io.line);
	assert_int_equal(f->io.raised, raised + 2); /* an edge a byte */
	set_mode(f, 0x71);
	assert_int_equal(type(f, "b"), 1);
	assert_int_equal(in(&f->io, 4) & READY, 0);
	out(&f->io, 4, 0xae);
	EXPECT(f, 0x30, 0xb0);
}

static void test_linux(void **state)
{
	struct fixture *f = *state;

	set_mode(f, 0x25); /* no translation */
	out(&f->io, 0, 0xf2);
	EXPECT(f, 0xfa, 0xab, 0x83);
	command(f, 0xed);
	command(f, 0x00);
	command(f, 0xf3);
	command(f, 0x00);
	out(&f->io, 0, 0xea); /* of others */
	EXPECT(f, 0xfe);
	out(&f->io, 0, 0xee);
	EXPECT(f, 0xee);
	out(&f->io, 0, 0xfe);
	EXPECT(f, 0xee);
	command(f, 0xf0);
	out(&f->io, 0, 0x00);
	EXPECT(f, 0xfa, 0x02);
	command(f, 0xf0);
	out(&f->io, 0, 0x03);
	EXPECT(f, 0xfe);
	type(f, "a");
	EXPECT(f, 0x1c, 0xf0, 0x1c);
	command(f, 0xf0);
	command(f, 0x01);
	type(f, "\033[A");
	EXPECT(f, 0xe0, 0x48, 0xe0, 0xc8);
	command(f, 0xf6);
	type(f, "\033[A");
	EXPECT(f, 0xe0, 0x75, 0xe0, 0xf0, 0x75);
	set_mode(f, 0x65); /* with it */
	out(&f->io, 0, 0xf2);
	EXPECT(f, 0xfa, 0xab, 0x41);
	/* A command in place of data. */
	command(f, 0xed);
	command(f, 0xf4);
	type(f, "a");
	EXPECT(f, 0x1e, 0x9e);
}

/* An answer to a command comes before what was typed. */
static void test_scanning(void **state)
{
	struct fixture *f = *state;

	set_up(f);
	command(f, 0xf5);
	assert_int_equal(type(f, "ab"), 2);
	assert_int_equal(in(&f->io, 4) & READY, 0);
	out(&f->io, 0, 0xf4);
	EXPECT(f, 0xfa, 0x1e, 0x9e, 0x30, 0xb0);
	type(f, "ab");
	assert_int_equal(in(&f->io, 0), 0x1e);
	assert_int_equal(in(&f->io, 0), 0x9e);
	out(&f->io, 0, 0xee); /* the b waits in the controller already */
	EXPECT(f, 0x30, 0xee, 0xb0);
	type(f, "ab");
	in(&f->io, 0);
	out(&f->io, 0, 0xff);
	EXPECT(f, 0x9e, 0xfa, 0xaa);
}

/* Linux reads 16 bytes at most before it takes the controller for missing. */
static void test_bound(void **state)
{
	struct fixture *f = *state;
	unsigned bytes = 0;

	set_up(f);
	assert_int_equal(type(f, "abcdefghijkl"), 8);
	assert_int_equal(type(f, "i"), 0);
	while (in(&f->io, 4) & READY) {
		in(&f->io, 0);
		bytes++;
	}
	assert_int_equal(bytes, 16);
	assert_int_equal(type(f, "\033[1;8A\033[1;8A"), 6);
	EXPECT(f, 0x1d, 0x38, 0x2a, 0xe0, 0x48, 0xe0, 0xc8, 0xaa, 0xb8, 0x9d);
}

/* Linux' Magic SysRq: the key comes while Alt and SysRq are held. */
static void test_sysrq(void **state)
{
	struct fixture *f = *state;

	set_up(f);
	assert_int_equal(type(f, "\033[57361;3uh"), 11);
	EXPECT(f, 0x38, 0x54, 0x23, 0xa3, 0xd4, 0xb8);
	/* Without a key behind it nothing is struck. */
	assert_int_equal(type(f, "\033[57361;3u"), 10);
	assert_int_equal(type(f, "a"), 1);
	EXPECT(f, 0x1e, 0x9e);
}

/* In the middle of a code, and with a data byte due. */
static void test_save(void **state)
{
	struct fixture *f = *state, other;
	struct i8042_registers saved, bad;

	set_up(f);
	type(f, "\033[Ab");
	in(&f->io, 0);
	i8042_save(&f->chip, &saved);
	plug_in(&other);
	assert_null(i8042_load(&other.chip, &saved));
	assert_true(other.io.line);
	EXPECT(&other, 0x48, 0xe0, 0xc8, 0x30, 0xb0);
	out(&f->io, 0, 0xed);
	i8042_save(&f->chip, &saved);
	assert_null(i8042_load(&other.chip, &saved));
	out(&other.io, 0, 0x07);
	EXPECT(&other, 0x48, 0xfa, 0xe0, 0xc8, 0x30, 0xb0);

	bad = saved;
	bad.keyboard.key_count = PS2_BYTES_MAX + 1;
	assert_string_equal(i8042_load(&other.chip, &bad), "keyboard");
	bad = saved;
	bad.keyboard.keys[0] = 0x7f;
	assert_string_equal(i8042_load(&other.chip, &bad), "keyboard");
	bad = saved;
	bad.keyboard.given = 3;
	assert_string_equal(i8042_load(&other.chip, &bad), "keyboard");
	bad = saved;
	bad.keyboard.set = 3;
	assert_string_equal(i8042_load(&other.chip, &bad), "keyboard");
	bad = saved;
	bad.keyboard.reply_count = PS2_REPLIES + 1;
	assert_string_equal(i8042_load(&other.chip, &bad), "keyboard");
}

static void test_typing(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		uint8_t key, modifiers;
	} typed[] = {
		{ "a", 1, 0x1e, 0 }, { "A", 1, 0x1e, PS2_SHIFT }, { "0", 1, 0x0b, 0 },
		{ ")", 1, 0x0b, PS2_SHIFT }, { "|", 1, 0x2b, PS2_SHIFT }, { " ", 1, 0x39, 0 },
		{ "~", 1, 0x29, PS2_SHIFT }, { "\"", 1, 0x28, PS2_SHIFT }, { "/", 1, 0x35, 0 },
		{ "\r", 1, 0x1c, 0 }, { "\n", 1, 0x1c, 0 }, { "\t", 1, 0x0f, 0 },
		{ "\b", 1, 0x0e, 0 }, { "\177", 1, 0x0e, 0 }, { "\003", 1, 0x2e, PS2_CTRL },
		{ "\030", 1, 0x2d, PS2_CTRL }, { "\034", 1, 0x2b, PS2_CTRL },
		{ "\036", 1, 0x07, PS2_CTRL | PS2_SHIFT }, { "", 1, 0x03, PS2_CTRL | PS2_SHIFT },
		{ "\033", 1, 0x01, 0 }, { "\033\033", 1, 0x01, 0 }, { "\033a", 2, 0x1e, PS2_ALT },
		{ "\033A", 2, 0x1e, PS2_ALT | PS2_SHIFT }, { "\033\003", 2, 0x2e, PS2_ALT | PS2_CTRL },
		{ "\033\r", 2, 0x1c, PS2_ALT }, { "\033[", 2, 0x1a, PS2_ALT },
		{ "\033[A", 3, 0xc8, 0 }, { "\033OB", 3, 0xd0, 0 }, { "\033[1;5C", 6, 0xcd, PS2_CTRL },
		{ "\033[1;2P", 6, 0x3b, PS2_SHIFT }, { "\033OS", 3, 0x3e, 0 },
		{ "\033[15~", 5, 0x3f, 0 }, { "\033[24~", 5, 0x58, 0 },
		{ "\033[24;3~", 7, 0x58, PS2_ALT }, { "\033[3;5~", 6, 0xd3, PS2_CTRL },
		{ "\033[Z", 3, 0x0f, PS2_SHIFT }, { "\033[[E", 4, 0x3f, 0 },
		{ "\033[5~", 4, 0xc9, 0 }, { "\033[200~", 6, 0, 0 }, { "\033[I", 3, 0, 0 },
		{ "\033[999999999999;9999999999;1~", 28, 0, 0 }, { "\033[12;", 2, 0x1a, PS2_ALT },
		{ "\303\274x", 2, 0, 0 }, { "\342\202\254", 3, 0, 0 }, { "\200", 1, 0, 0 },
		{ "\033\303\274", 1, 0x01, 0 }, { "\033O", 2, 0x18, PS2_ALT | PS2_SHIFT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(typed); i++) {
		size_t size = strlen(typed[i].text) ? strlen(typed[i].text) : 1;
		struct ps2_stroke stroke;

		assert_int_equal(ps2_stroke((const uint8_t *)typed[i].text, size, &stroke),
				 typed[i].size);
		assert_int_equal(stroke.key, typed[i].key);
		assert_int_equal(stroke.modifiers, typed[i].modifiers);
	}
}

/* Each character of the layout has a key of its own, which differ by Shift at most. */
static void test_layout(void **state)
{
	uint16_t seen[128] = { 0 };

	(void)state;
	for (uint8_t c = ' '; c < 0x7f; c++) {
		struct ps2_stroke stroke;

		assert_int_equal(ps2_stroke(&c, 1, &stroke), 1);
		assert_int_not_equal(stroke.key, 0);
		seen[c] = (uint16_t)(stroke.modifiers << 8 | stroke.key);
		for (uint8_t other = ' '; other < c; other++)
			assert_int_not_equal(seen[other], seen[c]);
	}
}

/* Each key of set 1 comes back from its translation. */
static void test_translation(void **state)
{
	struct fixture *f = *state;

	set_up(f);
	for (uint8_t c = ' '; c < 0x7f; c++) {
		struct ps2_stroke stroke;
		uint8_t text[] = { c };

		ps2_stroke(text, 1, &stroke);
		assert_int_equal(i8042_type(&f->chip, text, 1), 1);
		if (stroke.modifiers)
			assert_int_equal(in(&f->io, 0), SHIFT);
		assert_int_equal(in(&f->io, 0), stroke.key);
		assert_int_equal(in(&f->io, 0), stroke.key | 0x80);
		if (stroke.modifiers)
			assert_int_equal(in(&f->io, 0), SHIFT | 0x80);
		assert_int_equal(in(&f->io, 4) & READY, 0);
	}
	type(f, "\033[18~");
	EXPECT(f, 0x41, 0xc1); /* whose code in set 2 has bit 7 */
}

static void test_unplugged(void **state)
{
	struct fixture *f = *state;

	f->chip.plugged = false;
	assert_int_equal(type(f, "a"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_seabios, setup),
		cmocka_unit_test_setup(test_linux, setup),
		cmocka_unit_test_setup(test_scanning, setup),
		cmocka_unit_test_setup(test_bound, setup),
		cmocka_unit_test_setup(test_sysrq, setup),
		cmocka_unit_test_setup(test_save, setup),
		cmocka_unit_test(test_typing),
		cmocka_unit_test(test_layout),
		cmocka_unit_test_setup(test_translation, setup),
		cmocka_unit_test_setup(test_unplugged, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

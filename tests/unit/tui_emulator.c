/* The terminal of a console: cells, scrollback, answers, hostile output. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tui/console/emulator.h"

static char answered[256];
static size_t answered_size;

static void output(const char *data, size_t size, void *arg)
{
	(void)arg;
	if (size > sizeof(answered) - 1 - answered_size)
		return;
	memcpy(answered + answered_size, data, size);
	answered_size += size;
	answered[answered_size] = '\0';
}

static int setup(void **state)
{
	answered_size = 0;
	answered[0] = '\0';
	*state = emulator_new(10, 40, output, NULL);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	emulator_free(*state);
	return 0;
}

static void print(struct emulator *emulator, const char *text)
{
	emulator_input(emulator, (const uint8_t *)text, strlen(text));
}

static void row_is(struct emulator *emulator, int row, const char *expected)
{
	struct emulator_cell cells[40];
	char text[41];
	size_t n = 40;

	emulator_row(emulator, row, cells, 40);
	for (int i = 0; i < 40; i++)
		text[i] = cells[i].c && cells[i].c < 0x7f ? (char)cells[i].c : ' ';
	while (n > 0 && text[n - 1] == ' ')
		n--;
	text[n] = '\0';
	assert_string_equal(text, expected);
}

static void print_lines(struct emulator *emulator, unsigned from, unsigned to)
{
	char line[32];

	for (unsigned i = from; i < to; i++) {
		snprintf(line, sizeof(line), "line %u\r\n", i);
		print(emulator, line);
	}
}

static void test_scrollback(void **state)
{
	struct emulator *emulator = *state;

	print_lines(emulator, 0, 100);
	/* 9 lines and the cursor's are on the screen. */
	assert_int_equal(emulator_scrollback(emulator), 91);
	row_is(emulator, 0, "line 91");
	row_is(emulator, -1, "line 90");
	row_is(emulator, -91, "line 0");
	row_is(emulator, -92, "");
	print_lines(emulator, 100, 5000);
	assert_int_equal(emulator_scrollback(emulator), EMULATOR_SCROLLBACK);
	row_is(emulator, -1, "line 4990");
	row_is(emulator, -EMULATOR_SCROLLBACK, "line 2991");
}

static void test_resize(void **state)
{
	struct emulator *emulator = *state;
	int row, column;

	print_lines(emulator, 0, 30);
	emulator_resize(emulator, 5, 20);
	emulator_resize(emulator, 20, 40);
	row_is(emulator, -1, "line 10");
	row_is(emulator, 18, "line 29");
	for (int rows = 2; rows < 60; rows += 7)
		for (int columns = 2; columns < 100; columns += 9) {
			emulator_resize(emulator, rows, columns);
			print(emulator, "\344\270\255\346\226\207 wide\r\n");
			emulator_cursor(emulator, &row, &column);
			assert_true(row >= 0 && row < rows && column >= 0 && column < columns);
		}
}

static void test_attributes(void **state)
{
	struct emulator *emulator = *state;
	struct emulator_cell cells[40];

	print(emulator, "\033[1;31mA\033[0;7mB\033[0mC\344\270\255D");
	emulator_row(emulator, 0, cells, 40);
	assert_int_equal(cells[0].attributes, EMULATOR_BOLD);
	assert_true(VTERM_COLOR_IS_INDEXED(&cells[0].fg));
	assert_int_equal(cells[0].fg.indexed.idx, 1);
	assert_int_equal(cells[1].attributes, EMULATOR_REVERSE);
	assert_true(VTERM_COLOR_IS_DEFAULT_FG(&cells[2].fg));
	assert_int_equal(cells[3].width, 2);
	assert_int_equal(cells[4].width, 0);
	assert_int_equal(cells[5].c, 'D');
}

static void test_answers(void **state)
{
	struct emulator *emulator = *state;

	print(emulator, "abc\033[6n");
	assert_string_equal(answered, "\033[1;4R");
	answered_size = 0;
	emulator_key(emulator, VTERM_KEY_UP, 0, VTERM_MOD_NONE);
	assert_string_equal(answered, "\033[A");
	answered_size = 0;
	emulator_key(emulator, VTERM_KEY_NONE, 3, VTERM_MOD_NONE);
	assert_string_equal(answered, "\003");
}

static void test_alternate(void **state)
{
	struct emulator *emulator = *state;

	assert_false(emulator_alternate(emulator));
	print(emulator, "\033[?1049h");
	assert_true(emulator_alternate(emulator));
	print_lines(emulator, 0, 50);
	assert_int_equal(emulator_scrollback(emulator), 0);
	print(emulator, "\033[?1049l");
	assert_false(emulator_alternate(emulator));
}

static void test_reset(void **state)
{
	struct emulator *emulator = *state;

	print_lines(emulator, 0, 50);
	print(emulator, "\033]0;a title without an end");
	emulator_reset(emulator);
	assert_int_equal(emulator_scrollback(emulator), 0);
	print(emulator, "fresh");
	row_is(emulator, 0, "fresh");
}

/* Random sequences, with numbers as large as they get: it survives, and shows what comes next. */
static void test_hostile(void **state)
{
	static const char *const numbers[] = { "", "0", "1", "7", "40", "999", "65536",
					       "2147483647", "4294967296", "99999999999999999999" };
	static const char finals[] = "@ABCDEFGHIJKLMPSTXZ`abcdefghilmnpqrstu{}|~";
	struct emulator *emulator = *state;
	char text[128];

	srand(7);
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "\033[%s%s;%s%cx", rand() % 4 ? "" : "?",
			 numbers[rand() % 10], numbers[rand() % 10],
			 finals[(size_t)rand() % (sizeof(finals) - 1)]);
		print(emulator, text);
		if (i % 500 == 0)
			emulator_resize(emulator, 2 + rand() % 50, 2 + rand() % 150);
		if (i % 50 == 0) {
			uint8_t noise[64];

			for (unsigned j = 0; j < sizeof(noise); j++)
				noise[j] = (uint8_t)rand();
			emulator_input(emulator, noise, sizeof(noise));
		}
	}
	emulator_resize(emulator, 10, 40);
	print(emulator, "\030\033\\\033c\033[Hstill here");
	row_is(emulator, 0, "still here");
}

/* A string without an end must not grow without one. */
static void test_endless_string(void **state)
{
	struct emulator *emulator = *state;
	char chunk[4096];

	memset(chunk, 'A', sizeof(chunk));
	print(emulator, "\033]0;");
	for (unsigned i = 0; i < 4096; i++)
		emulator_input(emulator, (const uint8_t *)chunk, sizeof(chunk));
	print(emulator, "\007\r\nalive");
	row_is(emulator, 1, "alive");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_scrollback, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resize, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attributes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alternate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_endless_string, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

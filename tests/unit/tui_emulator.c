/* The terminal of a console: cells, scrollback, answers, changes, hostile output. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tui/console/emulator.h"
#include "tui/console/find.h"

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

static void exhausted(void *arg)
{
	(void)arg;
	fail_msg("no memory");
}

static const struct emulator_ops ops = { .output = output, .exhausted = exhausted };

static int setup(void **state)
{
	answered_size = 0;
	answered[0] = '\0';
	*state = emulator_new(10, 40, &ops, NULL);
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
	struct grid_cell cells[40];
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

static void find_is(struct emulator *emulator, const char *text, int from, int column, int end)
{
	struct find_text wanted = { 0 };
	struct grid_cell cells[40];
	wchar_t wide[FIND_MAX];
	int found;

	wanted.length = (uint32_t)mbstowcs(wide, text, FIND_MAX);
	for (uint32_t i = 0; i < wanted.length; i++)
		wanted.c[i] = (uint32_t)wide[i];
	emulator_row(emulator, 0, cells, 40);
	assert_int_equal(find_in_row(&wanted, cells, 40, from, &found), column);
	if (column >= 0)
		assert_int_equal(found, end);
}

/* In columns, of which a wide character has two; in whichever case, unless there is a capital. */
static void test_find(void **state)
{
	struct emulator *emulator = *state;

	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	print(emulator, "ab 中文e\314\201 Ab\033[1;40Hz");
	find_is(emulator, "ab", 0, 0, 2);
	find_is(emulator, "ab", 1, 9, 11);
	find_is(emulator, "Ab", 0, 9, 11);
	find_is(emulator, "aB", 0, -1, 0);
	find_is(emulator, "中", 0, 3, 5);
	find_is(emulator, "文e ", 0, 5, 9);
	find_is(emulator, "  z", 0, 37, 40);
	find_is(emulator, "zz", 0, -1, 0);
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

static void marks_are(struct emulator *emulator, int row, int column, uint16_t first,
		      uint16_t second)
{
	struct grid_cell cells[40];

	emulator_row(emulator, row, cells, 40);
	assert_int_equal(cells[column].marks[0], first);
	assert_int_equal(cells[column].marks[1], second);
	assert_int_equal(cells[column].marks[2], 0);
}

/* On the screen, above it, and back on it. */
static void test_marks(void **state)
{
	struct emulator *emulator = *state;

	print(emulator, "e\314\201 a\314\210\314\261 \344\270\255\314\201 \360\235\205\245x\r\n");
	marks_are(emulator, 0, 0, 0x301, 0);
	marks_are(emulator, 0, 1, 0, 0);
	marks_are(emulator, 0, 2, 0x308, 0x331);
	marks_are(emulator, 0, 4, 0x301, 0);
	marks_are(emulator, 0, 5, 0, 0); /* the half of a wide one */
	print_lines(emulator, 0, 9);
	marks_are(emulator, -1, 2, 0x308, 0x331);
	emulator_resize(emulator, 12, 40);
	marks_are(emulator, 0, 2, 0x308, 0x331);
	print(emulator, "\033[Hx");
	marks_are(emulator, 0, 0, 0, 0);
}

static void test_attributes(void **state)
{
	struct emulator *emulator = *state;
	struct grid_cell cells[40];

	print(emulator, "\033[1;31mA\033[0;7mB\033[0mC\344\270\255D");
	emulator_row(emulator, 0, cells, 40);
	assert_int_equal(cells[0].attributes, GRID_BOLD);
	assert_int_equal(cells[0].fg, GRID_INDEXED | 1);
	assert_int_equal(cells[1].attributes, GRID_REVERSE);
	assert_int_equal(cells[2].fg, GRID_DEFAULT);
	assert_int_equal(cells[3].width, 2);
	assert_int_equal(cells[4].width, 0);
	assert_int_equal(cells[5].c, 'D');
	print(emulator, "\r\033[38;5;208;48;2;1;2;3mE");
	emulator_row(emulator, 0, cells, 40);
	assert_int_equal(cells[0].fg, GRID_INDEXED | 208);
	assert_int_equal(cells[0].bg, GRID_RGB | 0x010203);
}

static void test_answers(void **state)
{
	struct emulator *emulator = *state;

	print(emulator, "abc\033[6n");
	assert_string_equal(answered, "\033[1;4R");
}

/* Only rows that changed are said to have. */
static void test_changes(void **state)
{
	struct emulator *emulator = *state;

	assert_true(emulator_changed(emulator, 9));
	emulator_unchanged(emulator);
	print(emulator, "\033[3;5Hx");
	for (int row = 0; row < 10; row++)
		assert_int_equal(emulator_changed(emulator, row), row == 2);
	assert_false(emulator_scrolled(emulator));
	emulator_unchanged(emulator);
	print(emulator, "\033[10;1H\n");
	assert_true(emulator_scrolled(emulator));
	assert_true(emulator_changed(emulator, 1));
	emulator_unchanged(emulator);
	emulator_resize(emulator, 10, 40);
	assert_false(emulator_changed(emulator, 0));
	emulator_resize(emulator, 10, 41);
	assert_true(emulator_changed(emulator, 9));
}

static void test_cursor_keys(void **state)
{
	struct emulator *emulator = *state;

	assert_false(emulator_cursor_keys(emulator));
	print(emulator, "\033[?25;1h");
	assert_true(emulator_cursor_keys(emulator));
	print(emulator, "\033[1l\033[?25l\033[?11l");
	assert_true(emulator_cursor_keys(emulator));
	print(emulator, "\033[?1l");
	assert_false(emulator_cursor_keys(emulator));
	print(emulator, "\033[?1h\033[!p");
	assert_false(emulator_cursor_keys(emulator));
	print(emulator, "\033[?1h\033c");
	assert_false(emulator_cursor_keys(emulator));
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

/* A string without an end must neither grow without one nor hide what comes after it for ever. */
static void test_endless_string(void **state)
{
	struct emulator *emulator = *state;
	char chunk[4096];

	memset(chunk, '"', sizeof(chunk));
	print(emulator, "\033]0;");
	for (unsigned i = 0; i < 4096; i++)
		emulator_input(emulator, (const uint8_t *)chunk, sizeof(chunk));
	print(emulator, "\r\nalive");
	row_is(emulator, 9, "alive");
	row_is(emulator, 0, "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\""
			    "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"");
}

#define WIDE	"\344\270\255"
#define ACUTE	"\314\201"		/* U+0301, combines */
#define VOICED	"\343\202\231"	/* U+3099, combines and is two columns wide to libvterm */
#define C1	"\302\200"		/* U+0080 */
#define SIXTEEN "1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1"

/* What ends or hangs libvterm, in pieces of each size: the terminal goes on. */
static void test_deadly(void **state)
{
	static const char *const deadly[] = {
		"\033[" SIXTEEN ";9999;9999;9999;9999m",
		"\033[" SIXTEEN ":7:7:7:7:7:7:7:7:7:7:7m",
		"\033([" SIXTEEN ";9999;9999;9999;9999m",
		"\r\nA" WIDE "\033[999b",
		"A" VOICED "\033[999b",
		ACUTE "\033[2b",
		"\033[2b",
		"A\033X" WIDE "\033\\\033[999b",
		"\r" C1 "\033[K",
		"\r" C1 C1 C1 C1 C1 C1 C1 C1 "\033H\033[3g",
		"A" VOICED VOICED VOICED VOICED VOICED VOICED VOICED VOICED VOICED VOICED
			VOICED VOICED VOICED VOICED VOICED VOICED VOICED VOICED VOICED VOICED,
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		for (size_t at = 0; at < strlen(deadly[i]); at++) {
			struct emulator *emulator = emulator_new(10, 40, &ops, NULL);

			assert_non_null(emulator);
			emulator_input(emulator, (const uint8_t *)deadly[i], at);
			print(emulator, deadly[i] + at);
			print(emulator, "\033c\033[?7h\033[Halive");
			row_is(emulator, 0, "alive");
			emulator_free(emulator);
		}
}

static void fill(struct emulator *emulator, const char *text)
{
	print(emulator, "\033[H");
	for (unsigned i = 0; i < 60; i++)
		print(emulator, text);
}

/* A cursor, a scroll region and a saved cursor of a large screen, on a small one. */
static void test_shrunk(void **state)
{
	static const char *const large[] = { "\033[45;50r", "\033[45r", "\033[48;150H\0337\033[H",
					     "\033[H", "\033[?69h\033[120;150s\033[45;50r" };
	static const char *const small[] = { "\033[S", "\033[T", "\n", "\033M", "\0338\033#6",
					     "\0338\033H\033[g", "\0338\033[1J\033[1K", "\033#6",
					     "\033[K", "\033H", "\033[1J", "\0338\033[1P\033[2@" };
	struct emulator *emulator = *state;
	int row, column;

	for (unsigned i = 0; i < sizeof(large) / sizeof(large[0]); i++)
		for (unsigned j = 0; j < sizeof(small) / sizeof(small[0]); j++) {
			print(emulator, "\033c\033[?69l");
			emulator_resize(emulator, 50, 150);
			fill(emulator, "text\r\n");
			print(emulator, large[i]);
			emulator_resize(emulator, 4, 20);
			emulator_cursor(emulator, &row, &column);
			assert_true(row >= 0 && row < 4 && column >= 0 && column < 20);
			print(emulator, small[j]);
			emulator_cursor(emulator, &row, &column);
			assert_true(row >= 0 && row < 4 && column >= 0 && column < 20);
		}
	emulator_resize(emulator, 10, 40);
	print(emulator, "\033c\033[?69lalive");
	row_is(emulator, 0, "alive");
}

/* Growing leaves a scroll region alone; shrinking leaves the cursor on its text. */
static void test_resize_keeps(void **state)
{
	struct emulator *emulator = *state;
	int row, column;

	print(emulator, "\033[3;5r\033[5;7H");
	emulator_resize(emulator, 12, 50);
	emulator_cursor(emulator, &row, &column);
	assert_int_equal(row, 4);
	assert_int_equal(column, 6);
	print(emulator, "last\r\n");
	row_is(emulator, 3, "      last");
	print(emulator, "\033c");
	emulator_resize(emulator, 10, 40);
	print_lines(emulator, 0, 12);
	print(emulator, "here");
	emulator_resize(emulator, 5, 40);
	emulator_cursor(emulator, &row, &column);
	assert_int_equal(row, 4);
	assert_int_equal(column, 4);
	row_is(emulator, 4, "here");
}

/* A cursor restored that was never saved: visible, at home, and of a shape. */
static void test_restore(void **state)
{
	struct emulator *emulator = *state;
	int row, column;

	print(emulator, "abc\0338");
	assert_true(emulator_cursor(emulator, &row, &column));
	assert_int_equal(row, 0);
	assert_int_equal(column, 0);
	print(emulator, "\033P$q q\033\\");
	assert_string_equal(answered, "\033P1$r1 q\033\\");
	print(emulator, "\033[3;4H\0337\033[H\0338");
	emulator_cursor(emulator, &row, &column);
	assert_int_equal(row, 2);
	assert_int_equal(column, 3);
}

/* A character in two pieces, the first behind text, is one character. */
static void test_split_character(void **state)
{
	struct emulator *emulator = *state;
	struct grid_cell cells[40];

	print(emulator, "a\344");
	print(emulator, "\270");
	print(emulator, "\255b");
	emulator_row(emulator, 0, cells, 40);
	assert_int_equal(cells[1].c, 0x4e2d);
	assert_int_equal(cells[3].c, 'b');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_scrollback, setup, teardown),
		cmocka_unit_test_setup_teardown(test_find, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resize, setup, teardown),
		cmocka_unit_test_setup_teardown(test_marks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attributes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alternate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cursor_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_endless_string, setup, teardown),
		cmocka_unit_test(test_deadly),
		cmocka_unit_test_setup_teardown(test_shrunk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resize_keeps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restore, setup, teardown),
		cmocka_unit_test_setup_teardown(test_split_character, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

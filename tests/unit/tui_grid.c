/* What the screen shows of cells that another process wrote, what it keeps, what keys send. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <curses.h>

#include "tui/canvas/text.h"
#include "tui/console/grid.h"
#include "tui/console/kept.h"
#include "tui/console/key_sequence.h"

static struct grid_cell copied(const struct grid_cell *cells, int columns, int which)
{
	struct grid *grid = calloc(1, sizeof(*grid));
	struct grid_cell to[8];

	assert_non_null(grid);
	memcpy(grid->cells[3], cells, (size_t)columns * sizeof(*cells));
	grid_copy_row(grid, 3, to, columns);
	free(grid);
	return to[which];
}

static struct grid_cell copy_one(struct grid_cell cell)
{
	return copied(&cell, 1, 0);
}

static void test_characters(void **state)
{
	static const struct {
		uint32_t c, shown;
	} cases[] = {
		{ 0, ' ' }, { 7, ' ' }, { 27, ' ' }, { 'a', 'a' }, { '~', '~' },
		{ 0x7f, TEXT_REPLACEMENT }, { 0x9b, TEXT_REPLACEMENT }, { 0xe9, 0xe9 },
		{ 0x301, TEXT_REPLACEMENT }, { 0x4e2d, TEXT_REPLACEMENT },
		{ 0x202e, TEXT_REPLACEMENT }, { 0xd800, TEXT_REPLACEMENT },
		{ 0x110000, TEXT_REPLACEMENT }, { 0xffffffff, TEXT_REPLACEMENT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(copy_one((struct grid_cell){ .c = cases[i].c, .width = 1 }).c,
				 cases[i].shown);
}

static void test_wide(void **state)
{
	const struct grid_cell right[] = { { .c = 0x4e2d, .width = 2 }, { .width = 0 } };
	const struct grid_cell cut[] = { { .c = 'x', .width = 1 }, { .c = 0x4e2d, .width = 2 } };
	const struct grid_cell alone[] = { { .width = 0 }, { .c = 'x', .width = 1 } };
	const struct grid_cell narrow[] = { { .c = 'x', .width = 2 }, { .width = 0 } };

	(void)state;
	assert_int_equal(copied(right, 2, 0).c, 0x4e2d);
	assert_int_equal(copied(right, 2, 0).width, 2);
	assert_int_equal(copied(cut, 2, 1).width, 1);
	assert_int_equal(copied(cut, 2, 1).c, TEXT_REPLACEMENT);
	assert_int_equal(copied(alone, 2, 0).width, 1);
	assert_int_equal(copied(narrow, 2, 0).c, ' ');
}

static void test_marks(void **state)
{
	struct grid_cell cell = { .c = 'e', .width = 1, .marks = { 0x301, 'x', 0x202e, 0x331 } };

	(void)state;
	cell = copy_one(cell);
	assert_int_equal(cell.c, 'e');
	assert_int_equal(cell.marks[0], 0x301);
	assert_int_equal(cell.marks[1], 0x331);
	assert_int_equal(cell.marks[2], 0);
	cell.marks[0] = 0xd800;
	cell.marks[1] = 0x9b;
	assert_int_equal(copy_one(cell).marks[0], 0);
}

static void test_colours(void **state)
{
	struct grid_cell cell = { .width = 77, .attributes = 0xff, .fg = GRID_INDEXED | 0xffff12,
				  .bg = 0xff000001 };

	(void)state;
	cell = copy_one(cell);
	assert_int_equal(cell.width, 1);
	assert_int_equal(cell.attributes, GRID_ATTRIBUTES);
	assert_int_equal(cell.fg, GRID_INDEXED | 0x12);
	assert_int_equal(cell.bg, GRID_DEFAULT);
}

static void test_kept(void **state)
{
	struct kept kept = { 0 };
	uint8_t piece[1000], back[8];
	struct modes modes;
	uint64_t at;

	(void)state;
	assert_int_equal(kept_start(&kept, &modes), 0);
	for (unsigned i = 0; i < 1000; i++) {
		memset(piece, (int)('a' + i % 26), sizeof(piece));
		piece[999] = '\n';
		kept_add(&kept, piece, sizeof(piece));
	}
	assert_int_equal(kept.end, 1000000);
	assert_int_equal(kept.end - kept.begin, KEPT_MAX);
	at = kept_start(&kept, &modes);
	assert_int_equal(at % 1000, 0);
	assert_true(at >= kept.begin && at < kept.begin + 1000);
	assert_int_equal(kept_copy(&kept, at, back, sizeof(back)), sizeof(back));
	assert_int_equal(back[0], 'a' + at / 1000 % 26);
	assert_int_equal(kept_copy(&kept, kept.end - 3, back, sizeof(back)), 3);
	assert_int_equal(back[2], '\n');
	kept_forget(&kept, kept.end + 5);
	assert_int_equal(kept.begin, kept.end);
	assert_int_equal(kept_copy(&kept, kept.end, back, sizeof(back)), 0);
	kept_clear(&kept);
	assert_int_equal(kept.end, 0);
}

/* What was switched on long ago is on where a terminal begins. */
static void test_kept_text(void **state)
{
	static const struct {
		const char *printed, *text;
	} cases[] = {
		{ "", "" },
		{ "one\r\ntwo\n\n", "one\ntwo\n\n" },
		{ "\033[1;31mred\033[0m \033]0;title\007plain\033(B", "red plain" },
		{ "10 %\r20 %\r100 %\r\r\n", "100 %\n" },
		{ "lz\b \bs\b\b\b\b\bx\r\n", "x\n" },
		{ "\ta\303\251\b\b\a\177b", "\tb" },
		{ "\302\233" "31mc1", "c1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kept kept = { 0 };
		size_t size;
		char *text;

		kept_add(&kept, (const uint8_t *)cases[i].printed, strlen(cases[i].printed));
		text = kept_text(&kept, &size);
		assert_non_null(text);
		assert_int_equal(size, strlen(cases[i].text));
		assert_memory_equal(text, cases[i].text, size);
		free(text);
		kept_clear(&kept);
	}
}

static void test_kept_modes(void **state)
{
	static const uint8_t on[] = "\033[?1h\r\nmore \033[?2004h\r\n";
	struct kept kept = { 0 };
	uint8_t piece[1000];
	char text[MODES_SPELL_MAX];
	struct modes modes;

	(void)state;
	memset(piece, 'x', sizeof(piece));
	kept_add(&kept, on, sizeof(on) - 1);
	for (unsigned i = 0; i < 300; i++)
		kept_add(&kept, piece, sizeof(piece));
	kept_start(&kept, &modes);
	assert_int_equal(modes_spell(&modes, text), 13);
	assert_memory_equal(text, "\033[?1h\033[?2004h", 13);
	kept_clear(&kept);
	kept_add(&kept, on, sizeof(on) - 1);
	kept_forget(&kept, 3);
	assert_int_equal(kept_start(&kept, &modes), 7);
	assert_int_equal(modes_spell(&modes, text), 5);
	kept_clear(&kept);
}

static void sends(wint_t key, bool special, bool cursor_keys, const char *text)
{
	char out[KEY_SEQUENCE_MAX];
	size_t n = key_sequence(out, key, special, cursor_keys);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(out, text, n);
}

static void test_keys(void **state)
{
	(void)state;
	sends('a', false, false, "a");
	sends(3, false, true, "\003");
	sends(0xe9, false, false, "\303\251");
	sends(0x4e2d, false, false, "\344\270\255");
	sends(0x1f427, false, false, "\360\237\220\247");
	sends(0x110000, false, false, "");
	sends(KEY_UP, true, false, "\033[A");
	sends(KEY_UP, true, true, "\033OA");
	sends(KEY_HOME, true, false, "\033[H");
	sends(KEY_SLEFT, true, true, "\033[1;2D");
	sends(KEY_DC, true, true, "\033[3~");
	sends(KEY_F(1), true, false, "\033OP");
	sends(KEY_F(12), true, false, "\033[24~");
	sends(KEY_BTAB, true, false, "\033[Z");
	sends(KEY_SHOME, true, true, "\033[1;2H");
	sends(KEY_SNEXT, true, false, "\033[6;2~");
	sends(KEY_F(13), true, false, "\033[1;2P");
	sends(KEY_F(24), true, false, "\033[24;2~");
	sends(KEY_F(30), true, false, "\033[17;5~");
	sends(KEY_F(63), true, false, "\033[1;4R");
	sends(KEY_BACKSPACE, true, false, "\177");
	sends(KEY_MOUSE, true, false, "");
}

/* Each key with modifiers is sent on as it came. */
static void test_modified_keys(void **state)
{
	bool ctrl_up = false, shift_f5 = false;
	char text[KEY_SEQUENCE_MAX];
	int code;

	(void)state;
	for (unsigned n = 0; key_sequence_modified(n, &code, text); n++) {
		if (!code)
			continue;
		assert_true(code > KEY_MAX);
		sends((wint_t)code, true, true, text);
		ctrl_up |= strcmp(text, "\033[1;5A") == 0;
		shift_f5 |= strcmp(text, "\033[15;2~") == 0;
		assert_true(text[0] == '\033' && text[1] == '[' && strchr(text, ';'));
	}
	assert_true(ctrl_up && shift_f5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_colours),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_kept_text),
		cmocka_unit_test(test_kept_modes),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_modified_keys),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

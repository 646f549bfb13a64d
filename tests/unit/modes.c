/* What a guest leaves behind in a terminal, and how to get rid of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/modes.h"

static void test_modes(void **state)
{
	static const char *const cases[] = {
		"text", "",
		"\033[?1h\033=\033[?25l\033[?1049h", "\033[?1049h\033[?1h\033[?66h\033[?25l",
		"\033[?1;25;2004l\033[?2004;1006h\033[?1006l", "\033[?25l\033[?2004h",
		"\033[?1h\033c", "",
		"\033[?1;7l\033[?1;1000h\033[!p", "\033[?7l\033[?1000h",
		"\033[1h\033[>1h\033[?1$p\033[?11h\033[?99999999991h", "",
		"\033[?\033[?1h", "\033[?1h",
	};
	char text[MODES_SPELL_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i += 2)
		for (size_t at = 0; at <= strlen(cases[i]); at++) {
			struct modes modes = { 0 };

			modes_read(&modes, (const uint8_t *)cases[i], at);
			modes_read(&modes, (const uint8_t *)cases[i] + at, strlen(cases[i]) - at);
			assert_int_equal(modes_spell(&modes, text), strlen(cases[i + 1]));
			assert_memory_equal(text, cases[i + 1], strlen(cases[i + 1]));
		}
}

/* Pairs: what came, and what puts it back. */
static void test_undo(void **state)
{
	static const char *const cases[] = {
		"text \xc3\xa9 \xe2\x9b\x9b \033[H\033[2J\033[K", "",
		"\033[?1049h\033[?1000h\033[?25l\033[?2004h\033[?1h\033=\033[1;41mred",
		"\033[?2004l\033[?1000l\033[?25h\033>\033[?1l\033[?1049l\033[m",
		"\033[?1049h\033[?1049l\033[31mred\033[0m\033[5 q\033[0 q", "",
		"\033[2;5r", "\0337\033[r\0338",
		"\033[4h\033[12l\033[20h", "\033[4l\033[12h\033[20l",
		"\033[4h\033[12l\033[20h\033[4l\033[12h\033[20l", "",
		"\033(0lqk\016", "\033(B\017",
		"\033(0lqk\016\033(B\017", "",
		"\033[>1u\033[>4;2m\033[4 q", "\033[0 q\033[>4m\033[<u",
		"\033[>1u\033[<u\033[>4;2m\033[>4m", "",
		"\033]11;#ff0000\007\033]10;rgb:ff/ff/ff\033\\", "\033]110\007\033]111\007",
		"\033]11;#ff0000\007\033]111\007\033]0;title\007", "",
		"\033H\033[3g", "\033[?5W",
		"\033[3g\033[?5W\033[?5W", "",
		"\033[?67;1034;2031h\033[?8l", "\033[?2031l\033[?1034l\033[?67l\033[?8h",
		"\xc2\x9b?1h\x9b?25l", "\033[?25h\033[?1l",
		/* The cursor of the first screen is not moved by what was on the other. */
		"\033[?1049h\033[5;10r\033[?6h", "\033[?6l\033[?1049l\0337\033[r\0338",
		"\033[?1\n000h", "\033[?1000l",
		("\033[?1\030000h\033[?1\xff" "000h"), "",
		"\033]0;\033[?1h\007", "\033[?1l", /* ESC ends a string */
		"\033P\033[?1h", "\033[?1l",
		"\033]0;[?1h\007", "",
		"\033[2;5r\033(0\016\033[31m\033[?1h\033[!p", "",
		"\033[2;5r\033(0\016\033[31m\033[?1000h\033c", "",
	};
	char text[MODES_UNDO_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i += 2)
		for (size_t at = 0; at <= strlen(cases[i]); at++) {
			struct modes modes = { 0 };
			size_t size;

			modes_read(&modes, (const uint8_t *)cases[i], at);
			modes_read(&modes, (const uint8_t *)cases[i] + at, strlen(cases[i]) - at);
			size = modes_undo(&modes, text);
			assert_int_equal(size, strlen(cases[i + 1]));
			assert_memory_equal(text, cases[i + 1], size);
			/* And nothing is left when that has been written. */
			modes_read(&modes, (const uint8_t *)text, size);
			assert_int_equal(modes_undo(&modes, text), 0);
		}
}

/* All at once have room. */
static void test_everything(void **state)
{
	static const char *const others[] = {
		"\033[2;5r", "\033[2h", "\033[4h", "\033[12l", "\033[20h", "\033[5 q", "\033[>4;1m",
		"\033[>1u", "\033[=1u", "\033(0", "\033)0", "\033]4;1;red\007", "\033]10;red\007",
		"\033]11;red\007", "\033]12;red\007", "\033[1m", "\016", "\033H", "\033[3g",
	};
	struct modes modes = { 0 };
	char text[MODES_UNDO_MAX];
	uint8_t all[16];

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		int n = snprintf((char *)all, sizeof(all), "\033[?%u%c", i,
				 i == 7 || i == 8 || i == 25 ? 'l' : 'h');

		modes_read(&modes, all, (size_t)n);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		modes_read(&modes, (const uint8_t *)others[i], strlen(others[i]));
	assert_true(modes_spell(&modes, text) <= MODES_SPELL_MAX);
	modes_read(&modes, (const uint8_t *)text, modes_undo(&modes, text));
	assert_int_equal(modes_undo(&modes, text), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_undo),
		cmocka_unit_test(test_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

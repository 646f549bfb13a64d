/* What becomes of text on its way to a terminal, a pipe or a log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <pty.h>
#include <termios.h>

#include "base/checked.h"
#include "base/plain.h"

#define BAD "\xef\xbf\xbd"

static void what_steers_is_replaced(void **state)
{
	static const struct {
		const char *text, *utf8, *ascii;
	} rows[] = {
		{ "web", "web", "web" },
		{ "", "", "" },
		{ "\303\244\360\237\230\200", "\303\244\360\237\230\200", "??" },
		{ "a\tb", "a b", "a b" },
		{ "\033[2J\a\r\n\177", BAD "[2J" BAD BAD BAD BAD, "?[2J????" },
		{ "\302\233m", BAD "m", "?m" },					   /* C1 */
		{ "\233m", BAD "m", "?m" },					   /* its byte */
		{ "a\342\200\256b\342\201\246c", "a" BAD "b" BAD "c", "a?b?c" },   /* RLO, LRI */
		{ "\342\200\213\357\273\277\302\255", BAD BAD BAD, "???" },	   /* no width */
		{ "\363\240\201\201", BAD, "?" },				   /* a tag */
		{ "\300\257", BAD BAD, "??" },					   /* overlong */
		{ "\355\240\200", BAD BAD BAD, "???" },				   /* a surrogate */
		{ "\364\220\200\200", BAD BAD BAD BAD, "????" },
		{ "a\342\202", "a" BAD BAD, "a??" },				   /* cut off */
		{ "\342\202\033[m", BAD BAD BAD "[m", "???[m" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t size;
		char *copy = plain_copy(rows[i].text, true, 0, 0, &size);

		assert_string_equal(copy, rows[i].utf8);
		assert_int_equal(size, strlen(copy));
		free(copy);
		copy = plain_copy(rows[i].text, false, 0, 0, NULL);
		assert_string_equal(copy, rows[i].ascii);
		free(copy);
	}
}

static void the_newlines_of_the_format_are_kept_alone(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	plain_print(file, "\n\n%s: %d\n", "a\nb", 5);
	plain_print(file, "%s", "no end\n");
	plain_print(file, "\n");
	plain_lines(file, "one\033\ntwo\n\nthree");
	fclose(file);
	assert_string_equal(text, "\n\na" BAD "b: 5\nno end" BAD "\none" BAD "\ntwo\n\nthree\n");
	free(text);
}

/* What a terminal with these variables is given for "a", an umlaut and U+009B. */
static void check_terminal(const char *name, const char *value, const char *expected)
{
	char got[64] = "";
	struct termios modes;
	int near, far;
	ssize_t n;
	FILE *out;

	unsetenv("LC_ALL");
	unsetenv("LC_CTYPE");
	unsetenv("LANG");
	if (name)
		setenv(name, value, 1);
	assert_int_equal(openpty(&near, &far, NULL, NULL, NULL), 0);
	tcgetattr(far, &modes);
	cfmakeraw(&modes);
	tcsetattr(far, TCSANOW, &modes);
	out = fdopen(far, "w");
	plain_print(out, "%s\n", "a\303\244\302\233");
	fflush(out);
	n = read(near, got, sizeof(got) - 1);
	assert_true(n > 0);
	assert_string_equal(got, expected);
	fclose(out);
	close(near);
}

static void a_terminal_gets_what_it_speaks(void **state)
{
	(void)state;
	check_terminal(NULL, NULL, "a??\n");
	check_terminal("LANG", "C", "a??\n");
	check_terminal("LANG", "de_DE.utf8", "a\303\244" BAD "\n");
	check_terminal("LC_ALL", "C.UTF-8", "a\303\244" BAD "\n");
}

/* Each length's first and last, and back. */
static void characters_are_encoded_as_they_are_decoded(void **state)
{
	static const uint32_t characters[] = { 1, 0x7f, 0x80, 0x7ff, 0x800, 0x2500, 0xffff, 0x10000,
					       0x10ffff };
	char bytes[PLAIN_BYTES];
	uint32_t c;

	(void)state;
	for (size_t i = 0; i < sizeof(characters) / sizeof(*characters); i++) {
		size_t size = plain_encode(bytes, characters[i]);

		assert_int_equal(plain_decode(bytes, size, &c), size);
		assert_int_equal(c, characters[i]);
	}
	assert_int_equal(plain_encode(bytes, 0x110000), 0);
	assert_int_equal(plain_encode(bytes, 0x2502), 3);
	assert_memory_equal(bytes, "\xe2\x94\x82", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_steers_is_replaced),
		cmocka_unit_test(the_newlines_of_the_format_are_kept_alone),
		cmocka_unit_test(characters_are_encoded_as_they_are_decoded),
		cmocka_unit_test(a_terminal_gets_what_it_speaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

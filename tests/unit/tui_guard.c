/* The guard in front of libvterm: what passes, what does not, in pieces of any size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tui/console/sequence_guard.h"

#define WIDE	"\344\270\255"
#define ACUTE	"\314\201"     /* U+0301, combines */
#define VOICED	"\343\202\231" /* U+3099, combines and is two columns wide to libvterm */
#define INVALID "\357\277\275"
#define SIXTEEN "1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1"
#define TEN(x)	x x x x x x x x x x

static char passed[1 << 18];
static size_t passed_size;
static unsigned calls;

static void output(const uint8_t *data, size_t size, void *arg)
{
	(void)arg;
	assert_true(size > 0 && size < sizeof(passed) - passed_size);
	memcpy(passed + passed_size, data, size);
	passed_size += size;
	passed[passed_size] = '\0';
	calls++;
}

static void begin(struct sequence_guard *guard)
{
	passed_size = 0;
	passed[0] = '\0';
	calls = 0;
	sequence_guard_init(guard, output, NULL);
}

/* In a block of its own size, so that a sanitizer sees its end. */
static void feed(struct sequence_guard *guard, const char *text, size_t size)
{
	uint8_t *copy = malloc(size + !size);

	assert_non_null(copy);
	memcpy(copy, text, size);
	sequence_guard_input(guard, copy, size);
	free(copy);
}

static void becomes(const char *text, const char *expected)
{
	struct sequence_guard guard;
	size_t size = strlen(text);

	for (size_t at = 0; at <= size; at++) {
		begin(&guard);
		feed(&guard, text, at);
		feed(&guard, text + at, size - at);
		assert_string_equal(passed, expected);
	}
	begin(&guard);
	for (size_t at = 0; at < size; at++)
		feed(&guard, text + at, 1);
	assert_string_equal(passed, expected);
}

static void test_ordinary(void **state)
{
	static const char *const ordinary[] = {
		"text\r\n\tand more\a\b \016\017\030\032 text\177",
		"caf\303\251 " WIDE WIDE " \360\237\220\247 e" ACUTE "\r\n",
		"\033[m\033[0;1;4;31mred\033[38;5;208m\033[48;2;1;22;255mx\033[38:2:1:22:255m",
		"\033[4:3m\033[" SIXTEEN "m\033[1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1m",
		"\033[2;20r\033[?1049h\033[?25l\033[>c\033[5 q\033[?1$p\033[!p\033[1;1'}",
		"\033[32766;32766H\033[6n\033[65535B\033[;H\033[@\033[2P\033[3L\033[4M",
		"A\033[3b\303\251\033[3b\342\224\200\033[3bA\r\n\033[1m\033[3b\033[3b",
		WIDE "\033[?3b\033[3 b",
		"\033]0;a title " WIDE "\007\033]2;another\033\\\033P$qm\033\\\033]\007",
		"\033(0lqk\033(B\033)0\0337\033c\033=\033>\033#8\033M\033D\033E\033H\033N\033Oa\033 F",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(ordinary) / sizeof(ordinary[0]); i++)
		becomes(ordinary[i], ordinary[i]);
}

static void test_in_place(void **state)
{
	const char text[] = "text " WIDE "\033[1;31mred\033[m\033]0;title\007\r\n\033[2J\033[38:5:1mx";
	struct sequence_guard guard;

	(void)state;
	begin(&guard);
	feed(&guard, text, strlen(text));
	assert_string_equal(passed, text);
	assert_int_equal(calls, 1);
}

static void test_csi(void **state)
{
	(void)state;
	becomes("a\033[" SIXTEEN ";1mb", "ab");
	becomes("a\033[" SIXTEEN ":1mb", "ab");
	becomes("a\033[;;;;;;;;;;;;;;;;mb", "ab");
	becomes("a\033[?" SIXTEEN ";hb", "ab");
	becomes("a\033[65536Ab\033[1;65536Hc", "abc");
	becomes("a\033[4294967296Ab\033[18446744073709551617Bc", "abc");
	becomes("a\033[" TEN(TEN("9")) TEN(TEN("0")) "mb", "ab");
	becomes("a\033[" TEN(TEN("0")) TEN("000") "1mb", "ab");
	becomes("a\033[" TEN("0000000000") "1mb", "a\033[" TEN("0000000000") "1mb");
	becomes("a\033[1?mb\033[1 2mc\033[1<;;d!e", "abc!e");
}

static void test_csi_broken_off(void **state)
{
	(void)state;
	becomes("a\033[1\0302mb\033[3\0324mc", "a\0302mb\0324mc");
	becomes("a\033[1\033[2mb\033[3\033Mc", "a\033[2mb\033Mc");
	becomes("a\033[1\303\251b\033" WIDE "c", "a\303\251b" WIDE "c");
	becomes("a\033[1\r\n;2\177mb", "a\r\n\033[1;2mb");
	becomes("\033\n[1m\033[" SIXTEEN ";\r;1mb", "\n\033[1m\rb");
}

static void test_escape(void **state)
{
	(void)state;
	becomes("a\033([b\033 Pc\033#]d\033(Xe", "abcd\033(Xe");
	becomes("a\0338b", "a\033[?1048lb");
	becomes("a\033\033Mb\033\030Mc", "a\033Mb\030Mc");
	becomes("a\033" TEN(TEN("((")) "Bb", "ab");
}

static void test_rep(void **state)
{
	(void)state;
	becomes("\033[3b", "");
	becomes("A" WIDE "\033[3b", "A" WIDE);
	becomes("A" ACUTE "\033[3b", "A" ACUTE);
	becomes(ACUTE "\033[3b", ACUTE);
	becomes(WIDE "\r\033[m\033[3bx", WIDE "\r\033[mx");
	becomes("A\033[65536b\033[65535b", "A\033[65535b");
	becomes("A\033X" WIDE "\033\\\033[3b", "A\033[3b");
	becomes(WIDE "\033]0;A\007\033[3b", WIDE "\033]0;A\007");
}

/* As many lines and characters as there are, and no more. */
static void test_counts(void **state)
{
	struct sequence_guard guard;
	static const char *const counted[] = {
		"\033[999L\033[25M\033[24S\033[65535;7T", "\033[24L\033[24M\033[24S\033[24T",
		"\033[81@\033[80P\033[999X", "\033[80@\033[80P\033[80X",
		"A\033[999b", "A\033[80b",
		WIDE "\033[999b", WIDE,
		"\033[999A\033[999;999H\033[999 @\033[?999X", "\033[999A\033[999;999H\033[999 @\033[?999X",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(counted) / sizeof(counted[0]); i += 2)
		for (size_t at = 0; at <= strlen(counted[i]); at++) {
			begin(&guard);
			sequence_guard_resize(&guard, 24, 80);
			feed(&guard, counted[i], at);
			feed(&guard, counted[i] + at, strlen(counted[i]) - at);
			assert_string_equal(passed, counted[i + 1]);
		}
}

static void test_strings(void **state)
{
	(void)state;
	becomes("a\033]0;" TEN(TEN("xy")) "\007b\033]0;" TEN(TEN("xy")) "\033\\c", "abc");
	becomes("a\033Xone\033\\b\033^two\007c\033_three\033\\d", "abcd");
	becomes("a\033P$qm\007b\033P$qx\033\\c\033P$q\033\\d\033Pq\033\\e", "abcde");
	becomes("\033P$q\"q\033\\\033P$q q\033\\", "\033P$q\"q\033\\\033P$q q\033\\");
	becomes("a\033]0;x\033[1mb", "a\033[1mb");
	becomes("a\033]0;x\030b\033]0;x\033" WIDE "c", "a\030b" WIDE "c");
	becomes("a\033]0;\r\nx\033\n\\b", "a\r\n\n\033]0;x\033\\b");
}

static void test_characters(void **state)
{
	(void)state;
	becomes("a\303b\344\270c\360\237\220d", "a" INVALID "b" INVALID "c" INVALID "d");
	becomes("a\303\nb\303\033[mc\344\303\251", "a" INVALID "\nb" INVALID "\033[mc" INVALID "\303\251");
	becomes("a\200\277\376\377b\300\200", "a\200\277\376\377b\300\200");
	becomes("a\302\200\302\237b\302\240", "ab\302\240");
	becomes("a" VOICED "\343\200\252b", "ab");
	becomes("a" TEN(ACUTE) "b" ACUTE, "a" ACUTE ACUTE ACUTE ACUTE ACUTE "b" ACUTE);
	becomes("a" TEN(ACUTE "\r\033[m"), "a" ACUTE "\r\033[m" ACUTE "\r\033[m" ACUTE "\r\033[m" ACUTE
		"\r\033[m" ACUTE "\r\033[m\r\033[m\r\033[m\r\033[m\r\033[m\r\033[m");
}

/* A sequence without an end is over some time. */
static void test_endless(void **state)
{
	static const char *const endless[] = { "\033]0;", "\033P", "\033_", "\033[1", "\033(" };
	struct sequence_guard guard;

	(void)state;
	for (unsigned i = 0; i < sizeof(endless) / sizeof(endless[0]); i++) {
		begin(&guard);
		feed(&guard, endless[i], strlen(endless[i]));
		for (size_t n = strlen(endless[i]); n < SEQUENCE_LOST; n++)
			feed(&guard, i == 4 ? "(" : "0", 1);
		assert_int_equal(passed_size, 0);
		feed(&guard, "0text", 5);
		assert_string_equal(passed, "text");
	}
}

/* libvterm needs stack for each byte that it gets at once. */
static void test_large(void **state)
{
	static char text[1 << 17];
	struct sequence_guard guard;

	(void)state;
	memset(text, 'A', sizeof(text));
	begin(&guard);
	feed(&guard, text, sizeof(text));
	assert_int_equal(passed_size, sizeof(text));
	assert_true(calls > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ordinary),
		cmocka_unit_test(test_in_place),
		cmocka_unit_test(test_csi),
		cmocka_unit_test(test_csi_broken_off),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_rep),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

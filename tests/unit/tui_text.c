/* Text and numbers for the terminal. */
#include <locale.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/checked.h"
#include "tui/canvas/clipboard.h"
#include "tui/canvas/text.h"

static void test_sizes(void **state)
{
	char out[TEXT_NUMBER];

	(void)state;
	static const struct {
		const char *text;
		int result;
		uint64_t bytes;
	} sizes[] = {
		{ "0", 0, 0 }, { "4096", 0, 4096 }, { "512M", 0, 512ull << 20 },
		{ "2g", 0, 2ull << 30 }, { "16777215T", 0, 16777215ull << 40 },
		{ "18446744073709551615", 0, UINT64_MAX }, { "16777216T", -ERANGE, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, UINT64_MAX }, { "", -EINVAL, 0 },
		{ "M", -EINVAL, 0 }, { "1MB", -EINVAL, 0 }, { "1.5G", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 }, { " 1", -EINVAL, 0 }, { "1P", -EINVAL, 0 },
	};
	uint64_t bytes;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		bytes = 0;
		assert_int_equal(text_take_size(sizes[i].text, &bytes), sizes[i].result);
		if (sizes[i].result != -EINVAL)
			assert_true(bytes == sizes[i].bytes);
	}
	assert_string_equal(text_size(out, 0), "0");
	assert_string_equal(text_size(out, 999), "999");
	assert_string_equal(text_size(out, 512.0 * 1024 * 1024), "512M");
	assert_string_equal(text_size(out, 1.2 * 1024 * 1024 * 1024), "1.2G");
	/* 1000M would be a character wider than the column. */
	assert_string_equal(text_size(out, 1000.0 * 1024 * 1024), "1.0G");
	assert_string_equal(text_size(out, -5), "0");
	assert_string_equal(text_size(out, 0.0 / 0.0), "0");
	assert_true(strlen(text_size(out, 1e300)) <= 5);
}

static void test_rates(void **state)
{
	char out[TEXT_NUMBER];

	(void)state;
	assert_string_equal(text_rate(out, 34600), "35kB/s");
	assert_string_equal(text_rate(out, 0), "0");
	assert_string_equal(text_rate(out, 0.2), "0");
	assert_string_equal(text_rate(out, 999.6), "1.0kB/s");
	assert_string_equal(text_rate(out, 99960), "100kB/s");
	assert_string_equal(text_rate(out, 9949), "9.9kB/s");
	assert_string_equal(text_rate(out, 9960), "10kB/s");
	assert_string_equal(text_rate(out, 512), "512B/s");
	assert_true(strlen(text_rate(out, 1e300)) < TEXT_NUMBER);
	assert_string_equal(text_count(out, 4500), "4.5k");
}

static void test_percent(void **state)
{
	char out[TEXT_NUMBER];

	(void)state;
	assert_string_equal(text_percent(out, 99.9), "99.9");
	assert_string_equal(text_percent(out, 99.96), "100");
	assert_string_equal(text_percent(out, 1600), "1600");
	assert_string_equal(text_percent(out, 0), "0.0");
}

static void test_age(void **state)
{
	char out[TEXT_NUMBER];

	(void)state;
	assert_string_equal(text_age(out, 42), "42s");
	assert_string_equal(text_age(out, 303), "5m03s");
	assert_string_equal(text_age(out, 7980), "2h13m");
	assert_string_equal(text_age(out, 3 * 86400 + 4 * 3600), "3d04h");
	assert_string_equal(text_age(out, -1), "0s");
	assert_true(strlen(text_age(out, 1e30)) < TEXT_NUMBER);
}

/* No byte of an escape sequence, bidirectional mark or broken UTF-8 comes through. */
static void test_hostile(void **state)
{
	static const char *const evil[] = {
		"\033[2J", "\007", "\177", "\302\233m" /* C1 CSI */, "\342\200\256" /* RLO */,
		"\300\257" /* overlong */, "\355\240\200" /* surrogate */, "\364\220\200\200",
		"\377", "\342\202" /* cut off */, "\342\200\213" /* zero width space */, "\n\r\t",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
		const char *s = evil[i];
		size_t n, total = 0;
		int columns;
		wchar_t c;

		assert_true(text_next(s, &c, &columns) > 0);
		assert_int_equal(c, TEXT_REPLACEMENT);
		assert_int_equal(columns, 1);
		while ((n = text_next(s + total, &c, &columns))) {
			assert_true(c >= 0x20 && (c < 0x7f || c > 0x9f));
			total += n;
		}
		assert_int_equal(total, strlen(s));
	}
}

static void test_cut(void **state)
{
	int used;

	(void)state;
	assert_int_equal(text_cut("hello", 3, &used), 3);
	assert_int_equal(used, 3);
	assert_int_equal(text_width("hello"), 5);
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return;
	assert_int_equal(text_width("\344\270\255\346\226\207"), 4);
	/* Half of a wide character does not fit. */
	assert_int_equal(text_cut("\344\270\255\346\226\207", 3, &used), 3);
	assert_int_equal(used, 2);
	setlocale(LC_CTYPE, "C");
}

static void test_wrap(void **state)
{
	const char *text = "one two three";
	size_t next;

	(void)state;
	assert_int_equal(text_wrap(text, 8, &next), 7);
	assert_int_equal(next, 8);
	assert_int_equal(text_wrap(text, 7, &next), 7);
	assert_int_equal(next, 8);
	assert_int_equal(text_wrap(text, 2, &next), 2); /* a word is broken */
	assert_int_equal(next, 2);
	assert_int_equal(text_wrap("a\nb", 80, &next), 1);
	assert_int_equal(next, 2);
	assert_int_equal(text_wrap("", 80, &next), 0);
	/* Always advances, so that a caller's loop ends. */
	for (const char *s = "  x   \n\n yyyyyyyy z"; *s; s += next) {
		text_wrap(s, 3, &next);
		assert_true(next > 0);
	}
}

/* What is shortened is no longer than it must be, and the end of what is said is kept. */
static void test_fit(void **state)
{
	static const struct {
		const char *text, *fit;
		int columns, lines;
	} cases[] = {
		{ "/home/me/web.conf: no", "/home/me/web.conf: no", 21, 1 },
		{ "/home/me/web.conf: no", "~/web.conf: no", 20, 1 },
		{ "cp /a/bcd/x '/a/bcdef/y'", "cp /a/bcd/x '~/y'", 20, 1 },
		{ "cp /a/bcd/x '/a/bcdef/y'", "cp ~/x '~/y'", 16, 1 },
		{ "cp /a/bcd/x /a/bcdef/y", "cp /a/bcd/x /a/bcdef/y", 12, 2 },
		{ "5 MB/s is/was // a/b/", "5 MB/s is/was // a/b/", 8, 1 },
		{ "/a/b/0123456789abcdef is gone", "~/01~bcdef is gone", 10, 2 },
		{ "a 0123456789 b 0123456789", "a 01~89 b 01~89", 5, 4 },
		{ "/ //", "/ ~", 1, 1 },
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		text_fit(out, sizeof(out), cases[i].text, "~", cases[i].columns, cases[i].lines);
		assert_string_equal(out, cases[i].fit);
	}
	setlocale(LC_CTYPE, "C.UTF-8");
	/* What is cut out may be shorter than the sign for it. */
	text_fit(out, sizeof(out), "012345 01234567 /a/b", "\342\200\246", 5, 1);
	assert_string_equal(out, "012345 01\342\200\24667 /a/b");
	text_fit(out, sizeof(out), "\344\270\255\344\270\255\344\270\255\344\270\255", "~", 7, 1);
	assert_string_equal(out, "\344\270\255~\344\270\255");
	setlocale(LC_CTYPE, "C");
}

/* RFC 4648, section 10; the type of terminal says whether anything is sent. */
static void test_clipboard(void **state)
{
	static const char *const encoded[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=",
					       "Zm9vYmFy" };
	const struct terminal none = { .clipboard = false }, there = { .clipboard = true };
	static char large[CLIPBOARD_MAX + 1];
	char out[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(encoded); i++) {
		clipboard_encode("foobar", i, out);
		assert_string_equal(out, encoded[i]);
		assert_int_equal(clipboard_encoded(i), strlen(encoded[i]));
	}
	clipboard_encode("\377\376\375", 3, out);
	assert_string_equal(out, "//79");
	assert_false(clipboard_set(&none, "x", 1));
	assert_false(clipboard_set(&there, large, sizeof(large)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clipboard),
		cmocka_unit_test(test_sizes),   cmocka_unit_test(test_rates),
		cmocka_unit_test(test_percent), cmocka_unit_test(test_age),
		cmocka_unit_test(test_hostile), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_wrap),    cmocka_unit_test(test_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

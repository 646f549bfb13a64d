/* The built-in guest's text and number routines, compiled for the host under other names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define memcpy demo_memcpy
#define memmove demo_memmove
#define memset demo_memset
#define memcmp demo_memcmp
#define strlen demo_strlen
#define strcmp demo_strcmp
#include "demo/lib.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strcmp

static void formats(void **state)
{
	char text[64];

	(void)state;
	assert_int_equal(format(text, sizeof(text), "%5d|%-4s|%02x|%%", -42, "ab", 10), 15);
	assert_string_equal(text, "  -42|ab  |0a|%");
	format(text, sizeof(text), "%lu %lx %c %u", 18446744073709551615ul, 0xdeadbeeful, 'q', 7);
	assert_string_equal(text, "18446744073709551615 deadbeef q 7");
	format(text, sizeof(text), "%ld %03u", -9223372036854775807l - 1, 5);
	assert_string_equal(text, "-9223372036854775808 005");
}

static void cuts_what_does_not_fit(void **state)
{
	char text[8] = "zzzzzzz";

	(void)state;
	assert_int_equal(format(text, 5, "%s", "longer than that"), 4);
	assert_string_equal(text, "long");
	copy_text(text, 4, "abcdef");
	assert_string_equal(text, "abc");
}

static void reads_numbers(void **state)
{
	uint64_t n;

	(void)state;
	assert_true(parse_number("0x1F", false, &n));
	assert_int_equal(n, 31);
	assert_true(parse_number("16M", true, &n));
	assert_int_equal(n, 16 << 20);
	assert_true(parse_number("18446744073709551600", false, &n));
	assert_false(parse_number("18446744073709551616", false, &n));
	assert_false(parse_number("99999999999999999999999", false, &n));
	assert_false(parse_number("17179869184G", true, &n));
	assert_false(parse_number("", false, &n));
	assert_false(parse_number("0x", false, &n));
	assert_false(parse_number("-1", false, &n));
	assert_false(parse_number("1K", false, &n));
	assert_false(parse_number("1KK", true, &n));
}

static void reads_addresses(void **state)
{
	uint32_t ip;

	(void)state;
	assert_true(parse_ip("10.0.2.255", &ip));
	assert_int_equal(ip, 0x0a0002ff);
	assert_string_equal(ip_text(ip), "10.0.2.255");
	assert_false(parse_ip("10.0.2", &ip));
	assert_false(parse_ip("10.0.2.256", &ip));
	assert_false(parse_ip("10.0.2.1 ", &ip));
	assert_false(parse_ip("10.0.2.00001", &ip));
	assert_false(parse_ip("web", &ip));
}

static void moves_memory(void **state)
{
	char text[40] = "0123456789abcdefghijklmnopqrstuvwxyz";

	(void)state;
	demo_memmove(text + 3, text, 30);
	assert_memory_equal(text, "0120123456789abcdefghijklmnopqrst", 33);
	demo_memmove(text, text + 3, 30);
	assert_memory_equal(text, "0123456789abcdefghijklmnopqrst", 30);
	demo_memset(text + 1, 'x', 13);
	assert_memory_equal(text, "0xxxxxxxxxxxxxef", 16);
	assert_true(demo_memcmp("abc", "abd", 3) < 0);
	assert_int_equal(demo_memcmp("abc", "abd", 2), 0);
}

static void waves(void **state)
{
	(void)state;
	assert_int_equal(sine(0), 0);
	assert_int_equal(sine(250), 1000);
	assert_int_equal(sine(750), -1000);
	for (unsigned turn = 0; turn < 3000; turn++)
		assert_in_range(sine(turn) + 1000, 0, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats),       cmocka_unit_test(cuts_what_does_not_fit),
		cmocka_unit_test(reads_numbers), cmocka_unit_test(reads_addresses),
		cmocka_unit_test(moves_memory),  cmocka_unit_test(waves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

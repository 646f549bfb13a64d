/* Sentences that find no room whole end in an ellipsis, causes among them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cause.h"
#include "base/sentence.h"

static void what_is_cut_says_so(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "web runs", "web runs" },
		{ "123456789ab", "123456789ab" },
		{ "123456789abc", "12345678" SENTENCE_ELLIPSIS },
		{ "1234567\303\244bcd", "1234567" SENTENCE_ELLIPSIS }, /* within a character */
		{ "123456\303\244bcde", "123456\303\244" SENTENCE_ELLIPSIS },
	};
	char text[12];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sentence_add(text, sizeof(text), 0, "%s", rows[i][0]);
		assert_string_equal(text, rows[i][1]);
	}
	strcpy(text, "12345");
	sentence_add(text, sizeof(text), 5, "%s", "6789");
	assert_string_equal(text, "123456789");
	sentence_add(text, sizeof(text), 9, "%s", "abc");
	assert_string_equal(text, "12345678" SENTENCE_ELLIPSIS);
}

static void assert_cut(const struct cause *cause, const char *begins)
{
	size_t size = strlen(cause->text), end = strlen(SENTENCE_ELLIPSIS);

	assert_true(size > CAUSE_SIZE - 8);
	assert_memory_equal(cause->text, begins, strlen(begins));
	assert_string_equal(cause->text + size - end, SENTENCE_ELLIPSIS);
}

static void so_do_causes(void **state)
{
	struct cause cause;
	char name[2 * CAUSE_SIZE];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(cause_set(&cause, EIO, "disk: %s", name), -EIO);
	assert_cut(&cause, "disk: xxx");
	assert_int_equal(cause_errno(&cause, EIO, "file: %s", name), -EIO);
	assert_cut(&cause, "file: xxx");
	/* The system's words alone find no room. */
	cause_errno(&cause, EIO, "%.*s", CAUSE_SIZE - 6, name);
	assert_cut(&cause, "xxx");
	cause_set(&cause, EIO, "%.*s", CAUSE_SIZE - 6, name);
	assert_int_equal(cause_prefix(&cause, -EIO, "disk%d", 0), -EIO);
	assert_cut(&cause, "disk0: xxx");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_cut_says_so),
		cmocka_unit_test(so_do_causes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* INI files: lines and values as given, every structural mistake, sizes at their bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/ini.h"

struct notes {
	char text[8192];
	size_t count;
};

static void note(void *arg, unsigned line, const char *text)
{
	struct notes *notes = arg;
	size_t used = strlen(notes->text);

	notes->count++;
	snprintf(notes->text + used, sizeof(notes->text) - used, "%u: %s\n", line, text);
}

static struct ini *parse_sized(const char *text, size_t size, struct notes *notes)
{
	struct cause cause = { "" };
	struct ini *ini;

	memset(notes, 0, sizeof(*notes));
	assert_int_equal(ini_parse(&ini, "x.ini", text, size, note, notes, &cause), 0);
	return ini;
}

static struct ini *parse(const char *text, struct notes *notes)
{
	return parse_sized(text, strlen(text), notes);
}

static void assert_entry(const struct ini *ini, size_t index, const char *section,
			 const char *key, const char *value, unsigned line)
{
	const struct ini_entry *entry = ini_entry(ini, index);

	assert_non_null(entry);
	assert_string_equal(entry->section, section);
	assert_string_equal(entry->key, key);
	assert_string_equal(entry->value, value);
	assert_int_equal(entry->line, line);
}

static void values_and_lines(void **state)
{
	struct notes notes;
	struct ini *ini = parse("# comment with a backslash \\\n"
				"[Guest] ; a comment\n"
				"\n"
				"  Memory\t= 1G\n"
				"cmdline=\"a;b #c 'd'\" # comment\n"
				"one = 'it\"s'\n"
				"path = a b\"c\"'e ; comment\n"
				"empty =\n"
				"quoted = \"\"\n"
				"spaces = \"  two  \"\n"
				"equals = a=b=c\n"
				"none = ; all comment\n"
				"[ net0 ]\n"
				"switch = l\xc3\xa4n", &notes);

	(void)state;
	assert_string_equal(notes.text, "");
	assert_string_equal(ini_section(ini, 0)->name, "guest");
	assert_int_equal(ini_section(ini, 0)->line, 2);
	assert_string_equal(ini_section(ini, 1)->name, "net0");
	assert_null(ini_section(ini, 2));
	assert_entry(ini, 0, "guest", "memory", "1G", 4);
	assert_entry(ini, 1, "guest", "cmdline", "a;b #c 'd'", 5);
	assert_entry(ini, 2, "guest", "one", "it\"s", 6);
	assert_entry(ini, 3, "guest", "path", "a b\"c\"'e", 7);
	assert_entry(ini, 4, "guest", "empty", "", 8);
	assert_entry(ini, 5, "guest", "quoted", "", 9);
	assert_entry(ini, 6, "guest", "spaces", "  two  ", 10);
	assert_entry(ini, 7, "guest", "equals", "a=b=c", 11);
	assert_entry(ini, 8, "guest", "none", "", 12);
	assert_entry(ini, 9, "net0", "switch", "l\xc3\xa4n", 14);
	assert_null(ini_entry(ini, 10));
	assert_ptr_equal(ini_find(ini, "net0", "switch"), ini_entry(ini, 9));
	assert_null(ini_find(ini, "net0", "memory"));
	ini_free(ini);
}

static void byte_order_mark_and_crlf(void **state)
{
	struct notes notes;
	struct ini *ini = parse("\xef\xbb\xbf[a]\r\nk = \"v\"\r\n\r\n[b]\r\nk=w\r\n", &notes);

	(void)state;
	assert_string_equal(notes.text, "");
	assert_entry(ini, 0, "a", "k", "v", 2);
	assert_entry(ini, 1, "b", "k", "w", 5);
	ini_free(ini);
}

static void empty_files(void **state)
{
	static const char *const texts[] = { "", "\n", "\n\n# x", "\xef\xbb\xbf", ";" };
	struct notes notes;
	struct ini *ini;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ini = parse(texts[i], &notes);
		assert_string_equal(notes.text, "");
		assert_null(ini_section(ini, 0));
		assert_null(ini_entry(ini, 0));
		ini_free(ini);
	}
}

static void mistakes_name_their_line(void **state)
{
	static const struct {
		const char *text, *mistake;
	} cases[] = {
		{ "k = v\n", "1: k: stands in no section" },
		{ "[a]\nnonsense\n", "2: 'nonsense' is neither" },
		{ "[a\nk=v\n", "1: the section's name has no ']'" },
		{ "[]\n", "1: [] is no name of a section" },
		{ "[a b]\n", "1: [a b] is no name of a section" },
		{ "[a:b]\n", "1: [a:b] is no name of a section" },
		{ "[a] k=v\n", "1: there is text behind the ']'" },
		{ "[a]\nx=1\n[b]\n[A]\n", "4: [a] stands twice, first in line 1" },
		{ "[a]\nx=1\ny=2\nX = 3\n", "4: x: is given twice, first in line 2" },
		{ "[a]\nx=1\n[b]\n[a]\nx=2",
		  "4: [a] stands twice, first in line 1; put its keys together\n"
		  "5: x: is given twice, first in line 2" },
		{ "[a]\n=v\n", "2: '' is no name of a key" },
		{ "[a]\nb:c = v\n", "2: 'b:c ' is no name of a key" },
		{ "[a]\nk=\"v\n", "2: k: the quote is not closed" },
		{ "[a]\nk='v\"\n", "2: k: the quote is not closed" },
		{ "[a]\nk=\"\n", "2: k: the quote is not closed" },
		{ "[a]\nk=\"v\" w\n", "2: k: there is text behind the closing quote" },
		{ "[a]\nk='' z\n", "2: k: there is text behind the closing quote" },
		{ "[a]\nk=v;rw end\n", "2: k: the ';' with no blank before it would end the value; "
		  "put '...' around the whole value, or a blank before a comment\n" },
		{ "[a]\nk='v' 'w'#x\n", "2: k: there is text behind the closing quote" },
		{ "[a]\nk=it's a#b\n", "2: k: the '#' with no blank before it would end the value; "
		  "put \"...\" around the whole value, or" },
		{ "[a]\nk=f=\"a +p; b +p\" quiet\n", "2: k: the ';' inside the quotes would end "
		  "the value; put '...' around the whole value\n" },
		{ "[a]\nk=f=\"a # b\"\n", "2: k: the '#' inside the quotes would end the value" },
		{ "[a]\nk=f=\"it's; b\"\n", "2: k: the ';' inside the quotes would end the value; "
		  "a value cannot have it beside both kinds of quotes\n" },
		{ "[a]\nk=v w=\"x\n", "2: k: the '\"' inside the value is not closed; close it, "
		  "or put '...' around the whole value\n" },
		{ "[a]\nk=v\\\nl=w\n", "2: a line cannot be continued" },
		{ "[a]\nk=v\x1b[0m\n", "2: byte 0x1b is a control character" },
		{ "[a]\nk=\xc2\x9bv\n", "2: byte 0xc2 is a control character" },
		{ "[a]\nk=v\xff\n", "2: byte 0xff is a control character or no UTF-8" },
		{ "[a]\nk=\xe2\x82\n", "2: byte 0xe2 is" },
		{ "[a]\nk=\xc0\xaf\n", "2: byte 0xc0 is" },
		{ "[a]\nk=\xed\xa0\x80\n", "2: byte 0xed is" },
	};
	struct notes notes;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ini_free(parse(cases[i].text, &notes));
		if (strncmp(notes.text, cases[i].mistake, strlen(cases[i].mistake)))
			fail_msg("%s gave %s", cases[i].text, notes.text);
	}
}

static void what_is_in_order_is_kept(void **state)
{
	struct notes notes;
	struct ini *ini = parse("[a]\nx=1\ngarbage\nx=2\n[b c]\nlost=1\n[d]\ny=\"3\n"
				"z=4\n[a]\nw=5\n", &notes);

	(void)state;
	assert_int_equal(notes.count, 5);
	assert_entry(ini, 0, "a", "x", "1", 2);
	assert_entry(ini, 1, "d", "z", "4", 9);
	assert_entry(ini, 2, "a", "w", "5", 11);
	assert_null(ini_entry(ini, 3));
	ini_free(ini);
}

static void nul_bytes_are_mistakes(void **state)
{
	static const char text[] = "[a]\nk=v\0w\nl=1\n";
	struct notes notes;
	struct ini *ini = parse_sized(text, sizeof(text) - 1, &notes);

	(void)state;
	assert_int_equal(strncmp(notes.text, "2: byte 0x00", 12), 0);
	assert_int_equal(notes.count, 1);
	assert_entry(ini, 0, "a", "l", "1", 3);
	ini_free(ini);
}

static void long_lines(void **state)
{
	char text[2 * INI_LINE_MAX + 64];
	struct notes notes;
	struct ini *ini;
	unsigned extra;

	(void)state;
	for (extra = 0; extra < 2; extra++) {
		snprintf(text, sizeof(text), "[a]\nk=%0*d\n#%0*d\nl=1\n", (int)INI_LINE_MAX - 2 +
			 (int)extra, 7, (int)INI_LINE_MAX + 1, 7);
		ini = parse(text, &notes);
		assert_int_equal(notes.count, extra);
		if (extra)
			assert_string_equal(notes.text,
					    "2: the line has 1001 bytes; at most 1000 are read\n");
		else
			assert_int_equal(strlen(ini_entry(ini, 0)->value), INI_LINE_MAX - 2);
		assert_entry(ini, 1 - extra, "a", "l", "1", 4);
		ini_free(ini);
	}
}

/* Section and key together are longer than iniparser can look up. */
static void keys_that_only_one_side_sees(void **state)
{
	char text[2048];
	struct notes notes;
	struct ini *ini;

	(void)state;
	snprintf(text, sizeof(text), "[%0600d]\n%0600d=v\n[b]\nk=w\n", 1, 2);
	ini = parse(text, &notes);
	assert_int_equal(strncmp(notes.text, "2: 0000", 7), 0);
	assert_non_null(strstr(notes.text, "cannot be read"));
	assert_entry(ini, 0, "b", "k", "w", 4);
	assert_null(ini_entry(ini, 1));
	ini_free(ini);
}

static void too_many_keys(void **state)
{
	char *text = malloc(INI_ENTRIES_MAX * 8 + 64);
	struct notes notes;
	struct ini *ini;
	size_t used = 0;
	unsigned i;

	(void)state;
	used += (size_t)sprintf(text, "[a]\n");
	for (i = 0; i <= INI_ENTRIES_MAX; i++)
		used += (size_t)sprintf(text + used, "%u=1\n", i);
	ini = parse(text, &notes);
	assert_string_equal(notes.text, "258: the file has more than 256 keys or sections; this "
			    "line and the rest are not read\n");
	assert_non_null(ini_entry(ini, INI_ENTRIES_MAX - 1));
	assert_null(ini_entry(ini, INI_ENTRIES_MAX));
	ini_free(ini);
	free(text);
}

static void too_many_sections(void **state)
{
	char text[16 * (INI_ENTRIES_MAX + 1)];
	struct notes notes;
	struct ini *ini;
	size_t used = 0;

	(void)state;
	for (unsigned i = 0; i <= INI_ENTRIES_MAX; i++)
		used += (size_t)sprintf(text + used, "[%u]\n", i);
	ini = parse(text, &notes);
	assert_int_equal(notes.count, 1);
	assert_non_null(strstr(notes.text, "257: the file has more than 256"));
	assert_non_null(ini_section(ini, INI_ENTRIES_MAX - 1));
	assert_null(ini_section(ini, INI_ENTRIES_MAX));
	ini_free(ini);
}

static void count_mistake(void *arg, unsigned line, const char *text)
{
	unsigned *last = arg;

	assert_true(line >= *last);
	assert_true(text[0] != '\0');
	*last = line;
}

static void too_many_mistakes(void **state)
{
	char *text = malloc(INI_FILE_MAX);
	struct cause cause;
	struct ini *ini;
	unsigned last = 0;

	(void)state;
	memset(text, 'x', INI_FILE_MAX);
	for (size_t i = 1; i < INI_FILE_MAX; i += 2)
		text[i] = '\n';
	assert_int_equal(ini_parse(&ini, "x.ini", text, INI_FILE_MAX, count_mistake, &last, &cause),
			 0);
	assert_int_equal(last, INI_MISTAKES_MAX);
	ini_free(ini);
	free(text);
}

static void files_that_cannot_be_read(void **state)
{
	char folder[] = "/tmp/vmdeck-ini-XXXXXX", path[64];
	struct notes notes = { .count = 0 };
	struct cause cause;
	struct ini *ini;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(ini_open(&ini, folder, note, &notes, &cause), -EISDIR);
	assert_non_null(strstr(cause.text, folder));
	snprintf(path, sizeof(path), "%s/x.ini", folder);
	assert_int_equal(ini_open(&ini, path, note, &notes, &cause), -ENOENT);
	assert_null(ini);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(ini_open(&ini, path, note, &notes, &cause), -EINVAL);
	assert_non_null(strstr(cause.text, "no regular file; name one"));
	unlink(path);
	assert_int_equal(ini_open(&ini, "/dev/zero", note, &notes, &cause), -EINVAL);

	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fprintf(file, "[a]\nk=v\n"), 8);
	fclose(file);
	assert_int_equal(ini_open(&ini, path, note, &notes, &cause), 0);
	assert_entry(ini, 0, "a", "k", "v", 2);
	ini_free(ini);
	assert_int_equal(truncate(path, INI_FILE_MAX + 1), 0);
	assert_int_equal(ini_open(&ini, path, note, &notes, &cause), -EFBIG);
	assert_null(ini);
	assert_int_equal(notes.count, 0);
	unlink(path);
	rmdir(folder);
}

static void excerpts_end_at_characters(void **state)
{
	char out[8];

	(void)state;
	assert_string_equal(ini_excerpt("1234567", out, sizeof(out)), "1234567");
	assert_string_equal(ini_excerpt("12345678", out, sizeof(out)), "1234...");
	assert_string_equal(ini_excerpt("123\xc3\xa4""678", out, sizeof(out)), "123...");
	assert_string_equal(ini_excerpt("", out, sizeof(out)), "");
	assert_string_equal(ini_excerpt("12345", out, 4), "...");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_and_lines),
		cmocka_unit_test(byte_order_mark_and_crlf),
		cmocka_unit_test(empty_files),
		cmocka_unit_test(mistakes_name_their_line),
		cmocka_unit_test(what_is_in_order_is_kept),
		cmocka_unit_test(nul_bytes_are_mistakes),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(keys_that_only_one_side_sees),
		cmocka_unit_test(too_many_keys),
		cmocka_unit_test(too_many_sections),
		cmocka_unit_test(too_many_mistakes),
		cmocka_unit_test(files_that_cannot_be_read),
		cmocka_unit_test(excerpts_end_at_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

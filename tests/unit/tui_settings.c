/* The settings of the screen: colours and keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <curses.h>

#include "tui/ui/settings.h"
#include "tui/views/table.h"

static const struct view_ops *view_of(const char *id)
{
	for (size_t i = 0; i < views_count; i++)
		if (strcmp(views_table[i]->id, id) == 0)
			return views_table[i];
	fail_msg("no view %s", id);
	return NULL;
}

static struct settings read_text(const char *text)
{
	char path[] = "/tmp/vmdeck-settings-XXXXXX";
	struct settings settings;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	settings_begin(&settings);
	settings_read(&settings, path);
	unlink(path);
	return settings;
}

/* What a key does in a view: its name, "" for nothing. */
static const char *does(const struct settings *settings, const char *view, int key)
{
	const struct key *row = keys_find(&settings->keys, view_of(view), key);
	static char name[KEYS_NAME];

	if (!row)
		return "";
	keys_name(row, name);
	return name;
}

static void without_a_file_all_is_as_it_was(void **state)
{
	struct settings settings;

	(void)state;
	settings_begin(&settings);
	settings_read(&settings, "/nonexistent/screen.ini");
	assert_int_equal(settings.mistake_count, 0);
	assert_ptr_equal(settings.keys.rows, keys_table.rows);
	assert_int_equal(settings.inks.colours[INK_GOOD], COLOR_GREEN);
	settings_end(&settings);
}

static void keys_take_the_place_of_others(void **state)
{
	struct settings settings = read_text("[keys]\nstop = X F8\nnetwork = N\npause = Ctrl-o\n"
					     "mark = p Enter2\npage-up = b PageUp\n");

	(void)state;
	assert_int_equal(settings.mistake_count, 1); /* Enter2 */
	assert_string_equal(does(&settings, "deck", 'X'), "stop");
	assert_string_equal(does(&settings, "guest", KEY_F(8)), "stop");
	assert_string_equal(does(&settings, "deck", 'S'), "");
	assert_string_equal(does(&settings, "deck", 'N'), "network");
	assert_string_equal(does(&settings, "log", 'N'), "network");
	assert_string_equal(does(&settings, "deck", 'n'), "");
	assert_string_equal(does(&settings, "deck", KEYS_CTRL('o')), "pause");
	assert_string_equal(does(&settings, "deck", 'p'), "");
	assert_string_equal(does(&settings, "deck", ' '), "mark");
	assert_string_equal(does(&settings, "guest", 'b'), "page-up");
	assert_string_equal(does(&settings, "guest", KEY_PPAGE), "page-up");
	/* Sentences and help name the new ones. */
	assert_string_equal(keys_label(&settings.keys, view_of("deck"), COMMAND_OPEN, "network"), "N");
	assert_string_equal(keys_label(&settings.keys, view_of("deck"), COMMAND_ORDER,
				       "guest.stop"), "X");
	settings_end(&settings);
}

/* One that another command has is refused, unless that was given another one before. */
static void a_key_does_one_thing(void **state)
{
	struct settings settings = read_text("[keys]\nstart = p\n");

	(void)state;
	assert_int_equal(settings.mistake_count, 1);
	assert_non_null(strstr(settings.mistakes[0], ":2: start: p is the key of pause"));
	assert_string_equal(does(&settings, "deck", 'p'), "pause");
	assert_string_equal(does(&settings, "deck", 's'), "start");
	settings_end(&settings);
	settings = read_text("[keys]\npause = P\nstart = p\n");
	assert_int_equal(settings.mistake_count, 0);
	assert_string_equal(does(&settings, "deck", 'p'), "start");
	assert_string_equal(does(&settings, "deck", 'P'), "pause");
	settings_end(&settings);
}

static void enter_is_whatever_a_terminal_sends_for_it(void **state)
{
	struct settings settings = read_text("[keys]\nguest = i\nstart = Enter\n");

	(void)state;
	assert_int_equal(settings.mistake_count, 0);
	assert_string_equal(does(&settings, "deck", '\r'), "start");
	assert_string_equal(does(&settings, "deck", '\n'), "start");
	assert_string_equal(does(&settings, "deck", KEY_ENTER), "start");
	settings_end(&settings);
}

static void colours_are_set(void **state)
{
	struct settings settings = read_text("[colours]\nbad = bright-red\ntheme = colour-blind\n"
					     "accent = 45\nsecond = default\n");

	(void)state;
	assert_int_equal(settings.mistake_count, 0);
	assert_int_equal(settings.inks.colours[INK_GOOD], 32);
	assert_int_equal(settings.inks.colours[INK_BAD], 9);
	assert_int_equal(settings.inks.colours[INK_ACCENT], 45);
	assert_int_equal(settings.inks.colours[INK_SECOND], -1);
	settings_end(&settings);
}

static void mistakes_are_sentences(void **state)
{
	static const struct {
		const char *text, *mistake;
	} cases[] = {
		{ "[keys]\nstrt = x\n", ":2: strt: keys do nothing of that name; did you mean start" },
		{ "[keys]\nstart = hello\n", ":2: start: 'hello' is no key; write a character" },
		{ "[keys]\nstart =\n", ":2: start: a key is missing" },
		{ "[colours]\ngood = greenish\n", ":2: good: 'greenish' is no colour" },
		{ "[colours]\ngood = 256\n", ":2: good: '256' is no colour" },
		{ "[colours]\nink = red\n", ":2: ink: nothing is drawn in a colour of that name" },
		{ "[colours]\ntheme = colour-blnd\n", "did you mean colour-blind" },
		{ "[screen]\nx = y\n", ":2: [screen]: there is no such section" },
		{ "[keys\n", ":1: " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct settings settings = read_text(cases[i].text);

		assert_int_equal(settings.mistake_count, 1);
		if (!strstr(settings.mistakes[0], cases[i].mistake))
			fail_msg("%s", settings.mistakes[0]);
		assert_string_equal(does(&settings, "deck", 's'), "start");
		settings_end(&settings);
	}
}

/* Each can be named, and the name is of one thing alone. */
static void names_are_of_one_thing(void **state)
{
	(void)state;
	for (size_t i = 0; i < keys_table.count; i++)
		for (size_t n = 0; n < i; n++) {
			char one[KEYS_NAME], other[KEYS_NAME];

			keys_name(&keys_table.rows[i], one);
			keys_name(&keys_table.rows[n], other);
			assert_true(*one);
			if (strcmp(one, other) == 0)
				assert_true(keys_same(&keys_table.rows[i], &keys_table.rows[n]));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_file_all_is_as_it_was),
		cmocka_unit_test(keys_take_the_place_of_others),
		cmocka_unit_test(a_key_does_one_thing),
		cmocka_unit_test(enter_is_whatever_a_terminal_sends_for_it),
		cmocka_unit_test(colours_are_set),
		cmocka_unit_test(mistakes_are_sentences),
		cmocka_unit_test(names_are_of_one_thing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

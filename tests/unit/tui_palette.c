/*
 * The palette: what is typed asks for what the command line does, or a key; mistakes leave the
 * line; what keys ask for has its line; lines are kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <curses.h>

#include "cli/hooks.h"
#include "cli/line.h"
#include "fake_screen.h"
#include "tui/model/fuzzy.h"
#include "tui/ui/commands.h"
#include "tui/ui/history.h"
#include "tui/ui/mistakes.h"
#include "tui/ui/orders.h"
#include "tui/ui/palette.h"
#include "tui/ui/palette_list.h"

#define GUESTS "{\"guests\":[{\"name\":\"db\",\"state\":\"running\"}," \
	       "{\"name\":\"web\",\"state\":\"running\"}]}"

static const char *setting(size_t number)
{
	return number ? NULL : "loss";
}

static const struct cli_hooks hooks = { .setting = setting };
static const struct command_line commands = { .arg = &hooks, .read = line_read,
					      .complete = line_complete, .spell = line_spell };
static char folder[] = "/tmp/vmdeck-test-XXXXXX";
static char file[64];
static const struct key *ran;

static void run_key(struct tui *tui, const struct key *key)
{
	(void)tui;
	ran = key;
}

static int open_screen(void **state)
{
	struct fake_screen *screen;

	unlink(file);
	fake_screen_config.line = &commands;
	screen = fake_screen_new(&keys_table);
	fake_screen_guests(screen, GUESTS);
	*state = screen;
	return 0;
}

static int close_screen(void **state)
{
	fake_screen_free(*state);
	return 0;
}

static void press(struct fake_screen *screen, int key)
{
	prompt_key(&screen->tui.prompt, (wint_t)key, key >= KEY_MIN);
}

/* Types a line into the palette, opened anew. */
static void type(struct fake_screen *screen, const char *line)
{
	palette_open(&screen->tui, run_key);
	for (; *line; line++)
		press(screen, *line);
}

static const char *line_of(const struct fake_screen *screen)
{
	static char text[PROMPT_TEXT];

	if (!screen->tui.prompt.active || screen->tui.prompt.choices)
		return "none";
	prompt_text(&screen->tui.prompt, true, text);
	return text;
}

/* The next request that is not the palette's own question; "" when there is none. */
static const char *asked(struct fake_screen *screen)
{
	static char text[512];
	const char *method;
	json_t *params;
	json_int_t id;

	do {
		method = fake_screen_asked(screen, &id, &params);
		if (!method)
			return "";
		snprintf(text, sizeof(text), "%s %s", method,
			 json_string_value(json_object_get(params, "guest")));
		json_decref(params);
	} while (strcmp(method, "switch.list") == 0);
	return text;
}

static void commands_are_asked_of_the_deck(void **state)
{
	struct fake_screen *screen = *state;

	type(screen, "pause web db");
	press(screen, '\r');
	assert_string_equal(line_of(screen), "none");
	assert_string_equal(asked(screen), "guest.pause web");
	assert_string_equal(asked(screen), "guest.pause db");
	/* One that names no guest is for the view's own. */
	type(screen, "pause");
	press(screen, '\r');
	assert_string_equal(asked(screen), "guest.pause db");
	type(screen, "help");
	press(screen, '\r');
	assert_string_equal(screen->tui.top->ops->id, "help");
	type(screen, "list");
	press(screen, '\r');
	assert_string_equal(screen->tui.top->ops->id, "deck");
	type(screen, "pause web");
	press(screen, 27);
	assert_string_equal(asked(screen), "");
}

/* Also before the list of guests is there that the event has asked for. */
static void words_follow_events(void **state)
{
	struct fake_screen *screen = *state;

	model_state(&screen->tui.deck->model, "web", "paused");
	type(screen, "resume w\t");
	assert_string_equal(line_of(screen), "resume web ");
	press(screen, 27);
	type(screen, "pause w\t");
	assert_string_equal(line_of(screen), "pause w");
	press(screen, 27);
}

static const char *said(const struct fake_screen *screen)
{
	const struct message *last = messages_last(&screen->tui.messages);

	return last ? last->text : "";
}

static void a_capture_of_the_past_ends(void **state)
{
	struct fake_screen *screen = *state;
	const char *method = "";
	json_t *params = NULL;
	json_int_t id;

	type(screen, "capture --past 30s");
	press(screen, '\r');
	id = fake_screen_wait(screen, "capture.start");
	assert_null(fake_screen_asked(screen, &id, &params));
	fake_screen_answer(screen, id, "{\"capture\":7,\"path\":\"/p\",\"waiting\":[]}");
	while (method && strcmp(method, "capture.stop") != 0) {
		json_decref(params);
		params = NULL;
		method = fake_screen_asked(screen, &id, &params);
	}
	assert_non_null(method);
	assert_int_equal(json_integer_value(json_object_get(params, "capture")), 7);
	json_decref(params);
	fake_screen_answer(screen, id, "{\"records\":3,\"bytes\":300,\"dropped\":0}");
	assert_string_equal(said(screen), "Done: capture --past 30s: 3 packets");
	/* One that goes on is left to. */
	type(screen, "capture --past 30s --follow");
	press(screen, '\r');
	id = fake_screen_wait(screen, "capture.start");
	fake_screen_answer(screen, id, "{\"capture\":8,\"path\":\"/p\",\"waiting\":[]}");
	while ((method = fake_screen_asked(screen, &id, &params))) {
		assert_string_not_equal(method, "capture.stop");
		json_decref(params);
	}
	assert_string_equal(said(screen), "Done: capture --past 30s --follow");
}

static void what_became_of_a_frame_is_said(void **state)
{
	struct fake_screen *screen = *state;

	type(screen, "port inject lan/nat --data 00");
	press(screen, '\r');
	fake_screen_answer(screen, fake_screen_wait(screen, "port.inject"),
			   "{\"verdict\":\"forged source\",\"to\":null}");
	assert_string_equal(said(screen), "Done: port inject lan/nat --data 00: forged source");
}

static void a_mistake_keeps_the_line(void **state)
{
	struct fake_screen *screen = *state;
	json_t *params;
	json_int_t id;

	type(screen, "pause --nothing web");
	press(screen, '\r');
	assert_string_equal(line_of(screen), "pause --nothing web");
	assert_string_equal(asked(screen), "");
	type(screen, "show wbe");
	press(screen, '\r');
	assert_string_equal(line_of(screen), "show wbe");
	/* So does what the deck refuses. */
	type(screen, "resume web");
	press(screen, '\r');
	assert_string_equal(line_of(screen), "none");
	id = fake_screen_wait(screen, "guest.resume");
	fake_screen_refuse(screen, id, "EBUSY", "web is running.");
	assert_string_equal(line_of(screen), "resume web");
	press(screen, 27);
	assert_null(fake_screen_asked(screen, &id, &params));
}

static void what_asks_elsewhere_asks_here(void **state)
{
	struct fake_screen *screen = *state;
	struct prompt *prompt = &screen->tui.prompt;

	type(screen, "reset web");
	press(screen, '\r');
	assert_non_null(prompt->choices);
	assert_memory_equal(prompt->question, "Reset web?", 10);
	prompt->drawn = true;
	press(screen, 'n');
	assert_string_equal(asked(screen), "");
	type(screen, "stop --force web db");
	press(screen, '\r');
	assert_non_null(prompt->choices);
	assert_memory_equal(prompt->question, "Force web, db off?", 18);
	prompt->drawn = true;
	press(screen, 'y');
	assert_string_equal(asked(screen), "guest.off web");
	assert_string_equal(asked(screen), "guest.off db");
	type(screen, "shutdown");
	press(screen, '\r');
	assert_non_null(strstr(prompt->question, "2 guests are running"));
	prompt->drawn = true;
	press(screen, 'x');
	type(screen, "shutdown -f");
	press(screen, '\r');
	assert_non_null(strstr(prompt->question, "Force db, web off and end the deck?"));
	prompt->drawn = true;
	press(screen, 'x');
	assert_string_equal(asked(screen), "");
}

static void letters_find_words(void **state)
{
	struct fake_screen *screen = *state;

	type(screen, "pse");
	press(screen, '\t');
	assert_string_equal(line_of(screen), "pause ");
	press(screen, 'w');
	press(screen, '\t');
	assert_string_equal(line_of(screen), "pause web ");
	/* What is chosen changes nothing before it is seen. */
	type(screen, "paus");
	press(screen, KEY_DOWN);
	press(screen, '\r');
	assert_string_equal(line_of(screen), "pause ");
	assert_string_equal(asked(screen), "");
	/* What changes nothing is done at once. */
	type(screen, "hlp");
	press(screen, '\r');
	assert_string_equal(screen->tui.top->ops->id, "help");
	tui_back(&screen->tui);
	type(screen, "filter");
	ran = NULL;
	press(screen, '\r');
	assert_non_null(ran);
	assert_int_equal(ran->command, COMMAND_FILTER);
	assert_true(fuzzy_score("stop", "stop") > fuzzy_score("stop", "stop-all"));
	assert_true(fuzzy_score("st", "start") > fuzzy_score("st", "list"));
	assert_true(fuzzy_score("st", "list") > fuzzy_score("st", "switches"));
	assert_int_equal(fuzzy_score("ts", "stop"), -1);
	assert_int_equal(fuzzy_score("", "stop"), 0);
}

static void orders_by_key_have_their_lines(void **state)
{
	struct fake_screen *screen = *state;

	order_give(screen->tui.deck, "web", "guest.pause");
	palette_open(&screen->tui, run_key);
	press(screen, KEY_UP);
	assert_string_equal(line_of(screen), "pause web");
	press(screen, KEY_DOWN);
	assert_string_equal(line_of(screen), "");
	press(screen, 27);
	/* The line that was run is there once, as it was typed. */
	type(screen, "pause  'web'");
	press(screen, '\r');
	order_give(screen->tui.deck, "db", "guest.pause");
	palette_open(&screen->tui, run_key);
	press(screen, KEY_UP);
	assert_string_equal(line_of(screen), "pause db");
	press(screen, KEY_UP);
	assert_string_equal(line_of(screen), "pause  'web'");
	press(screen, KEY_UP);
	press(screen, KEY_UP);
	assert_string_equal(line_of(screen), "pause web");
}

static void a_screen_that_watches_orders_nothing(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	fake_screen_config.read_only = true;
	/* What the screen asks by itself is not refused, but not asked. */
	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"db\",\"state\":\"running\"},"
			   "{\"name\":\"web\",\"state\":\"stopped\",\"profile\":\"/web.ini\"}]}");
	mistakes_look(tui->deck, model_find(&tui->deck->model, "web"));
	assert_null(tui->status.entries[STATUS_REFUSAL].text);
	order_give(tui->deck, "web", "guest.pause");
	assert_string_equal(tui->status.entries[STATUS_REFUSAL].text, TUI_READ_ONLY);
	/* Nor is a person asked in vain. */
	command_run(tui, keys_find(&keys_table, tui->top->ops, 'F'));
	assert_false(tui->prompt.active);
	type(screen, "stop --force web");
	press(screen, '\r');
	assert_string_equal(line_of(screen), "stop --force web");
	type(screen, "help");
	press(screen, '\r');
	assert_string_equal(tui->top->ops->id, "help");
	assert_string_equal(asked(screen), "");
	fake_screen_config.read_only = false;
}

static void orders_are_for_marked_guests(void **state)
{
	struct fake_screen *screen = *state;
	struct prompt *prompt = &screen->tui.prompt;
	struct model *model = &screen->tui.deck->model;

	model_find(model, "db")->marked = model_find(model, "web")->marked = true;
	type(screen, "pause");
	press(screen, '\r');
	assert_string_equal(asked(screen), "guest.pause db");
	assert_string_equal(asked(screen), "guest.pause web");
	type(screen, "pause web");
	press(screen, '\r');
	assert_string_equal(asked(screen), "guest.pause web");
	assert_string_equal(asked(screen), "");
	type(screen, "reset");
	press(screen, '\r');
	assert_memory_equal(prompt->question, "Reset db and web?", 17);
	prompt->drawn = true;
	press(screen, 'y');
	assert_string_equal(asked(screen), "guest.reset db");
	assert_string_equal(asked(screen), "guest.reset web");
	/* By a key they are one line. */
	palette_open(&screen->tui, run_key);
	press(screen, KEY_UP);
	assert_string_equal(line_of(screen), "reset db web");
	press(screen, KEY_UP);
	assert_string_equal(line_of(screen), "reset");
}

/* As a port that a deck calls nothing. */
static void what_has_no_name_is_not_offered(void **state)
{
	struct palette_list list = { .items = NULL };

	(void)state;
	palette_list_add(&list, "", "", "help", NULL);
	assert_null(palette_list_best(&list));
	palette_list_add(&list, "", "web", NULL, NULL);
	assert_string_equal(palette_list_best(&list)->word, "web");
	palette_list_clear(&list);
}

static void lines_are_kept_in_a_file(void **state)
{
	struct history history = { .read = false };
	struct stat st;
	char line[32];

	(void)state;
	unlink(file);
	history_add(&history, "new");
	history_read(&history);
	for (int i = 0; i < HISTORY_LINES + 10; i++) {
		snprintf(line, sizeof(line), "line %d", i);
		history_add(&history, line);
	}
	history_add(&history, "line 100");
	history_add(&history, "two\nlines");
	history_free(&history);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* What came before the file was read is newer than what is in it. */
	history_add(&history, "newest");
	history_read(&history);
	assert_int_equal(history.count, HISTORY_LINES);
	assert_string_equal(history_line(&history, 0), "newest");
	assert_string_equal(history_line(&history, 1), "line 100");
	assert_string_equal(history_line(&history, 2), "line 209");
	assert_null(history_line(&history, HISTORY_LINES));
	history_free(&history);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_screen, close_screen)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(commands_are_asked_of_the_deck),
		TEST(words_follow_events),
		TEST(a_mistake_keeps_the_line),
		TEST(a_capture_of_the_past_ends),
		TEST(what_became_of_a_frame_is_said),
		TEST(what_asks_elsewhere_asks_here),
		TEST(letters_find_words),
		TEST(orders_by_key_have_their_lines),
		TEST(a_screen_that_watches_orders_nothing),
		TEST(orders_are_for_marked_guests),
		TEST(what_has_no_name_is_not_offered),
		cmocka_unit_test(lines_are_kept_in_a_file),
	};
	int failed;

	if (!mkdtemp(folder))
		return 1;
	setenv("XDG_STATE_HOME", folder, 1);
	snprintf(file, sizeof(file), "%s/vmdeck/" HISTORY_NAME, folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(file);
	snprintf(file, sizeof(file), "%s/vmdeck", folder);
	rmdir(file);
	rmdir(folder);
	return failed;
}

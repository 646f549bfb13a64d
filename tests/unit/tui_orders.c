/* What the screen says of orders, and of what happens beside them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fake_screen.h"
#include "tui/ui/keys.h"
#include "tui/ui/held.h"
#include "tui/ui/marked.h"
#include "tui/ui/orders.h"

#define GUESTS "{\"guests\":[{\"name\":\"db\",\"state\":\"running\"}," \
	       "{\"name\":\"web\",\"state\":\"running\"}]}"

static int open_screen(void **state)
{
	struct fake_screen *screen = fake_screen_new(&keys_table);

	fake_screen_guests(screen, GUESTS);
	*state = screen;
	return 0;
}

static int close_screen(void **state)
{
	fake_screen_free(*state);
	return 0;
}

static const char *says(const struct fake_screen *screen, enum status_rank rank)
{
	const char *text = screen->tui.status.entries[rank].text;

	return text ? text : "";
}

static void what_came_of_an_order_outlasts_events_of_others(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	tui_message(tui, SEVERITY_EVENT, 0, "web", "is starting");
	assert_string_equal(says(screen, STATUS_EVENT), "web is starting");
	order_give(tui->deck, "web", "guest.pause");
	tui_message(tui, SEVERITY_EVENT, 0, "web", "is paused");
	tui_message(tui, SEVERITY_EVENT, 0, "db", "is starting");
	assert_string_equal(says(screen, STATUS_ANSWER), "web is paused");
	assert_string_equal(says(screen, STATUS_EVENT), "db is starting");
	/* One that is news in itself stays one, and the next order is about another guest. */
	tui_message(tui, SEVERITY_ERROR, 0, "web", "a fault");
	assert_string_equal(says(screen, STATUS_TROUBLE), "web: a fault");
	assert_string_equal(says(screen, STATUS_ANSWER), "");
	order_give(tui->deck, "db", "guest.pause");
	tui_message(tui, SEVERITY_GOOD, 0, "web", "is running");
	assert_string_equal(says(screen, STATUS_ANSWER), "");
	assert_string_equal(says(screen, STATUS_TROUBLE), "");
	assert_string_equal(says(screen, STATUS_EVENT), "web is running");
}

/* A list of guests g0, g1 ... that run, whose buttons were pressed so many seconds ago. */
static void list_pressed(struct fake_screen *screen, unsigned count, uint64_t seconds)
{
	char list[1024] = "{\"guests\":[";
	unsigned long long pressed = clock_wall() - seconds * NS_PER_S;

	for (unsigned i = 0; i < count; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list),
			 "%s{\"name\":\"g%u\",\"state\":\"running\",\"pressed\":%llu}",
			 i ? "," : "", i, pressed);
	snprintf(list + strlen(list), sizeof(list) - strlen(list), "]}");
	fake_screen_guests(screen, list);
	power_check(screen->tui.deck);
}

static void a_shutdown_is_said_until_it_is_over(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	list_pressed(screen, 1, 2);
	tui_message(tui, SEVERITY_EVENT, 0, "db", "is starting");
	assert_string_equal(says(screen, STATUS_POWER), "Waiting for g0 to shut down.");
	assert_string_equal(says(screen, STATUS_EVENT), "db is starting");
	list_pressed(screen, 5, 2);
	assert_string_equal(says(screen, STATUS_POWER),
			    "Waiting for g0, g1, g2, g3 and others to shut down.");
	fake_screen_guests(screen, GUESTS);
	power_check(tui->deck);
	assert_string_equal(says(screen, STATUS_POWER), "");
	/* One that is deaf is not waited for without end, nor twice where all are. */
	list_pressed(screen, 1, 31);
	assert_string_equal(says(screen, STATUS_POWER), "");
	tui->deck->ending = true;
	list_pressed(screen, 1, 2);
	assert_string_equal(says(screen, STATUS_POWER), "");
}

static void a_frame_that_is_held_is_said_until_it_goes_on(void **state)
{
	struct fake_screen *screen = *state;
	struct tui_deck *deck = screen->tui.deck;

	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"a\",\"state\":\"paused\","
				   "\"held\":null},{\"name\":\"b\",\"state\":\"paused\","
				   "\"held\":\"web/net0\"}]}");
	held_check(deck);
	assert_string_equal(says(screen, STATUS_HELD),
			    "Frame held at web/net0, 1 guest is paused: n shows it.");
	assert_int_not_equal(fake_screen_wait(screen, "port.held"), 0);
	/* It is a state: no key and no event ends it. */
	tui_key_pressed(&screen->tui);
	tui_message(&screen->tui, SEVERITY_EVENT, 0, "a", "is starting");
	assert_true(*says(screen, STATUS_HELD));
	fake_screen_guests(screen, GUESTS);
	held_check(deck);
	assert_string_equal(says(screen, STATUS_HELD), "");
}

/* --- marks --- */

#define FOUR "{\"guests\":[{\"name\":\"a\",\"state\":\"running\"}," \
	     "{\"name\":\"b\",\"state\":\"paused\"},{\"name\":\"c\",\"state\":\"stopped\"}," \
	     "{\"name\":\"d\",\"state\":\"running\"}]}"

static void command(struct tui *tui, enum command command)
{
	assert_true(tui->top->ops->command(tui->top, command));
}

/* The next request is that order to that guest; its id. */
static json_int_t ordered(struct fake_screen *screen, const char *method, const char *guest)
{
	json_int_t id = 0;
	json_t *params = NULL;
	const char *asked = fake_screen_asked(screen, &id, &params);

	assert_non_null(asked);
	assert_string_equal(asked, method);
	assert_string_equal(json_string_value(json_object_get(params, "guest")), guest);
	json_decref(params);
	return id;
}

static void nothing_is_asked(struct fake_screen *screen)
{
	json_int_t id;
	json_t *params;

	assert_null(fake_screen_asked(screen, &id, &params));
}

static void marks_stay_with_their_guests(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;
	struct model *model = &tui->deck->model;

	fake_screen_guests(screen, FOUR);
	command(tui, COMMAND_MARK); /* and on to the next */
	command(tui, COMMAND_MARK);
	assert_int_equal(model_marked(model), 2);
	assert_true(model_find(model, "a")->marked && model_find(model, "b")->marked);
	assert_string_equal(tui->top->ops->guest(tui->top), "c");
	/* One that goes takes its mark with it, the others keep theirs. */
	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"b\"},{\"name\":\"d\"}]}");
	assert_int_equal(model_marked(model), 1);
	command(tui, COMMAND_MARK_OTHERS);
	assert_false(model_find(model, "b")->marked);
	assert_true(model_find(model, "d")->marked);
	command(tui, COMMAND_LAST);
	command(tui, COMMAND_MARK); /* takes it off */
	assert_int_equal(model_marked(model), 0);
	command(tui, COMMAND_MARK_OTHERS);
	command(tui, COMMAND_BACK);
	assert_int_equal(model_marked(model), 0);
	assert_false(tui->top->ops->command(tui->top, COMMAND_BACK));
	command(tui, COMMAND_MARK_OTHERS);
	command(tui, COMMAND_UNMARK);
	assert_int_equal(model_marked(model), 0);
}

static void a_range_is_marked_from_the_last_mark_on(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;
	struct model *model = &tui->deck->model;

	fake_screen_guests(screen, FOUR);
	command(tui, COMMAND_MARK_RANGE); /* without a mark: the selected one alone */
	assert_int_equal(model_marked(model), 1);
	assert_true(model_find(model, "a")->marked);
	command(tui, COMMAND_UNMARK);
	command(tui, COMMAND_DOWN);
	command(tui, COMMAND_MARK); /* b, and on to c */
	command(tui, COMMAND_LAST);
	command(tui, COMMAND_MARK_RANGE);
	assert_int_equal(model_marked(model), 3);
	assert_false(model_find(model, "a")->marked);
	command(tui, COMMAND_FIRST); /* upwards from the same one */
	command(tui, COMMAND_MARK_RANGE);
	assert_int_equal(model_marked(model), 4);
	/* A mark that was taken off begins none, nor does one of a guest that has gone. */
	command(tui, COMMAND_UNMARK);
	command(tui, COMMAND_LAST);
	command(tui, COMMAND_MARK_RANGE);
	assert_int_equal(model_marked(model), 1);
	assert_true(model_find(model, "d")->marked);
}

/* What starts lets paused ones go on; one that runs is left as it is, and said to be. */
static void an_order_is_for_all_that_are_marked(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;
	json_int_t b, c;

	fake_screen_guests(screen, FOUR);
	command(tui, COMMAND_MARK);
	command(tui, COMMAND_MARK);
	command(tui, COMMAND_MARK);
	marked_order(tui->deck, "guest.start");
	assert_false(tui->prompt.active);
	b = ordered(screen, "guest.resume", "b");
	c = ordered(screen, "guest.start", "c");
	nothing_is_asked(screen);
	fake_screen_answer(screen, b, "{}");
	assert_string_equal(says(screen, STATUS_ANSWER), "");
	fake_screen_refuse(screen, c, "ENOENT", "c: disk0: /c.img does not exist");
	assert_string_equal(says(screen, STATUS_REFUSAL), "Refused: c: disk0: /c.img does not exist. "
							  "Starting: b. Left as it is: a.");
	assert_null(tui->deck->marked);
}

/* One key for both pauses those that run, and only where none does lets all go on. */
static void a_key_for_both_does_one(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	fake_screen_guests(screen, FOUR);
	command(tui, COMMAND_MARK_OTHERS);
	marked_order(tui->deck, "guest.pause");
	fake_screen_answer(screen, ordered(screen, "guest.pause", "a"), "{}");
	fake_screen_answer(screen, ordered(screen, "guest.pause", "d"), "{}");
	nothing_is_asked(screen);
	assert_string_equal(says(screen, STATUS_ANSWER),
			    "Paused: a and d. Left as they are: b and c.");
	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"a\",\"state\":\"paused\"},"
				   "{\"name\":\"c\",\"state\":\"stopped\"}]}");
	marked_order(tui->deck, "guest.pause");
	fake_screen_answer(screen, ordered(screen, "guest.resume", "a"), "{}");
	nothing_is_asked(screen);
	assert_string_equal(says(screen, STATUS_ANSWER), "Resumed: a. Left as it is: c.");
	marked_order(tui->deck, "guest.off");
	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"c\",\"state\":\"stopped\"}]}");
	marked_order(tui->deck, "guest.pause");
	assert_string_equal(says(screen, STATUS_REFUSAL), "None of the marked guests can be paused: "
							  "only one that is running can.");
	nothing_is_asked(screen);
}

/* One question names them; what was asked about is what is done, whatever comes meanwhile. */
static void one_question_is_for_all(void **state)
{
	char list[1024] = "{\"guests\":[{\"name\":\"a\",\"state\":\"stopped\"}";
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	for (unsigned i = 1; i <= 7; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list),
			 ",{\"name\":\"g%u\",\"state\":\"running\"}", i);
	strcat(list, "]}");
	fake_screen_guests(screen, list);
	command(tui, COMMAND_MARK_OTHERS);
	marked_order(tui->deck, "guest.off");
	assert_string_equal(tui->prompt.question,
			    "Force g1, g2, g3, g4 and 3 more off? They lose what they have not "
			    "written to their disks yet. 1 that is marked, too, is not in a state "
			    "for it. y: force them off, any other key: leave them as they are");
	tui->prompt.drawn = true;
	prompt_key(&tui->prompt, 'n', false);
	nothing_is_asked(screen);
	assert_null(tui->deck->marked);
	marked_order(tui->deck, "guest.off");
	*strstr(list, "stopped") = 'S'; /* a state that nobody knows */
	fake_screen_guests(screen, list);
	tui->prompt.drawn = true;
	prompt_key(&tui->prompt, 'y', false);
	for (unsigned i = 1; i <= 7; i++) {
		char name[8];

		snprintf(name, sizeof(name), "g%u", i);
		fake_screen_answer(screen, ordered(screen, "guest.off", name), "{}");
	}
	nothing_is_asked(screen);
	assert_string_equal(says(screen, STATUS_ANSWER),
			    "Forced off: g1, g2, g3, g4 and 3 more. Left as it is: a.");
}

/* Reasons of the first ones, names of all. */
static void what_fails_is_said_by_name(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"a\"},{\"name\":\"b\"},"
				   "{\"name\":\"c\"},{\"name\":\"d\"},{\"name\":\"e\"}]}");
	for (unsigned i = 0; i < 5; i++)
		screen->tui.deck->model.guests[i]->state = GUEST_STOPPED;
	command(tui, COMMAND_MARK_OTHERS);
	marked_order(tui->deck, "guest.start");
	for (unsigned i = 0; i < 5; i++) {
		char name[2] = { (char)('a' + i), '\0' };

		fake_screen_refuse(screen, ordered(screen, "guest.start", name), "ENOMEM", "no memory");
	}
	assert_string_equal(says(screen, STATUS_REFUSAL),
			    "Refused: a: no memory; b: no memory; c: no memory; d; e.");
	/* What nobody has answered is forgotten with its deck. */
	marked_order(tui->deck, "guest.start");
	assert_non_null(tui->deck->marked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_came_of_an_order_outlasts_events_of_others,
						open_screen, close_screen),
		cmocka_unit_test_setup_teardown(a_frame_that_is_held_is_said_until_it_goes_on,
						open_screen, close_screen),
		cmocka_unit_test_setup_teardown(a_shutdown_is_said_until_it_is_over,
						open_screen, close_screen),
		cmocka_unit_test_setup_teardown(marks_stay_with_their_guests, open_screen,
						close_screen),
		cmocka_unit_test_setup_teardown(a_range_is_marked_from_the_last_mark_on, open_screen,
						close_screen),
		cmocka_unit_test_setup_teardown(an_order_is_for_all_that_are_marked, open_screen,
						close_screen),
		cmocka_unit_test_setup_teardown(a_key_for_both_does_one, open_screen, close_screen),
		cmocka_unit_test_setup_teardown(one_question_is_for_all, open_screen, close_screen),
		cmocka_unit_test_setup_teardown(what_fails_is_said_by_name, open_screen,
						close_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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
			    "Paused: web/net0 holds a frame. 'vmdeck port held' shows it, "
			    "'vmdeck port pass web/net0' lets it go on.");
	/* It is a state: no key and no event ends it. */
	tui_key_pressed(&screen->tui);
	tui_message(&screen->tui, SEVERITY_EVENT, 0, "a", "is starting");
	assert_true(*says(screen, STATUS_HELD));
	fake_screen_guests(screen, GUESTS);
	held_check(deck);
	assert_string_equal(says(screen, STATUS_HELD), "");
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

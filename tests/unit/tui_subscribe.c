/* Subscriptions: one request at a time, whatever is wanted meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_screen.h"
#include "tui/ui/subscribe.h"

struct fixture {
	struct fake_screen *screen;
	struct subscription stream;
	unsigned answers, failures, notifications;
	bool again; /* the answer to a failure is another request */
};

static void answered(void *arg, json_t *result, const struct client_error *error)
{
	struct fixture *fixture = arg;

	(void)result;
	fixture->answers++;
	if (!error)
		return;
	fixture->failures++;
	if (fixture->again)
		subscription_start(&fixture->stream, json_pack("{s:i}", "n", 9));
}

static void notified(void *arg, const json_t *params)
{
	struct fixture *fixture = arg;

	(void)params;
	fixture->notifications++;
}

static int start(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->screen = fake_screen_new(&keys_table);
	fixture->stream = (struct subscription){ .deck = fixture->screen->tui.deck, .name = "trial",
						 .answered = answered, .notified = notified,
						 .arg = fixture };
	subscription_add(&fixture->stream);
	*state = fixture;
	return 0;
}

static int stop(void **state)
{
	struct fixture *fixture = *state;

	subscription_destroy(&fixture->stream);
	fake_screen_free(fixture->screen);
	free(fixture);
	return 0;
}

static void want(struct fixture *fixture, int n)
{
	subscription_start(&fixture->stream, json_pack("{s:i}", "n", n));
}

/* The next request is this one, with that number in its parameters; its id. */
static json_int_t expect(struct fixture *fixture, const char *method, const char *key, int n)
{
	json_t *params = NULL;
	json_int_t id = 0;
	const char *asked = fake_screen_asked(fixture->screen, &id, &params);

	assert_non_null(asked);
	assert_string_equal(asked, method);
	assert_int_equal(json_integer_value(json_object_get(params, key)), n);
	json_decref(params);
	return id;
}

static void expect_nothing(struct fixture *fixture)
{
	json_t *params;
	json_int_t id;

	assert_null(fake_screen_asked(fixture->screen, &id, &params));
}

static void test_course(void **state)
{
	struct fixture *fixture = *state;
	struct fake_screen *screen = fixture->screen;

	want(fixture, 1);
	fake_screen_answer(screen, expect(fixture, "trial.subscribe", "n", 1),
			   "{\"subscription\":5}");
	assert_int_equal(fixture->answers, 1);
	/* Notifications of others, by name or number, are not its own. */
	fake_screen_notify(screen, "trial", "{\"subscription\":5}");
	fake_screen_notify(screen, "trial", "{\"subscription\":6}");
	fake_screen_notify(screen, "stats", "{\"subscription\":5}");
	fake_screen_notify(screen, "trial", "{}");
	assert_int_equal(fixture->notifications, 1);
	want(fixture, 2);
	expect(fixture, "trial.cancel", "subscription", 5);
	fake_screen_answer(screen, expect(fixture, "trial.subscribe", "n", 2),
			   "{\"subscription\":7}");
	subscription_stop(&fixture->stream);
	expect(fixture, "trial.cancel", "subscription", 7);
	fake_screen_notify(screen, "trial", "{\"subscription\":7}");
	assert_int_equal(fixture->notifications, 1);
	subscription_stop(&fixture->stream);
	expect_nothing(fixture);
}

/* What is wanted while an answer is awaited waits, too; the last wish counts. */
static void test_meanwhile(void **state)
{
	struct fixture *fixture = *state;
	json_int_t id;

	want(fixture, 1);
	id = expect(fixture, "trial.subscribe", "n", 1);
	want(fixture, 2);
	subscription_stop(&fixture->stream);
	want(fixture, 3);
	want(fixture, 4);
	expect_nothing(fixture);
	fake_screen_answer(fixture->screen, id, "{\"subscription\":5}");
	expect(fixture, "trial.cancel", "subscription", 5);
	id = expect(fixture, "trial.subscribe", "n", 4);
	subscription_stop(&fixture->stream);
	expect_nothing(fixture);
	fake_screen_answer(fixture->screen, id, "{\"subscription\":6}");
	expect(fixture, "trial.cancel", "subscription", 6);
	expect_nothing(fixture);
}

static void test_refused(void **state)
{
	struct fixture *fixture = *state;

	want(fixture, 1);
	fake_screen_refuse(fixture->screen, expect(fixture, "trial.subscribe", "n", 1), "EINVAL",
			   "no");
	assert_int_equal(fixture->failures, 1);
	subscription_stop(&fixture->stream);
	expect_nothing(fixture);
	fixture->again = true;
	want(fixture, 2);
	fake_screen_refuse(fixture->screen, expect(fixture, "trial.subscribe", "n", 2), "EINVAL",
			   "no");
	expect(fixture, "trial.subscribe", "n", 9);
	expect_nothing(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_course, start, stop),
		cmocka_unit_test_setup_teardown(test_meanwhile, start, stop),
		cmocka_unit_test_setup_teardown(test_refused, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

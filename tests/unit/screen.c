/* The stream of a guest's screen, and what is typed to it, against a deck without machines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>

#include "base/clock.h"
#include "fake_deck.h"

struct fixture {
	struct fake_deck fake;
	struct link *link;
	json_t *shown;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fake_start(&f->fake);
	f->fake.keys_room = sizeof(f->fake.keys);
	f->fake.screen = (struct screen){ .mode = SCREEN_TEXT, .columns = 80, .rows = 25,
					  .blink = true };
	f->link = fake_link(&f->fake);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	json_decref(f->shown);
	link_free(f->link);
	fake_stop(&f->fake);
	free(f);
	return 0;
}

static json_t *guest_named(const char *name)
{
	return json_pack("{s:s}", "guest", name);
}

static void subscribe(struct fixture *f)
{
	assert_int_equal(link_call(f->link, "screen.subscribe", guest_named("web"), NULL, NULL), 0);
}

/* The next picture; NULL: none came for a while. */
static const json_t *look(struct fixture *f, int timeout_ms)
{
	json_t *message;

	json_decref(f->shown);
	f->shown = NULL;
	if (link_next(f->link, &message, timeout_ms, NULL) < 0)
		return NULL;
	assert_string_equal(json_string_value(json_object_get(message, "method")), "screen");
	f->shown = json_incref(json_object_get(message, "params"));
	json_decref(message);
	return f->shown;
}

static json_int_t number(const json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void put(struct fixture *f, unsigned y, unsigned x, const char *codes, uint8_t attribute)
{
	pthread_mutex_lock(&f->fake.lock);
	for (; *codes; codes++, x++)
		f->fake.screen.cells[y][x] = (struct screen_cell){ (uint8_t)*codes, attribute };
	pthread_mutex_unlock(&f->fake.lock);
}

static void set_cursor(struct fixture *f, unsigned row, unsigned column)
{
	pthread_mutex_lock(&f->fake.lock);
	f->fake.screen.cursor = true;
	f->fake.screen.row = row;
	f->fake.screen.column = column;
	pthread_mutex_unlock(&f->fake.lock);
}

static const json_t *line(const struct fixture *f, size_t n)
{
	return json_array_get(json_object_get(f->shown, "lines"), n);
}

static size_t lines(const struct fixture *f)
{
	return json_array_size(json_object_get(f->shown, "lines"));
}

static json_int_t colour(const json_t *line, size_t n)
{
	return json_integer_value(json_array_get(json_object_get(line, "colours"), n));
}

static void rows_come_as_they_change(void **state)
{
	struct fixture *f = *state;
	const json_t *cursor;

	for (unsigned y = 0; y < 25; y++)
		put(f, y, 0, "          ", 7);
	put(f, 1, 0, "A\xb3", 0x1f);
	put(f, 1, 3, "\x01", 0x97); /* behind a blank cell of attribute 0 */
	subscribe(f);
	assert_non_null(look(f, 10000));
	assert_string_equal(text(f->shown, "mode"), "text");
	assert_int_equal(number(f->shown, "columns"), 80);
	assert_int_equal(number(f->shown, "rows"), 25);
	assert_true(json_is_null(json_object_get(f->shown, "cursor")));
	assert_int_equal(number(line(f, 1), "row"), 1);
	assert_non_null(strstr(text(line(f, 1), "text"), "A\u2502"));
	assert_non_null(strstr(text(line(f, 1), "text"), "\u263a"));
	assert_int_equal(colour(line(f, 1), 0), 2);
	assert_int_equal(colour(line(f, 1), 1), 0x1f);
	assert_int_equal(colour(line(f, 1), 5), 0x117); /* it blinks */

	put(f, 24, 79, "z", 7);
	assert_non_null(look(f, 10000));
	assert_int_equal(lines(f), 1);
	assert_int_equal(number(line(f, 0), "row"), 24);
	set_cursor(f, 3, 4);
	assert_non_null(look(f, 10000));
	assert_int_equal(lines(f), 0);
	cursor = json_object_get(f->shown, "cursor");
	assert_int_equal(number(cursor, "row"), 3);
	assert_int_equal(number(cursor, "column"), 4);
	assert_false(json_boolean_value(json_object_get(cursor, "block")));
	assert_null(look(f, 300)); /* nothing has changed */
}

/* Of another size everything is sent, and what is not is blank. */
static void another_mode_begins_blank(void **state)
{
	struct fixture *f = *state;

	for (unsigned y = 0; y < 25; y++)
		for (unsigned x = 0; x < 80; x++)
			put(f, y, x, " ", 7);
	put(f, 0, 0, "boot:", 7);
	subscribe(f);
	assert_non_null(look(f, 10000));
	assert_int_equal(lines(f), 1);
	assert_string_equal(text(line(f, 0), "text"), "boot:");
	pthread_mutex_lock(&f->fake.lock);
	f->fake.screen.columns = 40;
	pthread_mutex_unlock(&f->fake.lock);
	assert_non_null(look(f, 10000));
	assert_int_equal(number(f->shown, "columns"), 40);
	assert_int_equal(lines(f), 1);
	pthread_mutex_lock(&f->fake.lock);
	f->fake.screen.mode = SCREEN_GRAPHICS;
	f->fake.screen.columns = 640;
	f->fake.screen.rows = 480;
	pthread_mutex_unlock(&f->fake.lock);
	assert_non_null(look(f, 10000));
	assert_string_equal(text(f->shown, "mode"), "graphics");
	assert_int_equal(number(f->shown, "rows"), 480);
	assert_int_equal(lines(f), 0);
}

/* All of the code page is printed, a column a character. */
static void all_codes_are_printed(void **state)
{
	struct fixture *f = *state;
	const json_t *row;

	for (unsigned i = 0; i < 256; i++)
		f->fake.screen.cells[i / 16][i % 16] = (struct screen_cell){ (uint8_t)i, 0x70 };
	subscribe(f);
	assert_non_null(look(f, 10000));
	for (size_t y = 0; y < 16; y++) {
		const unsigned char *at;
		size_t characters = 0;

		row = line(f, y);
		for (at = (const unsigned char *)text(row, "text"); *at; at++) {
			characters += (*at & 0xc0) != 0x80;
			assert_true(*at >= 0x20 && *at != 0x7f);
			assert_false(at[0] == 0xc2 && at[1] < 0xa0); /* C1 */
		}
		assert_true(characters >= 16);
		assert_int_equal(colour(row, 0), 16);
	}
}

static void a_guest_without_is_refused(void **state)
{
	struct fixture *f = *state;
	struct cause cause;

	assert_int_equal(link_call(f->link, "screen.subscribe", guest_named("db"), NULL, &cause),
			 -ENOTSUP);
	assert_string_equal(cause.text, "db has no VGA screen; vga=yes in its profile gives it one");
	assert_int_equal(link_call(f->link, "screen.type",
				   json_pack("{s:s, s:s}", "guest", "db", "text", "x"), NULL,
				   &cause), -EBUSY);
}

/* The last picture of a guest that has ended stays, and it goes on with the next start. */
static void a_guest_ends_and_begins(void **state)
{
	struct fixture *f = *state;

	subscribe(f);
	assert_non_null(look(f, 10000));
	fake_set_state(&f->fake, "web", GUEST_STOPPED, "");
	usleep(150000);
	while (look(f, 0))
		;
	put(f, 0, 0, "x", 7);
	assert_null(look(f, 300));
	fake_set_state(&f->fake, "web", GUEST_RUNNING, "");
	assert_non_null(look(f, 10000));
	assert_int_equal(lines(f), 1);
}

/* Whoever looks at a guest that does not run is told that there is nothing. */
static void a_stopped_guest_has_none(void **state)
{
	struct fixture *f = *state;

	fake_set_state(&f->fake, "web", GUEST_STOPPED, "");
	subscribe(f);
	assert_non_null(look(f, 10000));
	assert_string_equal(text(f->shown, "mode"), "none");
	fake_remove(&f->fake, "web");
	assert_null(look(f, 200));
}

static void keys_are_typed(void **state)
{
	struct fixture *f = *state;
	json_t *result;

	f->fake.keys_room = 4;
	assert_int_equal(link_call(f->link, "screen.type",
				   json_pack("{s:s, s:s}", "guest", "web", "text", "\033[Axyz"),
				   &result, NULL), 0);
	assert_int_equal(number(result, "taken"), 4);
	assert_int_equal(f->fake.keys_size, 4);
	assert_memory_equal(f->fake.keys, "\033[Ax", 4);
	json_decref(result);
}

/* A client that does not read hurts nobody, and finds the newest picture when it does. */
static void who_does_not_read_misses_pictures(void **state)
{
	struct fixture *f = *state;
	struct link *other = fake_link(&f->fake);
	char count[8];
	json_t *message;

	subscribe(f);
	assert_int_equal(link_call(other, "screen.subscribe", guest_named("web"), NULL, NULL), 0);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(count, sizeof(count), "%05u", i);
		for (unsigned y = 0; y < 25; y++)
			for (unsigned x = 0; x < 80; x += 5)
				put(f, y, x, count, (uint8_t)(7 + x));
		assert_int_equal(link_next(other, &message, 10000, NULL), 0);
		json_decref(message);
	}
	while (look(f, 300) && lines(f) && !strstr(text(line(f, 0), "text"), "00039"))
		;
	assert_non_null(f->shown);
	link_free(other);
}

static void a_cancelled_one_is_silent(void **state)
{
	struct fixture *f = *state;

	subscribe(f);
	assert_non_null(look(f, 10000));
	assert_int_equal(link_call(f->link, "screen.cancel",
				   json_pack("{s:I}", "subscription",
					     number(f->shown, "subscription")), NULL, NULL), 0);
	put(f, 0, 0, "x", 7);
	assert_null(look(f, 200));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows_come_as_they_change, setup, teardown),
		cmocka_unit_test_setup_teardown(another_mode_begins_blank, setup, teardown),
		cmocka_unit_test_setup_teardown(all_codes_are_printed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_guest_without_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_guest_ends_and_begins, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stopped_guest_has_none, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_are_typed, setup, teardown),
		cmocka_unit_test_setup_teardown(who_does_not_read_misses_pictures, setup, teardown),
		cmocka_unit_test_setup_teardown(a_cancelled_one_is_silent, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A VGA screen on its way from the protocol to a terminal, and keys on theirs to the guest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/checked.h"
#include "base/clock.h"
#include "cli/screen_text.h"
#include "control/remote_screen.h"
#include "control/typing.h"
#include "fake_deck.h"

static struct remote_screen screen;
static struct screen_text text;
static char out[SCREEN_TEXT_MAX];

static int begin(void **state)
{
	(void)state;
	screen = (struct remote_screen){ 0 };
	text = (struct screen_text){ .utf8 = true, .rows = 4, .columns = 20 };
	return 0;
}

static bool update(const char *params)
{
	json_t *value = json_loads(params, 0, NULL);
	bool good;

	assert_non_null(value);
	good = remote_screen_update(&screen, value);
	json_decref(value);
	return good;
}

static const char *drawn(void)
{
	out[screen_text_draw(&text, &screen, out)] = '\0';
	return out;
}

#define TEXT(lines) "{\"mode\":\"text\",\"columns\":10,\"rows\":5,\"cursor\":null,\"lines\":[" lines "]}"

static void test_update(void **state)
{
	(void)state;
	assert_true(update(TEXT("{\"row\":1,\"text\":\"ab\u2502\",\"colours\":[1,31,2,263]}")));
	assert_int_equal(screen.cells[1][0].c, 'a');
	assert_int_equal(screen.cells[1][0].ink, 15);
	assert_int_equal(screen.cells[1][0].ground, 4); /* blue */
	assert_int_equal(screen.cells[1][2].c, 0x2502);
	assert_true(screen.cells[1][2].blinks);
	assert_int_equal(screen.cells[1][3].c, ' ');
	assert_true(update(TEXT("{\"row\":1,\"text\":\"x\",\"colours\":[1,4]}")));
	assert_int_equal(screen.cells[1][0].ink, 1); /* red */
	assert_int_equal(screen.cells[1][1].c, ' ');
	assert_true(update("{\"mode\":\"text\",\"columns\":10,\"rows\":4,\"cursor\":"
			   "{\"row\":3,\"column\":9,\"block\":true},\"lines\":[]}"));
	assert_int_equal(screen.cells[1][0].c, ' ');
	assert_true(screen.cursor && screen.block);
}

/* What a server should not send is refused or harmless. */
static void test_hostile(void **state)
{
	static const char *const bad[] = {
		"{}", TEXT("1"), TEXT("{\"row\":64,\"text\":\"\",\"colours\":[]}"),
		TEXT("{\"row\":-1,\"text\":\"\",\"colours\":[]}"),
		TEXT("{\"row\":0,\"colours\":[]}"), TEXT("{\"row\":0,\"text\":\"x\"}"),
		"{\"mode\":\"text\",\"columns\":161,\"rows\":5,\"lines\":[]}",
		"{\"mode\":\"text\",\"columns\":80,\"rows\":65,\"lines\":[]}",
		"{\"mode\":\"none\",\"columns\":9999999999,\"rows\":65,\"lines\":[]}",
		"{\"mode\":\"words\",\"columns\":80,\"rows\":25,\"lines\":[]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(update(bad[i]));
	assert_true(update(TEXT("{\"row\":0,\"text\":\"\\u001b\\u009b\\ud83d\\ude00\\u202e\","
				"\"colours\":[-1,7,0,0,99999,4095,\"x\"]}")));
	for (unsigned x = 0; x < 4; x++)
		assert_int_equal(screen.cells[0][x].c, 0xfffd);
	assert_true(update("{\"mode\":\"text\",\"columns\":10,\"rows\":5,\"cursor\":"
			   "{\"row\":5,\"column\":0},\"lines\":[]}"));
	assert_false(screen.cursor);
}

static void test_draw(void **state)
{
	(void)state;
	assert_true(update(TEXT("{\"row\":0,\"text\":\"one\u2502\",\"colours\":[4,7]}")));
	assert_non_null(strstr(drawn(), "\033[2J"));
	assert_non_null(strstr(out, "\033[1;1H\033[0;37;40mone\u2502"));
	assert_null(strstr(out, "\033[5;1H")); /* the terminal has four rows */
	assert_non_null(strstr(out, "\033[?25l"));
	assert_true(update(TEXT("{\"row\":1,\"text\":\"two\",\"colours\":[3,156]}")));
	assert_null(strstr(drawn(), "one")); /* only what has changed */
	assert_non_null(strstr(out, "\033[2;1H\033[0;91;104mtwo"));
	/* The cursor's row has to be seen. */
	assert_true(update("{\"mode\":\"text\",\"columns\":10,\"rows\":5,\"cursor\":{\"row\":4,"
			   "\"column\":2,\"block\":true},\"lines\":[]}"));
	assert_null(strstr(drawn(), "one"));
	assert_non_null(strstr(out, "\033[1;1H\033[0;91;104mtwo"));
	assert_non_null(strstr(out, "\033[4;3H\033[1 q\033[?25h"));
	text.utf8 = false;
	text.picture = 0;
	text.rows = 5;
	assert_non_null(strstr(drawn(), "one?"));
	assert_true(update("{\"mode\":\"graphics\",\"columns\":640,\"rows\":480,\"lines\":[]}"));
	assert_non_null(strstr(drawn(), "[graphics mode 640x480, not shown]"));
}

/* The most that a screen can need fits the room for it. */
static void test_most(void **state)
{
	(void)state;
	screen.mode = REMOTE_TEXT;
	screen.columns = REMOTE_COLUMNS_MAX;
	screen.rows = REMOTE_ROWS_MAX;
	screen.pictures = 1;
	text.rows = text.columns = 1000;
	for (unsigned y = 0; y < REMOTE_ROWS_MAX; y++)
		for (unsigned x = 0; x < REMOTE_COLUMNS_MAX; x++)
			screen.cells[y][x] = (struct remote_cell){ 0x2502, 8 + x % 8, 8 + x % 7, true };
	assert_true(screen_text_draw(&text, &screen, out) <= sizeof(out));
}

/* --- keys --- */

struct fixture {
	struct fake_deck fake;
	struct loop loop;
	struct typing typing;
	struct loop_timer limit;
};

static void stop(void *arg)
{
	loop_stop(arg);
}

static int start(void **state)
{
	const struct client_handlers handlers = { .notification = NULL };
	struct fixture *f = calloc(1, sizeof(*f));

	fake_start(&f->fake);
	f->fake.keys_room = sizeof(f->fake.keys);
	assert_int_equal(loop_init(&f->loop, NULL), 0);
	f->limit = (struct loop_timer){ .fire = stop, .arg = &f->loop };
	f->typing.loop = &f->loop;
	f->typing.guest = "web";
	assert_int_equal(client_new(&f->typing.client, &f->loop, fake_socket(&f->fake), &handlers,
				    NULL), 0);
	typing_begin(&f->typing);
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	typing_end(&f->typing);
	client_free(f->typing.client);
	loop_destroy(&f->loop);
	fake_stop(&f->fake);
	free(f);
	return 0;
}

static void run(struct fixture *f, uint64_t ns)
{
	loop_timer_set(&f->loop, &f->limit, ns);
	assert_int_equal(loop_run(&f->loop), 0);
}

static size_t typed(struct fixture *f)
{
	size_t size;

	pthread_mutex_lock(&f->fake.lock);
	size = f->fake.keys_size;
	pthread_mutex_unlock(&f->fake.lock);
	return size;
}

static void test_typing(void **state)
{
	struct fixture *f = *state;

	typing_add(&f->typing, "ab\303\274c\0\033[1;5", 11);
	while (typed(f) < 3)
		run(f, NS_PER_MS);
	assert_memory_equal(f->fake.keys, "abc", 3);
	typing_add(&f->typing, "A\033", 2); /* the rest of the sequence, and one that is a key */
	while (typed(f) < 10)
		run(f, NS_PER_MS);
	assert_memory_equal(f->fake.keys, "abc\033[1;5A\033", 10);
}

/* A keyboard takes a few; the rest waits, and what finds no room is counted. */
static void test_waiting(void **state)
{
	struct fixture *f = *state;
	char many[TYPING_MAX + 10];

	memset(many, 'x', sizeof(many));
	f->fake.keys_room = 5;
	typing_add(&f->typing, many, sizeof(many));
	assert_int_equal(f->typing.lost, 10);
	while (typed(f) < 5)
		run(f, NS_PER_MS);
	run(f, 20 * NS_PER_MS);
	assert_int_equal(typed(f), 5);
	assert_int_equal(f->typing.size, TYPING_MAX - 5);
	pthread_mutex_lock(&f->fake.lock);
	f->fake.keys_room = 3000;
	pthread_mutex_unlock(&f->fake.lock);
	while (typed(f) < 3005)
		run(f, 5 * NS_PER_MS);
	assert_int_equal(f->typing.lost, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_update, begin),
		cmocka_unit_test_setup(test_hostile, begin),
		cmocka_unit_test_setup(test_draw, begin),
		cmocka_unit_test_setup(test_most, begin),
		cmocka_unit_test_setup_teardown(test_typing, start, end),
		cmocka_unit_test_setup_teardown(test_waiting, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

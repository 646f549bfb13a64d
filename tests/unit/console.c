/* The console ring: backlog, followers, what was overwritten, and the tail of a crash report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/machine/console.h"

struct bench {
	struct loop loop;
	struct console console;
	unsigned calls;
};

static void more(void *arg)
{
	struct bench *bench = arg;

	bench->calls++;
	loop_stop(&bench->loop);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_int_equal(loop_init(&bench->loop, NULL), 0);
	assert_int_equal(console_init(&bench->console, &bench->loop), 0);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	console_destroy(&bench->console);
	loop_destroy(&bench->loop);
	free(bench);
	return 0;
}

static void print(struct bench *bench, const char *text)
{
	console_output(&bench->console, (const uint8_t *)text, strlen(text));
}

static void backlog_then_live(void **state)
{
	struct bench *bench = *state;
	struct console_reader late = { .more = more, .arg = bench };
	struct console_reader live = { .more = more, .arg = bench };
	uint8_t data[32];
	uint64_t lost;

	print(bench, "before");
	assert_int_equal(console_follow(&bench->console, &late, true), 6);
	assert_int_equal(console_follow(&bench->console, &live, false), 0);
	print(bench, " after");
	assert_int_equal(loop_run(&bench->loop), 0);
	assert_int_equal(bench->calls, 2);
	assert_int_equal(console_read(&bench->console, &late, data, sizeof(data), &lost), 12);
	assert_memory_equal(data, "before after", 12);
	assert_int_equal(console_read(&bench->console, &live, data, sizeof(data), &lost), 6);
	assert_memory_equal(data, " after", 6);
	assert_int_equal(console_read(&bench->console, &live, data, sizeof(data), &lost), 0);
	console_unfollow(&bench->console, &late);
	console_unfollow(&bench->console, &live);
	console_unfollow(&bench->console, &live);
	assert_false(bench->console.followed);
}

static void stop(void *arg)
{
	loop_stop(arg);
}

static void count(void *arg)
{
	(*(unsigned *)arg)++;
}

static void what_follows_closely_is_told_together(void **state)
{
	struct bench *bench = *state;
	unsigned calls = 0;
	struct console_reader reader = { .more = count, .arg = &calls };
	struct loop_timer over = { .fire = stop, .arg = &bench->loop };
	uint64_t start = clock_monotonic(), paces;
	uint8_t data[2048];
	uint64_t lost;

	console_follow(&bench->console, &reader, false);
	for (unsigned i = 0; i < 1000; i++) {
		print(bench, "x");
		loop_timer_set(&bench->loop, &over, 10000);
		assert_int_equal(loop_run(&bench->loop), 0);
	}
	paces = (clock_monotonic() - start) / CONSOLE_PACE;
	assert_in_range(calls, 1, 1 + paces);
	/* The last of them is told of too, and after a rest, long where others run, the next at once. */
	for (unsigned rests = 0; rests < 100 && (!rests || bench->console.telling); rests++) {
		loop_timer_set(&bench->loop, &over, 3 * CONSOLE_PACE);
		assert_int_equal(loop_run(&bench->loop), 0);
	}
	assert_int_equal(console_read(&bench->console, &reader, data, sizeof(data), &lost), 1000);
	assert_false(bench->console.telling);
	calls = 0;
	print(bench, "y");
	loop_timer_set(&bench->loop, &over, 0);
	assert_int_equal(loop_run(&bench->loop), 0);
	assert_int_equal(calls, 1);
	console_unfollow(&bench->console, &reader);
}

static void slow_reader_learns_what_it_lost(void **state)
{
	struct bench *bench = *state;
	struct console_reader reader = { .more = more, .arg = bench };
	static uint8_t data[CONSOLE_SIZE];
	char chunk[1000];
	uint64_t lost;

	console_follow(&bench->console, &reader, true);
	for (unsigned i = 0; i < 100; i++) {
		memset(chunk, 'a' + (int)(i % 26), sizeof(chunk));
		console_output(&bench->console, (const uint8_t *)chunk, sizeof(chunk));
	}
	assert_int_equal(console_read(&bench->console, &reader, data, sizeof(data), &lost),
			 CONSOLE_SIZE);
	assert_int_equal(lost, 100000 - CONSOLE_SIZE);
	assert_int_equal(data[0], 'a' + (100000 - CONSOLE_SIZE) / 1000 % 26);
	assert_int_equal(data[CONSOLE_SIZE - 1], 'a' + 99 % 26);
	console_unfollow(&bench->console, &reader);
}

static void tail_has_whole_lines_without_control_characters(void **state)
{
	struct bench *bench = *state;
	char *tail;

	tail = console_tail(&bench->console, 3);
	assert_string_equal(tail, "");
	free(tail);
	print(bench, "one\r\ntwo\r\n\033[31mthree\033[0m\r\nfour\r\n");
	tail = console_tail(&bench->console, 2);
	assert_string_equal(tail, "three\nfour\n");
	free(tail);
	tail = console_tail(&bench->console, 9);
	assert_string_equal(tail, "one\ntwo\nthree\nfour\n");
	free(tail);
}

static void ignore(void *arg)
{
	(void)arg;
}

/* What the other end has heard. */
struct heard {
	size_t typed;
	unsigned line, rows, columns;
};

static size_t take_two(void *arg, unsigned line, const uint8_t *data, size_t size)
{
	struct heard *heard = arg;

	assert_int_equal(data[0], 'x');
	heard->typed += size;
	heard->line = line;
	return size > 2 ? 2 : size;
}

static void take_window(void *arg, unsigned line, unsigned rows, unsigned columns)
{
	struct heard *heard = arg;

	heard->line = line;
	heard->rows = rows;
	heard->columns = columns;
}

static void typing_goes_to_the_machine_while_there_is_one(void **state)
{
	static const struct console_ops ops = { .input = take_two, .window = take_window };
	struct bench *bench = *state;
	struct heard heard = { 0 };

	assert_int_equal(console_input(&bench->console, (const uint8_t *)"xyz", 3), 0);
	console_attach(&bench->console, &ops, &heard, 7);
	assert_int_equal(console_input(&bench->console, (const uint8_t *)"xyz", 3), 2);
	assert_int_equal(heard.typed, 3);
	assert_int_equal(heard.line, 7);
	assert_int_equal(heard.rows, 0);
	console_attach(&bench->console, NULL, NULL, 0);
	assert_int_equal(console_input(&bench->console, (const uint8_t *)"xyz", 3), 0);
}

/* Also of the next machine, and of one that has not been there yet. */
static void the_machine_hears_of_the_window(void **state)
{
	static const struct console_ops ops = { .input = take_two, .window = take_window };
	static const struct console_ops serial = { .input = take_two };
	struct bench *bench = *state;
	struct heard heard = { 0 };

	console_window(&bench->console, 24, 80);
	console_attach(&bench->console, &ops, &heard, 1);
	assert_int_equal(heard.rows, 24);
	assert_int_equal(heard.columns, 80);
	console_window(&bench->console, 50, 132);
	assert_int_equal(heard.rows, 50);
	console_attach(&bench->console, &serial, &heard, 2);
	console_window(&bench->console, 30, 90);
	console_attach(&bench->console, NULL, NULL, 0);
	assert_int_equal(heard.rows, 50);
	console_attach(&bench->console, &ops, &heard, 3);
	assert_int_equal(heard.columns, 90);
	assert_int_equal(heard.line, 3);
	console_attach(&bench->console, NULL, NULL, 0);
}

/* More at once than the ring has: the last of it, and the rest is counted. */
static void more_than_the_ring(void **state)
{
	static uint8_t data[CONSOLE_SIZE + 10], got[CONSOLE_SIZE];
	struct console_reader reader = { .more = ignore };
	struct bench *bench = *state;
	uint64_t lost;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 >> 4);
	console_follow(&bench->console, &reader, true);
	console_output(&bench->console, (const uint8_t *)"abc", 3);
	console_output(&bench->console, data, sizeof(data));
	assert_int_equal(console_read(&bench->console, &reader, got, sizeof(got), &lost),
			 CONSOLE_SIZE);
	assert_int_equal(lost, 13);
	assert_memory_equal(got, data + 10, CONSOLE_SIZE);
	console_unfollow(&bench->console, &reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(backlog_then_live, setup, teardown),
		cmocka_unit_test_setup_teardown(what_follows_closely_is_told_together, setup,
						teardown),
		cmocka_unit_test_setup_teardown(slow_reader_learns_what_it_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(tail_has_whole_lines_without_control_characters,
						setup, teardown),
		cmocka_unit_test_setup_teardown(the_machine_hears_of_the_window, setup, teardown),
		cmocka_unit_test_setup_teardown(more_than_the_ring, setup, teardown),
		cmocka_unit_test_setup_teardown(typing_goes_to_the_machine_while_there_is_one,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

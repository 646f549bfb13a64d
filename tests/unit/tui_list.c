/* Which guests the deck's view lists, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/checked.h"
#include "base/clock.h"
#include "tui/views/guest_list.h"

#define START (1000 * NS_PER_S)
#define STEP (400 * NS_PER_MS)

struct fixture {
	struct model model;
	struct guest_list list;
	uint64_t now;
};

static void load(struct fixture *f, const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	assert_true(model_guests(&f->model, json));
	json_decref(json);
}

static void values(struct fixture *f, const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	model_values(&f->model, json);
	json_decref(json);
}

static const char guests[] =
	"{\"guests\":["
	"{\"name\":\"a\",\"state\":\"running\",\"since\":3000,\"restarts\":2,"
	"\"nets\":[{\"address\":\"10.0.2.15\"}]},"
	"{\"name\":\"b\",\"state\":\"stopped\",\"restarts\":9},"
	"{\"name\":\"c\",\"state\":\"paused\",\"since\":1000},"
	"{\"name\":\"d\",\"state\":\"crashed\"},"
	"{\"name\":\"e\",\"state\":\"running\",\"since\":2000,\"restarts\":5,"
	"\"nets\":[{},{\"address\":\"10.0.2.9\"}]}]}";

static int start(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->now = START;
	load(f, guests);
	*state = f;
	return 0;
}

static int stop(void **state)
{
	struct fixture *f = *state;

	guest_list_free(&f->list);
	model_destroy(&f->model);
	free(f);
	return 0;
}

/* Each name has one letter. */
static void assert_order(struct fixture *f, const char *expected)
{
	char names[64] = "";

	guest_list_update(&f->list, &f->model, f->now);
	for (size_t i = 0; i < f->list.count; i++)
		strcat(names, f->list.rows[i]->name);
	assert_string_equal(names, expected);
}

static void test_columns(void **state)
{
	static const struct {
		enum guest_sort sort;
		const char *order, *reversed;
	} cases[] = {
		{ SORT_NAME, "abcde", "edcba" },
		{ SORT_STATE, "dcaeb", "baecd" },
		{ SORT_RESTARTS, "eacbd", "caebd" }, /* those that are down have none */
		{ SORT_UPTIME, "ceabd", "aecbd" }, /* from 1000 on is longer than from 3000 on */
		{ SORT_CPU, "ceabd", "aecbd" },
		{ SORT_MEMORY, "aecbd", "ceabd" },
		{ SORT_DISK, "eacbd", "caebd" },
		{ SORT_NET, "caebd", "eacbd" },
		{ SORT_EXITS, "aecbd", "ceabd" },
		{ SORT_ADDRESS, "eabcd", "aebcd" }, /* numbers by their value */
	};
	struct fixture *f = *state;

	_Static_assert(ARRAY_SIZE(cases) == SORT_COUNT, "each column");
	values(f, "{\"guests\":[{\"name\":\"a\",\"values\":{\"cpu\":1,\"memory\":9,\"exits\":7,"
		  "\"disk_read\":3,\"disk_write\":2,\"net_out\":5}},"
		  "{\"name\":\"e\",\"values\":{\"cpu\":2,\"memory\":8,\"exits\":6,\"disk_read\":0,"
		  "\"disk_write\":6,\"net_in\":1,\"net_out\":1}},"
		  "{\"name\":\"gone\",\"values\":{\"cpu\":2}},"
		  "{\"name\":\"b\",\"values\":{\"cpu\":99}},"
		  "{\"name\":\"c\",\"values\":{\"cpu\":3,\"memory\":7,\"exits\":5,\"net_in\":6}}]}");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		guest_list_sort(&f->list, &f->model, cases[i].sort);
		assert_order(f, cases[i].order);
		guest_list_reverse(&f->list);
		assert_order(f, cases[i].reversed);
	}
}

static void test_filter(void **state)
{
	struct fixture *f = *state;

	guest_list_filter(&f->list, "C");
	assert_order(f, "c");
	guest_list_sort(&f->list, &f->model, SORT_STATE);
	assert_order(f, "c");
	guest_list_filter(&f->list, "none");
	assert_order(f, "");
	guest_list_filter(&f->list, "");
	assert_order(f, "dcaeb");
	assert_int_equal(guest_list_find(&f->list, "e"), 3);
}

/* Rows keep still for a second, whatever comes, but what somebody chose is there at once. */
static void test_still(void **state)
{
	struct fixture *f = *state;

	guest_list_sort(&f->list, &f->model, SORT_CPU);
	assert_order(f, "acebd"); /* nothing is known yet */
	values(f, "{\"guests\":[{\"name\":\"a\",\"values\":{\"cpu\":1}},"
		  "{\"name\":\"c\",\"values\":{\"cpu\":2}},{\"name\":\"e\",\"values\":{\"cpu\":3}}]}");
	f->now += STEP;
	assert_order(f, "ecabd"); /* what it waited for */
	values(f, "{\"guests\":[{\"name\":\"a\",\"values\":{\"cpu\":4}}]}");
	f->now += STEP;
	assert_order(f, "ecabd");
	f->now += STEP;
	assert_order(f, "ecabd");
	f->now += STEP;
	assert_order(f, "aecbd");
	/* So they do when guests come and go; new ones are behind the others till then. */
	load(f, "{\"guests\":[{\"name\":\"0\",\"state\":\"running\"},"
		"{\"name\":\"a\",\"state\":\"stopped\"},{\"name\":\"c\",\"state\":\"running\"},"
		"{\"name\":\"e\",\"state\":\"running\"}]}");
	assert_order(f, "aec0");
	f->now += 3 * STEP;
	assert_order(f, "ec0a");
	guest_list_reverse(&f->list);
	assert_order(f, "0cea");
	/* By name nothing moves, and what is new is where it belongs. */
	guest_list_sort(&f->list, &f->model, SORT_NAME);
	assert_order(f, "0ace");
	load(f, "{\"guests\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]}");
	assert_order(f, "abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_columns, start, stop),
		cmocka_unit_test_setup_teardown(test_filter, start, stop),
		cmocka_unit_test_setup_teardown(test_still, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

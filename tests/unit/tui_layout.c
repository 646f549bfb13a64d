/* Where things go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tui/views/layout.h"

static bool inside(struct rect a, struct rect b)
{
	return a.height >= 0 && a.width >= 0 && a.y >= b.y && a.x >= b.x &&
	       a.y + a.height <= b.y + b.height && a.x + a.width <= b.x + b.width;
}

static bool overlap(struct rect a, struct rect b)
{
	return a.height > 0 && b.height > 0 && a.y < b.y + b.height && b.y < a.y + a.height &&
	       a.x < b.x + b.width && b.x < a.x + a.width;
}

/* At every size, all parts lie on the screen and none covers another. */
static void check_deck(enum layout_mode mode)
{
	for (int height = 1; height <= 80; height++)
		for (int width = 20; width <= 260; width += 3)
			for (int guests = 0; guests <= 100; guests += 7) {
				struct rect body = { 1, 0, height, width }, parts[8];
				struct deck_layout layout;
				unsigned n = 0;

				layout_deck(&layout, body, guests, mode);
				parts[n++] = layout.list;
				parts[n++] = layout.host;
				parts[n++] = layout.facts;
				parts[n++] = layout.events;
				for (unsigned i = 0; i < layout.chart_count; i++)
					parts[n++] = layout.charts[i];
				assert_true(layout.list.height > 0);
				for (unsigned i = 0; i < n; i++) {
					assert_true(parts[i].height == 0 ||
						    inside(parts[i], body));
					for (unsigned j = 0; j < i; j++)
						assert_false(overlap(parts[i], parts[j]));
				}
			}
}

static void test_deck(void **state)
{
	(void)state;
	check_deck(LAYOUT_SHARED);
	check_deck(LAYOUT_LIST);
	check_deck(LAYOUT_CHARTED);
}

/* Each has what it is given; where charts have no room the list keeps it. */
static void test_modes(void **state)
{
	struct deck_layout layout;

	(void)state;
	layout_deck(&layout, (struct rect){ 1, 0, 37, 120 }, 100, LAYOUT_LIST);
	assert_int_equal(layout.list.height, 35);
	assert_int_equal(layout.facts.y, 37);
	assert_int_equal(layout.host.height, 1);
	assert_int_equal(layout.chart_count, 0);
	layout_deck(&layout, (struct rect){ 1, 0, 6, 120 }, 100, LAYOUT_LIST);
	assert_int_equal(layout.list.height, 6);
	layout_deck(&layout, (struct rect){ 1, 0, 37, 120 }, 100, LAYOUT_CHARTED);
	assert_int_equal(layout.chart_count, 4);
	assert_int_equal(layout.list.height, 2);
	assert_int_equal(layout.charts[3].y + layout.charts[3].height, 38);
	layout_deck(&layout, (struct rect){ 1, 0, 9, 80 }, 100, LAYOUT_CHARTED);
	assert_int_equal(layout.chart_count, 2);
	layout_deck(&layout, (struct rect){ 1, 0, 7, 80 }, 100, LAYOUT_CHARTED);
	assert_int_equal(layout.chart_count, 0);
	assert_int_equal(layout.list.height, 7);
}

static void test_sizes(void **state)
{
	struct deck_layout layout;

	(void)state;
	layout_deck(&layout, (struct rect){ 1, 0, 37, 120 }, 3, LAYOUT_SHARED);
	assert_int_equal(layout.chart_count, 4);
	assert_true(layout.events.height > 0);
	layout_deck(&layout, (struct rect){ 1, 0, 21, 80 }, 3, LAYOUT_SHARED);
	assert_int_equal(layout.chart_count, 4);
	layout_deck(&layout, (struct rect){ 1, 0, 21, 80 }, 50, LAYOUT_SHARED);
	assert_int_equal(layout.chart_count, 4);
	assert_int_equal(layout.list.height, 8);
	layout_deck(&layout, (struct rect){ 0, 0, 5, 20 }, 3, LAYOUT_SHARED);
	assert_int_equal(layout.chart_count, 0);
	assert_int_equal(layout.list.height, 5);
}

/* The host's line takes its place from charts, or from nobody. */
static void test_host(void **state)
{
	static const struct {
		int height, guests, list, host;
		enum layout_mode mode;
	} cases[] = {
		{ 21, 50, 8, 1, LAYOUT_SHARED },  { 20, 50, 8, 0, LAYOUT_SHARED },
		{ 20, 3, 6, 1, LAYOUT_SHARED },	  { 19, 3, 6, 0, LAYOUT_SHARED },
		{ 21, 50, 20, 0, LAYOUT_LIST },	  { 21, 15, 19, 1, LAYOUT_LIST },
		{ 21, 50, 2, 1, LAYOUT_CHARTED }, { 60, 90, 29, 1, LAYOUT_SHARED },
	};
	struct deck_layout layout;

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		layout_deck(&layout, (struct rect){ 1, 0, cases[i].height, 80 }, cases[i].guests,
			    cases[i].mode);
		assert_int_equal(layout.list.height, cases[i].list);
		assert_int_equal(layout.host.height, cases[i].host);
	}
}

static void test_columns(void **state)
{
	(void)state;
	for (int width = 18; width <= 250; width++) {
		const struct column_needs needs = { 9, width % 3 * 7, width % 2,
						    (enum column)(width % COLUMN_COUNT) };
		struct column_layout c;
		int end = 2;

		layout_columns(&c, 2, width, &needs);
		/* By what it is sorted is there from where there is room for it. */
		if (width >= 40 && needs.sorted != COLUMN_CPU_LINE &&
		    needs.sorted != COLUMN_MEMORY_LINE && needs.sorted != COLUMN_DISK_LINE &&
		    needs.sorted != COLUMN_NET_LINE)
			assert_true(c.width[needs.sorted] > 0);
		assert_true(c.width[COLUMN_NAME] > 0 && c.width[COLUMN_STATE] > 0);
		for (unsigned i = 0; i < COLUMN_COUNT; i++) {
			assert_true(c.width[i] >= 0);
			if (!c.width[i])
				continue;
			assert_true(c.x[i] >= end);
			end = c.x[i] + c.width[i];
		}
		assert_true(end <= 2 + width);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deck),	     cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_columns),	     cmocka_unit_test(test_modes),
		cmocka_unit_test(test_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

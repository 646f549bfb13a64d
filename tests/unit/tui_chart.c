/* Braille charts. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tui/canvas/chart.h"
#include "tui/canvas/draw.h"

static void test_fill_up(void **state)
{
	const float dots[4] = { 0, 50, 100, NAN };
	uint8_t cells[4];

	(void)state;
	/* 2 columns x 2 rows, 8 levels: 1 (the base line), 4, 8, none. */
	chart_fill(dots, 2, 2, 100, false, cells);
	assert_int_equal(cells[0], 0);
	assert_int_equal(cells[2], 0x40 | 0x08 | 0x10 | 0x20 | 0x80);
	assert_int_equal(cells[1], 0x01 | 0x02 | 0x04 | 0x40);
	assert_int_equal(cells[3], 0x01 | 0x02 | 0x04 | 0x40);
}

static void test_fill_down(void **state)
{
	const float dots[2] = { 25, 1000 };
	uint8_t cells[1];

	(void)state;
	chart_fill(dots, 1, 1, 100, true, cells);
	assert_int_equal(cells[0], 0x01 | 0x08 | 0x10 | 0x20 | 0x80);
}

static void push(struct chart_series *series, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		chart_push(series, (float)series->total);
}

/* A full series fills a chart of any width, from its oldest to its newest sample. */
static void test_spread_full(void **state)
{
	static float dots[1024];

	(void)state;
	for (unsigned more = 0; more < 7; more++)
		for (unsigned width = 1; width <= 1024; width++) {
			struct chart_series series = { 0 };

			push(&series, CHART_SAMPLES + more * 37);
			chart_spread(&series, dots, width);
			for (unsigned i = 0; i < width; i++)
				assert_false(isnan(dots[i]));
			assert_true(dots[width - 1] == chart_last(&series));
			for (unsigned i = 1; i < width; i++)
				assert_true(dots[i] >= dots[i - 1]);
		}
}

/* A new sample moves the chart by whole dots: what was shown keeps its shape. */
static void test_spread_steady(void **state)
{
	struct chart_series series = { 0 };
	float before[100], after[100];

	(void)state;
	srand(1);
	for (unsigned i = 0; i < 2 * CHART_SAMPLES; i++)
		chart_push(&series, (float)(rand() % 1000));
	for (unsigned n = 0; n < 500; n++) {
		bool same = true, moved = true;

		chart_spread(&series, before, 100);
		chart_push(&series, (float)(rand() % 1000));
		chart_spread(&series, after, 100);
		/* The first dot loses samples, the last one gains some. */
		for (unsigned i = 1; i < 99; i++) {
			same = same && after[i] == before[i];
			moved = moved && (i == 98 || after[i] == before[i + 1]);
		}
		assert_true(same || moved);
	}
}

static void test_spread_young(void **state)
{
	struct chart_series series = { 0 };
	float dots[240];

	(void)state;
	chart_spread(&series, dots, 240);
	for (unsigned i = 0; i < 240; i++)
		assert_true(isnan(dots[i]));
	push(&series, 3);
	chart_spread(&series, dots, 240);
	assert_true(isnan(dots[236]));
	assert_true(dots[237] == 0 && dots[239] == 2);
}

static void test_ceiling(void **state)
{
	(void)state;
	assert_true(chart_ceiling(0, 1000) == 1000);
	assert_true(chart_ceiling(1001, 1000) == 2000);
	assert_true(chart_ceiling(4999, 1) == 5000);
	assert_true(chart_ceiling(5001, 1) == 10000);
	assert_true(chart_ceiling(NAN, 7) == 7);
	assert_true(isfinite(chart_ceiling(INFINITY, 1)));
}

static void test_marks(void **state)
{
	(void)state;
	assert_int_equal(chart_ascii(0), ' ');
	assert_int_equal(chart_ascii(0xff), '#');
	assert_int_equal(chart_ascii(0x40), '.');
	assert_int_equal(chart_block(0), ' ');
	assert_int_equal(chart_block(0xff), 0x2588);
	assert_int_equal(chart_block(0x40), 0x2584);
	assert_int_equal(chart_block(0x1b), 0x2580);
	assert_int_equal(chart_block(0xc0 | 0x24 | 0x10), 0x2584);
	assert_int_equal(chart_level(0, 100), 1);
	assert_int_equal(chart_level(100, 100), 8);
	assert_int_equal(chart_level(500, 100), 8);
	assert_int_equal(chart_level(NAN, 100), 0);
}

/* A sparkline of reads and writes has both. */
static void test_sum(void **state)
{
	static struct chart_series reads, writes, young;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		chart_push(&reads, 1);
		chart_push(&writes, i == 2 ? 7 : 0);
	}
	chart_push(&young, 3);
	assert_true(chart_peak(&reads, NULL) == 1);
	assert_true(chart_peak(&reads, &writes) == 8);
	assert_true(chart_sum(&reads, &writes, 3) == 8);
	assert_true(chart_sum(&reads, &writes, 1) == 1);
	assert_true(chart_sum(&reads, &young, 1) == 4);
	assert_true(chart_sum(&reads, &young, 2) == 1);
}

static void test_glyphs(void **state)
{
	(void)state;
	assert_int_equal(draw_glyphs("xterm-256color", true, NULL), GLYPHS_ALL);
	assert_int_equal(draw_glyphs("xterm-256color", false, "all"), GLYPHS_ASCII);
	assert_int_equal(draw_glyphs("linux", true, NULL), GLYPHS_CONSOLE);
	assert_int_equal(draw_glyphs("linux-16color", true, NULL), GLYPHS_CONSOLE);
	assert_int_equal(draw_glyphs("vt100", true, NULL), GLYPHS_ASCII);
	assert_int_equal(draw_glyphs("vte-256color", true, NULL), GLYPHS_ALL);
	assert_int_equal(draw_glyphs("vt100", true, "console"), GLYPHS_CONSOLE);
	assert_int_equal(draw_glyphs("linux", true, "nonsense"), GLYPHS_CONSOLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_glyphs),
		cmocka_unit_test(test_fill_up),       cmocka_unit_test(test_fill_down),
		cmocka_unit_test(test_spread_full),   cmocka_unit_test(test_spread_steady),
		cmocka_unit_test(test_spread_young),  cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_marks),	      cmocka_unit_test(test_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

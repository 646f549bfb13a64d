/* Averages of statistics over longer times. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "control/spans.h"

static void add(struct spans *spans, float cpu, uint64_t ms)
{
	float values[SPAN_FIELDS] = { [STATS_CPU] = cpu, [STATS_EXITS] = cpu * 1000 };

	spans_add(spans, values, ms * NS_PER_MS);
}

/* The slot that is back from the open one; the end of that is as it should be, too. */
static float at(const struct spans *spans, enum stats_span span, unsigned field, unsigned back,
		uint64_t now_ms)
{
	uint64_t ends, time = spans_slot_time(span);
	float values[SPAN_SLOTS_MAX];

	spans_get(spans, span, field, values, &ends);
	assert_int_equal(ends, (now_ms * NS_PER_MS / time + 1) * time);
	return values[spans_slots(span) - 1 - back];
}

static bool near(float value, double wanted)
{
	return fabs((double)value - wanted) <= wanted / 200;
}

static void slots_have_averages(void **state)
{
	struct spans *spans = spans_new();

	(void)state;
	assert_true(isnan(at(spans, SPAN_HOUR, STATS_CPU, 0, 0)));
	for (uint64_t ms = 100000; ms < 130000; ms += 500)
		add(spans, (float)(ms / 10000), ms); /* 10, 11, 12 */
	add(spans, 40, 130000);
	add(spans, 60, 130500);
	assert_true(near(at(spans, SPAN_10_MINUTES, STATS_CPU, 0, 130500), 50));
	assert_true(near(at(spans, SPAN_10_MINUTES, STATS_CPU, 1, 130500), 12));
	assert_true(near(at(spans, SPAN_10_MINUTES, STATS_CPU, 3, 130500), 10));
	assert_true(near(at(spans, SPAN_10_MINUTES, STATS_EXITS, 3, 130500), 10000));
	assert_true(isnan(at(spans, SPAN_10_MINUTES, STATS_CPU, 4, 130500)));
	assert_true(near(at(spans, SPAN_HOUR, STATS_CPU, 1, 130500), 10.5));
	assert_true(near(at(spans, SPAN_DAY, STATS_CPU, 0, 130500), (660 + 100) / 62.0));
	spans_free(spans);
}

static void a_guest_that_does_not_run_has_none(void **state)
{
	struct spans *spans = spans_new();

	(void)state;
	add(spans, 10, 5000);
	spans_add(spans, NULL, 9500 * NS_PER_MS); /* it ran for half of it */
	spans_add(spans, NULL, 12000 * NS_PER_MS);
	add(spans, 30, 21000);
	assert_true(near(at(spans, SPAN_10_MINUTES, STATS_CPU, 0, 21000), 30));
	assert_true(isnan(at(spans, SPAN_10_MINUTES, STATS_CPU, 1, 21000)));
	assert_true(near(at(spans, SPAN_10_MINUTES, STATS_CPU, 2, 21000), 10));
	assert_true(near(at(spans, SPAN_HOUR, STATS_CPU, 0, 21000), 20));
	spans_free(spans);
}

/* As on a host that slept: what nothing came of is nothing, however long it was. */
static void what_is_long_ago_is_forgotten(void **state)
{
	static const uint64_t gaps[] = { 590000, 600000, 610000, 3600000, 900000000 };

	(void)state;
	for (unsigned i = 0; i < sizeof(gaps) / sizeof(*gaps); i++) {
		struct spans *spans = spans_new();
		uint64_t now = 5000 + gaps[i];
		unsigned known = 0;

		add(spans, 10, 5000);
		add(spans, 20, now);
		for (unsigned back = 0; back < spans_slots(SPAN_10_MINUTES); back++)
			known += !isnan(at(spans, SPAN_10_MINUTES, STATS_CPU, back, now));
		assert_int_equal(known, gaps[i] < 600000 ? 2 : 1);
		spans_free(spans);
	}
}

static void extremes_are_kept(void **state)
{
	struct spans *spans = spans_new();

	(void)state;
	add(spans, 1e30f, 5000);
	add(spans, INFINITY, 15000);
	add(spans, 0, 25000);
	add(spans, 0, 35000);
	assert_true(near(at(spans, SPAN_10_MINUTES, STATS_CPU, 3, 35000), 1e30));
	assert_true(isnan(at(spans, SPAN_10_MINUTES, STATS_CPU, 2, 35000)));
	assert_true(at(spans, SPAN_10_MINUTES, STATS_CPU, 1, 35000) == 0);
	spans_free(spans);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_have_averages),
		cmocka_unit_test(a_guest_that_does_not_run_has_none),
		cmocka_unit_test(what_is_long_ago_is_forgotten),
		cmocka_unit_test(extremes_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

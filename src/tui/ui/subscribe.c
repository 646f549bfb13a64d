/*
 * The samples of what is shown: one stats.subscribe for the guests that the
 * view names, made anew (with its history) when they change. Screen thread.
 */
#include "tui/ui/subscribe.h"

#include "base/clock.h"
#include "tui/model/json.h"

#define INTERVAL_MS 500
#define INTERVAL (INTERVAL_MS * NS_PER_MS)

/* Takes the samples that are due at now; params is a notification or NULL. */
static void sample(struct tui *tui, const json_t *params, uint64_t now)
{
	struct subscription *stats = &tui->stats;
	uint64_t steps = (now - stats->sampled + INTERVAL / 2) / INTERVAL;

	stats->sampled += steps * INTERVAL;
	if (params && steps)
		stats->sampled = now; /* the server's beat counts, not ours */
	if (steps > CHART_SAMPLES)
		steps = CHART_SAMPLES;
	if (params || steps)
		model_stats(&tui->model, params, stats->names, (unsigned)steps);
	loop_timer_set(&tui->loop, &stats->fill, INTERVAL * 3 / 2);
	tui_dirty(tui);
}

/* No notification came: everything is as it was. */
static void fill(void *arg)
{
	struct tui *tui = arg;

	sample(tui, NULL, clock_monotonic() - INTERVAL / 2);
	loop_timer_set(&tui->loop, &tui->stats.fill, INTERVAL);
}

void subscribe_init(struct tui *tui)
{
	tui->stats.fill = (struct loop_timer){ .fire = fill, .arg = tui };
}

static json_t *wanted(struct tui *tui)
{
	const struct view *view = tui_view(tui);

	return view->stats ? view->stats(tui) : NULL;
}

static void subscribed(void *arg, json_t *result, const struct client_error *error)
{
	struct tui *tui = arg;

	tui->stats.asked = false;
	/* A guest may have gone meanwhile; the next list of guests makes another try. */
	tui->stats.failed = error != NULL;
	if (error)
		return;
	tui->stats.id = json_integer_value(json_object_get(result, "subscription"));
	model_history(&tui->model, json_object_get(result, "history"));
	tui->stats.sampled = clock_monotonic();
	loop_timer_set(&tui->loop, &tui->stats.fill, INTERVAL * 3 / 2);
	tui_dirty(tui);
}

static void cancel(struct tui *tui)
{
	if (tui->stats.id)
		tui_call(tui, "stats.cancel",
			 json_pack("{s:I}", "subscription", tui->stats.id), NULL);
	tui->stats.id = 0;
	loop_timer_cancel(&tui->loop, &tui->stats.fill);
	json_decref(tui->stats.names);
	tui->stats.names = NULL;
}

void subscribe_update(struct tui *tui)
{
	struct subscription *stats = &tui->stats;
	json_t *names;

	if (stats->asked)
		return;
	names = wanted(tui);
	if (names && json_array_size(names) == 0) {
		json_decref(names);
		names = NULL;
	}
	if (!stats->stale && (names == stats->names || (names && stats->names &&
							json_equal(names, stats->names)))) {
		json_decref(names);
		return;
	}
	cancel(tui);
	stats->stale = stats->failed = false;
	stats->names = names;
	if (names)
		stats->asked = tui_call(tui, "stats.subscribe",
					json_pack("{s:O,s:i,s:b}", "guests", names, "interval_ms",
						  INTERVAL_MS, "history", 1),
					subscribed);
}

void subscribe_notified(struct tui *tui, const json_t *params)
{
	if (!tui->stats.id ||
	    json_integer_value(json_object_get(params, "subscription")) != tui->stats.id)
		return;
	if (json_count(params, "dropped"))
		tui->stats.stale = true; /* the history fills the gap */
	sample(tui, params, clock_monotonic());
}

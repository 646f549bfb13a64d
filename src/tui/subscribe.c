/*
 * The samples of what is shown: one stats.subscribe for the guests that the
 * view names, made anew (with its history) when they change. Screen thread.
 */
#include "tui/json.h"
#include "tui/view.h"

#define INTERVAL_MS 500

static const struct view *const views[VIEW_COUNT] = {
	[VIEW_DECK] = &view_deck, [VIEW_GUEST] = &view_guest,
};

static json_t *wanted(struct tui *tui)
{
	const struct view *view = views[tui->stack[tui->depth - 1]];

	return view && view->stats ? view->stats(tui) : NULL;
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
	tui_dirty(tui);
}

static void cancel(struct tui *tui)
{
	if (tui->stats.id)
		tui_call(tui, "stats.cancel",
			 json_pack("{s:I}", "subscription", tui->stats.id), NULL);
	tui->stats.id = 0;
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
	model_stats(&tui->model, params, tui->stats.names);
	tui_dirty(tui);
}

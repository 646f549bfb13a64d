/*
 * The samples of what is shown: one subscription for the guests that the view
 * names, made anew (with its history) when they change; and one for the newest
 * values of all, and one for the host, where the view needs those. Screen thread.
 */
#include "tui/ui/samples.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "control/message_text.h"
#include "tui/model/json.h"
#include "tui/ui/subscribe.h"

#define INTERVAL_MS 500
#define SLOW_INTERVAL_MS 1000 /* of all guests */
#define HOST_INTERVAL_MS 2000 /* what the kernel tells of pressure is no newer */
#define INTERVAL (INTERVAL_MS * NS_PER_MS)

struct samples {
	struct tui_deck *deck;
	struct subscription stream, all, host;
	unsigned needs; /* VIEW_NEEDS_* */
	json_t *names; /* of the one that is there or asked for; NULL: none */
	bool stale, failed;
	uint64_t sampled;	/* when the newest sample was taken, CLOCK_MONOTONIC */
	struct loop_timer fill; /* the server is silent when nothing changes */
};

/* Takes the samples that are due at now; params is a notification or NULL. */
static void sample(struct samples *samples, const json_t *params, uint64_t now)
{
	uint64_t steps = (now - samples->sampled + INTERVAL / 2) / INTERVAL;
	struct tui_deck *deck = samples->deck;

	samples->sampled += steps * INTERVAL;
	if (params && steps)
		samples->sampled = now; /* the server's beat counts, not ours */
	if (steps > CHART_SAMPLES)
		steps = CHART_SAMPLES;
	if (params || steps)
		model_stats(&deck->model, params, samples->names, (unsigned)steps);
	loop_timer_set(&deck->tui->loop, &samples->fill, INTERVAL * 3 / 2);
	tui_dirty(deck->tui);
}

/* No notification came: everything is as it was. */
static void fill(void *arg)
{
	struct samples *samples = arg;

	sample(samples, NULL, clock_monotonic() - INTERVAL / 2);
	loop_timer_set(&samples->deck->tui->loop, &samples->fill, INTERVAL);
}

static void answered(void *arg, json_t *result, const struct client_error *error)
{
	struct samples *samples = arg;
	struct tui_deck *deck = samples->deck;

	/* A guest may have gone meanwhile; the next list of guests makes another try. */
	samples->failed = error != NULL;
	if (error)
		return;
	model_history(&deck->model, json_object_get(result, "history"));
	samples->sampled = clock_monotonic();
	loop_timer_set(&deck->tui->loop, &samples->fill, INTERVAL * 3 / 2);
	tui_dirty(deck->tui);
}

static void notified(void *arg, const json_t *params)
{
	struct samples *samples = arg;

	if (json_count(params, "dropped"))
		samples->stale = true; /* the history fills the gap */
	sample(samples, params, clock_monotonic());
}

static void all_answered(void *arg, json_t *result, const struct client_error *error)
{
	(void)arg;
	(void)result;
	(void)error;
}

static void all_notified(void *arg, const json_t *params)
{
	struct samples *samples = arg;

	model_values(&samples->deck->model, params);
	tui_dirty(samples->deck->tui);
}

static void host_answered(void *arg, json_t *result, const struct client_error *error)
{
	struct samples *samples = arg;

	/* A deck of another version may know of none. */
	if (!error)
		model_host_begins(&samples->deck->model, result);
}

static void host_notified(void *arg, const json_t *params)
{
	struct samples *samples = arg;

	model_host_tells(&samples->deck->model, params);
	if (!samples->fill.armed) /* else it is seen with the next samples, in a moment */
		tui_dirty(samples->deck->tui);
}

int samples_new(struct tui_deck *deck)
{
	struct samples *samples = calloc(1, sizeof(*samples));

	if (!samples)
		return -ENOMEM;
	samples->deck = deck;
	samples->stream = (struct subscription){ .deck = deck, .name = "stats",
						 .answered = answered, .notified = notified,
						 .arg = samples };
	samples->fill = (struct loop_timer){ .fire = fill, .arg = samples };
	samples->all = (struct subscription){ .deck = deck, .name = "stats",
					      .answered = all_answered, .notified = all_notified,
					      .arg = samples };
	subscription_add(&samples->stream);
	samples->host = (struct subscription){ .deck = deck, .name = "host",
					       .answered = host_answered,
					       .notified = host_notified, .arg = samples };
	subscription_add(&samples->all);
	subscription_add(&samples->host);
	deck->samples = samples;
	return 0;
}

void samples_want(struct samples *samples, json_t *names)
{
	if (names && json_array_size(names) == 0) {
		json_decref(names);
		names = NULL;
	}
	/* One that is asked for is seen through: it is compared when the next frame is drawn. */
	if (samples->stream.asked ||
	    (!samples->stale && (names == samples->names ||
				 (names && samples->names && json_equal(names, samples->names))))) {
		json_decref(names);
		return;
	}
	loop_timer_cancel(&samples->deck->tui->loop, &samples->fill);
	json_decref(samples->names);
	samples->names = names;
	samples->stale = samples->failed = false;
	if (names)
		subscription_start(&samples->stream,
				   json_pack("{s:O,s:i,s:b}", "guests", names, "interval_ms",
					     INTERVAL_MS, "history", 1));
	else
		subscription_stop(&samples->stream);
}

static void need_all(struct samples *samples, bool needed)
{
	if (needed)
		subscription_start(&samples->all, json_pack("{s:o,s:i}", "guests",
							    message_text("*"), "interval_ms",
							    SLOW_INTERVAL_MS));
	else
		subscription_stop(&samples->all);
}

static void need_host(struct samples *samples, bool needed)
{
	if (needed)
		subscription_start(&samples->host, json_pack("{s:i}", "interval_ms",
							     HOST_INTERVAL_MS));
	else
		subscription_stop(&samples->host);
}

void samples_need(struct samples *samples, unsigned needs)
{
	unsigned changed = needs ^ samples->needs;

	samples->needs = needs;
	if (changed & VIEW_NEEDS_ALL)
		need_all(samples, needs & VIEW_NEEDS_ALL);
	if (changed & VIEW_NEEDS_HOST)
		need_host(samples, needs & VIEW_NEEDS_HOST);
}

void samples_retry(struct samples *samples)
{
	samples->stale = samples->stale || samples->failed;
}

void samples_free(struct samples *samples)
{
	if (!samples)
		return;
	loop_timer_cancel(&samples->deck->tui->loop, &samples->fill);
	subscription_destroy(&samples->stream);
	subscription_destroy(&samples->all);
	subscription_destroy(&samples->host);
	json_decref(samples->names);
	free(samples);
}

/*
 * Statistics: columns of changed values at each client's own interval. Deck thread.
 *
 * A row remembers what the client was told last, so a notification that was
 * dropped costs time, never a value: the next one carries the difference to
 * what was really sent.
 */
#include "core/server/streams/streams.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "control/message.h"
#include "core/bus/device.h"

#define HISTORY_VALUES_MAX 150000u /* of one response, so that it fits a client's queue */

struct stats_row {
	char name[NAME_SIZE];
	struct guest *guest;
	uint64_t count;	 /* stats_count() of what was sent last */
	unsigned fields; /* in sent */
	float *sent;
};

struct stats_subscription {
	struct subscription base;
	struct deck *deck;
	struct loop_timer timer;
	uint64_t interval; /* ns */
	bool all;	   /* "*" */
	bool stale;	   /* guests came or went: look them up again */
	struct stats_row *rows;
	size_t row_count;
	uint64_t dropped;
};

static struct stats_subscription *of(struct subscription *base)
{
	return container_of(base, struct stats_subscription, base);
}

static void free_rows(struct stats_subscription *stats)
{
	for (size_t i = 0; i < stats->row_count; i++)
		free(stats->rows[i].sent);
	free(stats->rows);
	stats->rows = NULL;
	stats->row_count = 0;
}

static void cancel(struct subscription *base)
{
	struct stats_subscription *stats = of(base);

	if (base->peer)
		loop_timer_cancel(base->peer->peers->loop, &stats->timer);
	free_rows(stats);
	free(stats);
}

/* Makes count rows whose guests are still to be set. */
static int make_rows(struct stats_subscription *stats, size_t count)
{
	free_rows(stats);
	stats->rows = calloc(count ? count : 1, sizeof(*stats->rows));
	if (!stats->rows)
		return -ENOMEM;
	stats->row_count = count;
	return 0;
}

static void set_row(struct stats_row *row, struct guest *guest)
{
	strncpy(row->name, guest_name(guest), sizeof(row->name) - 1);
	row->guest = guest;
}

static int rows_of_all(struct stats_subscription *stats, struct deck *deck)
{
	struct guest *guest;
	size_t count = 0;
	int error;

	while (deck_guest(deck, count))
		count++;
	error = make_rows(stats, count);
	for (size_t i = 0; error == 0 && i < count && (guest = deck_guest(deck, i)); i++)
		set_row(&stats->rows[i], guest);
	return error;
}

/* Rows of the named guests; names of none are put into missing. */
static int rows_of_names(struct stats_subscription *stats, struct deck *deck,
			 const json_t *names, json_t *missing)
{
	size_t count = json_array_size(names), used = 0;
	int error = make_rows(stats, count);

	for (size_t i = 0; error == 0 && i < count; i++) {
		json_t *name = json_array_get(names, i);
		struct guest *guest = deck_find(deck, json_string_value(name));

		if (guest)
			set_row(&stats->rows[used++], guest);
		else
			json_array_append(missing, name);
	}
	stats->row_count = used;
	return error;
}

static int read_rows(struct stats_subscription *stats, const struct request *request,
		     json_t *missing, struct cause *cause)
{
	json_t *names = json_object_get(request->params, "guests");
	int error;

	stats->all = json_is_string(names);
	stats->stale = false;
	if (stats->all)
		error = rows_of_all(stats, request->deck);
	else
		error = rows_of_names(stats, request->deck, names, missing);
	return error < 0 ? cause_errno(cause, -error, "statistics") : 0;
}

/* Looks the guests up again after a change of profiles; a row without guest stays silent. */
static void refresh_rows(struct stats_subscription *stats, struct deck *deck)
{
	stats->stale = false;
	if (stats->all) {
		rows_of_all(stats, deck);
		return;
	}
	for (size_t i = 0; i < stats->row_count; i++) {
		stats->rows[i].guest = deck_find(deck, stats->rows[i].name);
		stats->rows[i].count = 0;
	}
}

/*
 * To whole numbers, half of one away from zero. What is too large for that has
 * no fraction. round(3) would be the only reason to load libm at each start.
 */
static double whole(double value)
{
	return fabs(value) < 9e15 ? (double)(int64_t)(value + copysign(0.5, value)) : value;
}

/* Two decimals are all that a chart can show, and keep noise from being a change. */
static float rounded(float value)
{
	if (!isfinite(value))
		return 0;
	return (float)(fabsf(value) < 10000 ? whole((double)value * 100) / 100 : whole(value));
}

static json_t *number(float value)
{
	double exact = rounded(value);

	if (exact == whole(exact) && fabs(exact) < 9e15)
		return json_integer((json_int_t)exact);
	return json_real(whole(exact * 100) / 100);
}

/* Room for what is sent of each field; new fields count as never sent. */
static bool fit_fields(struct stats_row *row, unsigned fields)
{
	float *grown;

	if (fields == row->fields)
		return true;
	grown = realloc(row->sent, (fields ? fields : 1) * sizeof(*grown));
	if (!grown)
		return false;
	for (unsigned i = row->fields; i < fields; i++)
		grown[i] = NAN;
	row->sent = grown;
	row->fields = fields;
	return true;
}

/* NULL for a guest that has gone or whose profile has mistakes. */
static const struct stats_series *series_of(const struct stats_row *row)
{
	return row->guest ? guest_stats(row->guest) : NULL;
}

/* The values of a row that changed since they were sent, or NULL. */
static json_t *changed_values(struct stats_row *row)
{
	const struct stats_series *series = series_of(row);
	struct device_memory memory;
	json_t *values = NULL;
	char name[STATS_NAME_SIZE];

	if (!series || stats_count(series) == row->count || !fit_fields(row, stats_fields(series)))
		return NULL;
	row->count = stats_count(series);
	/* Somebody looks: what the guest says is of this moment next time. */
	guest_memory_view(row->guest, &memory);
	for (unsigned i = 0; i < row->fields; i++) {
		float value = rounded(stats_last(series, i));

		if (value == row->sent[i])
			continue;
		row->sent[i] = value;
		if (!values)
			values = json_object();
		stats_field_name(i, name);
		json_object_set_new_nocheck(values, name, number(value));
	}
	return values;
}

static json_t *changed_rows(struct stats_subscription *stats)
{
	json_t *rows = NULL;

	for (size_t i = 0; i < stats->row_count; i++) {
		json_t *values = changed_values(&stats->rows[i]);

		if (!values)
			continue;
		if (!rows)
			rows = json_array();
		json_array_append_new(rows, json_pack("{s:o, s:o}", "name",
						      message_text(stats->rows[i].name), "values",
						      values));
	}
	return rows;
}

static bool has_news(const struct stats_subscription *stats)
{
	for (size_t i = 0; i < stats->row_count; i++) {
		const struct stats_series *series = series_of(&stats->rows[i]);

		if (series && stats_count(series) != stats->rows[i].count)
			return true;
	}
	return false;
}

static void tick(void *arg)
{
	struct stats_subscription *stats = arg;
	struct peer *peer = stats->base.peer;
	json_t *rows, *params;

	loop_timer_set_aligned(peer->peers->loop, &stats->timer, stats->interval);
	if (stats->stale)
		refresh_rows(stats, stats->deck);
	if (!peer_may_notify(peer)) {
		stats->dropped += has_news(stats);
		return;
	}
	rows = changed_rows(stats);
	if (!rows)
		return;
	params = json_pack("{s:I, s:I, s:o}", "subscription", (json_int_t)stats->base.id, "time",
			   (json_int_t)clock_wall(), "guests", rows);
	if (params && stats->dropped)
		json_object_set_new(params, "dropped", json_integer((json_int_t)stats->dropped));
	stats->dropped = 0;
	peer_send(peer, message_notification("stats", params)); /* may end the subscription */
}

/* The names of all fields that a row can have. */
static json_t *fields_json(const struct stats_subscription *stats)
{
	unsigned count = STATS_VCPU;
	json_t *fields = json_array();
	char name[STATS_NAME_SIZE];

	for (size_t i = 0; i < stats->row_count; i++) {
		const struct stats_series *series = series_of(&stats->rows[i]);
		unsigned n = series ? stats_fields(series) : 0;

		count = n > count ? n : count;
	}
	for (unsigned i = 0; i < count; i++) {
		stats_field_name(i, name);
		json_array_append_new(fields, message_text(name));
	}
	return fields;
}

static json_t *row_history(const struct stats_row *row, size_t *budget)
{
	const struct stats_series *series = series_of(row);
	float samples[STATS_HISTORY];
	json_t *fields = json_object();
	char name[STATS_NAME_SIZE];

	for (unsigned i = 0; series && i < stats_fields(series); i++) {
		size_t count = stats_history(series, i, samples, STATS_HISTORY);
		json_t *list = json_array();

		if (count > *budget)
			count = 0;
		*budget -= count;
		for (size_t j = 0; j < count; j++)
			json_array_append_new(list, number(samples[j]));
		stats_field_name(i, name);
		json_object_set_new_nocheck(fields, name, list);
	}
	return json_pack("{s:o, s:o}", "name", message_text(row->name), "fields", fields);
}

static json_t *history_json(const struct stats_subscription *stats)
{
	size_t budget = HISTORY_VALUES_MAX;
	json_t *guests = json_array();

	for (size_t i = 0; i < stats->row_count && budget > STATS_HISTORY; i++)
		json_array_append_new(guests, row_history(&stats->rows[i], &budget));
	return json_pack("{s:i, s:o}", "interval_ms", STATS_INTERVAL_MS, "guests", guests);
}

static int subscribe(struct request *request, struct cause *cause)
{
	struct stats_subscription *stats = calloc(1, sizeof(*stats));
	json_t *missing = json_array();
	int error;

	if (!stats || !missing) {
		free(stats);
		json_decref(missing);
		return cause_errno(cause, ENOMEM, "stats.subscribe");
	}
	stats->base.kind = METHOD_STATS_SUBSCRIBE;
	stats->base.cancel = cancel;
	stats->deck = request->deck;
	stats->interval = param_integer(request, "interval_ms", STATS_INTERVAL_MS) * NS_PER_MS;
	stats->timer = (struct loop_timer){ .fire = tick, .arg = stats };
	error = read_rows(stats, request, missing, cause);
	if (error == 0)
		error = peer_subscribe(request->peer, &stats->base, cause);
	if (error < 0) {
		cancel(&stats->base);
		json_decref(missing);
		return error;
	}
	request->result = json_pack("{s:I, s:o, s:o}", "subscription", (json_int_t)stats->base.id,
				    "fields", fields_json(stats), "missing", missing);
	if (request->result && param_bool(request, "history"))
		json_object_set_new(request->result, "history", history_json(stats));
	loop_timer_set(request->server->loop, &stats->timer, 0);
	return 0;
}

static int update(struct request *request, struct cause *cause)
{
	struct subscription *base = peer_find(request->peer,
					      param_integer(request, "subscription", 0),
					      METHOD_STATS_SUBSCRIBE, cause);
	json_t *missing;
	int error;

	if (!base)
		return -ENOENT;
	missing = json_array();
	error = read_rows(of(base), request, missing, cause);
	if (error < 0) {
		json_decref(missing);
		return error;
	}
	request->result = json_pack("{s:o, s:o}", "fields", fields_json(of(base)), "missing",
				    missing);
	loop_timer_set(request->server->loop, &of(base)->timer, 0);
	return 0;
}

static int cancel_request(struct request *request, struct cause *cause)
{
	return peer_cancel(request->peer, param_integer(request, "subscription", 0),
			   METHOD_STATS_SUBSCRIBE, cause);
}

/* The averages of a field; null where there is none. */
static json_t *span_json(const struct spans *spans, enum stats_span span, unsigned field,
			 uint64_t *ends)
{
	float values[SPAN_SLOTS_MAX];
	json_t *list = json_array();

	spans_get(spans, span, field, values, ends);
	for (unsigned i = 0; i < spans_slots(span); i++)
		json_array_append_new(list, isnan(values[i]) ? json_null() : number(values[i]));
	return list;
}

static int history(struct request *request, struct cause *cause)
{
	static const char *const names[SPANS] = { "10m", "1h", "24h" };
	const char *name = param_string(request, "span");
	const struct stats_series *series = guest_stats(request->guest);
	const struct spans *spans = series ? stats_spans(series) : NULL;
	json_t *fields = json_object();
	enum stats_span span = 0;
	uint64_t ends = 0;
	char field[STATS_NAME_SIZE];

	(void)cause;
	while (span + 1 < SPANS && strcmp(names[span], name) != 0)
		span++;
	for (unsigned i = 0; spans && i < SPAN_FIELDS; i++) {
		stats_field_name(i, field);
		json_object_set_new_nocheck(fields, field, span_json(spans, span, i, &ends));
	}
	/* By the clock of the wall, which may have been set meanwhile. */
	request->result = json_pack("{s:I, s:I, s:o}", "interval_ms",
				    (json_int_t)(spans_slot_time(span) / NS_PER_MS), "ends",
				    spans ? (json_int_t)(clock_wall() + ends - clock_monotonic())
					  : (json_int_t)0, "fields", fields);
	return 0;
}

/* Profiles were read again: all guests, those of the same names too, are to be looked up anew. */
static void take_event(struct server *server, const struct deck_event *event)
{
	if (event->kind != DECK_EVENT_PROFILES)
		return;
	for (struct peer *peer = server->peers.first; peer; peer = peer->next)
		for (struct subscription *at = peer->subscriptions; at; at = at->next)
			if (at->kind == METHOD_STATS_SUBSCRIBE)
				of(at)->stale = true;
}

static void forget_in_rows(struct stats_subscription *stats, const struct guest *guest)
{
	for (size_t i = 0; i < stats->row_count; i++)
		if (stats->rows[i].guest == guest)
			stats->rows[i].guest = NULL;
}

static void forget_guest(struct server *server, const struct guest *guest)
{
	for (struct peer *peer = server->peers.first; peer; peer = peer->next)
		for (struct subscription *at = peer->subscriptions; at; at = at->next)
			if (at->kind == METHOD_STATS_SUBSCRIBE)
				forget_in_rows(of(at), guest);
}

static const struct handler handlers[] = {
	{ METHOD_STATS_SUBSCRIBE, .run = subscribe },
	{ METHOD_STATS_UPDATE, .run = update },
	{ METHOD_STATS_CANCEL, .run = cancel_request },
	{ METHOD_STATS_HISTORY, .run = history },
	HANDLERS_END
};

const struct stream_kind stats_stream = {
	.handlers = handlers,
	.event = take_event,
	.guest_gone = forget_guest,
};

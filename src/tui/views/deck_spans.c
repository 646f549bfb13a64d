/* See deck_spans.h. */
#include "tui/views/deck_spans.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/message_text.h"
#include "tui/views/panel.h"

#define OLD (5 * NS_PER_S)
#define SLOTS_MAX 1000u

void deck_spans_next(struct deck_spans *spans, struct view *view)
{
	spans->view = view;
	spans->span = (spans->span + 1) % PANEL_SPANS;
}

/* Each slot is as many samples as fill the chart; what is null is not known. */
static void take_field(struct chart_series *series, const json_t *values)
{
	size_t slots = json_array_size(values);

	if (!slots || slots > SLOTS_MAX)
		return;
	for (size_t i = 0; i < CHART_SAMPLES; i++) {
		const json_t *value = json_array_get(values, i * slots / CHART_SAMPLES);

		chart_push(series, json_is_number(value) ? (float)json_number_value(value) : NAN);
	}
}

static void take(struct deck_spans *spans, const json_t *fields)
{
	char name[STATS_NAME_SIZE];

	memset(spans->series, 0, MODEL_FIELDS * sizeof(*spans->series));
	for (unsigned field = 0; field < STATS_VCPU; field++) {
		stats_field_name(field, name);
		take_field(&spans->series[field], json_object_get(fields, name));
	}
}

static void answered(void *arg, json_t *result, const struct client_error *error)
{
	struct deck_spans *spans = arg;

	spans->asking = false;
	if (spans->of != spans->span)
		return;
	if (error) {
		spans->span = 0; /* a guest that went, or a deck that keeps nothing */
		tui_fail(spans->view->tui, error);
		return;
	}
	take(spans, json_object_get(result, "fields"));
	spans->known = true;
	tui_dirty(spans->view->tui);
}

static void ask(struct deck_spans *spans, const char *guest)
{
	uint64_t now = clock_monotonic();
	bool same = spans->of == spans->span && strcmp(spans->guest, guest) == 0;

	if (spans->asking || (same && spans->asked_at && now - spans->asked_at < OLD))
		return;
	if (!spans->series)
		spans->series = calloc(MODEL_FIELDS, sizeof(*spans->series));
	if (!spans->series)
		return;
	spans->known &= same;
	spans->of = spans->span;
	spans->asked_at = now;
	snprintf(spans->guest, sizeof(spans->guest), "%s", guest);
	spans->asking = tui_call(spans->view->deck, "stats.history",
				 json_pack("{s:o, s:o}", "guest", message_text(guest), "span",
					   message_text(panel_span_name(spans->span))),
				 answered, spans);
}

const struct tui_guest *deck_spans_of(struct deck_spans *spans, const struct tui_guest *guest,
				      struct tui_guest *room)
{
	if (!spans->span)
		return guest;
	ask(spans, guest->name);
	*room = *guest;
	room->series = spans->known && spans->of == spans->span &&
		       strcmp(spans->guest, guest->name) == 0 ? spans->series : NULL;
	return room;
}

void deck_spans_destroy(struct deck_spans *spans)
{
	free(spans->series);
	spans->series = NULL;
}

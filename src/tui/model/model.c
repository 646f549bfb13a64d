/* The model: guests and their samples. Screen thread. */
#include "tui/model/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/message_text.h"
#include "tui/model/json.h"

#define GUESTS_MAX 4096
#define LOOP_LEAST 3 /* restarts, none of which is this long after the one before */
#define LOOP_CALM_NS (20 * NS_PER_S)
#define NAME_MAX_BYTES 100 /* what views keep of a name; the core allows 32 */

/* A state that this program does not know is drawn as one that asks for nothing. */
static enum guest_state state_of(const char *name)
{
	enum guest_state state = guest_state_find(name);

	return state == GUEST_STATE_COUNT ? GUEST_DEFINED : state;
}

static void guest_free(struct tui_guest *guest)
{
	json_decref(guest->json);
	free(guest->series);
	free(guest);
}

void model_destroy(struct model *model)
{
	for (size_t i = 0; i < model->guest_count; i++)
		guest_free(model->guests[i]);
	free(model->guests);
	free(model->deck);
	free(model->host);
	memset(model, 0, sizeof(*model));
}

void model_hello(struct model *model, const json_t *result)
{
	free(model->deck);
	free(model->host);
	model->deck = strdup(json_text(result, "deck"));
	model->host = strdup(json_text(result, "host"));
}

struct tui_guest *model_find(const struct model *model, const char *name)
{
	for (size_t i = 0; i < model->guest_count; i++)
		if (strcmp(model->guests[i]->name, name) == 0)
			return model->guests[i];
	return NULL;
}

/* The guest of that name, looked for from *at on, where the one behind it is next. */
static struct tui_guest *find_from(const struct model *model, const char *name, size_t *at)
{
	for (size_t i = 0; i < model->guest_count; i++) {
		struct tui_guest *guest = model->guests[(*at + i) % model->guest_count];

		if (strcmp(guest->name, name) == 0) {
			*at += i + 1;
			return guest;
		}
	}
	return NULL;
}

static const char *address_of(const json_t *json)
{
	const json_t *nets = json_object_get(json, "nets"), *net;
	size_t i;

	json_array_foreach(nets, i, net)
		if (*json_text(net, "address"))
			return json_text(net, "address");
	return "";
}

/* Notes when restarts grew; whether they did. */
static bool note_restarts(struct tui_guest *guest, uint64_t restarts)
{
	uint64_t now = clock_monotonic();
	bool grow = guest->json && restarts > guest->restarts;

	/* It has been calm till now, or was started anew. */
	if (!grow ? restarts < guest->restarts || !guest->json :
		    now - guest->restarted > LOOP_CALM_NS)
		guest->calm_at = grow ? guest->restarts : restarts;
	if (grow)
		guest->restarted = now;
	guest->restarts = restarts;
	return grow;
}

bool model_loops(const struct tui_guest *guest, uint64_t now)
{
	return guest_state_in(guest->state, GUEST_ALIVE) &&
	       guest->restarts >= guest->calm_at + LOOP_LEAST &&
	       now - guest->restarted <= LOOP_CALM_NS;
}

/* Returns whether it has restarted since it was filled before. */
static bool guest_fill(struct tui_guest *guest, json_t *json)
{
	uint64_t cpus = json_count(json, "cpus");
	bool grow = note_restarts(guest, json_count(json, "restarts"));

	json_incref(json);
	json_decref(guest->json);
	guest->json = json;
	guest->name = json_text(json, "name");
	guest->state = state_of(json_text(json, "state"));
	guest->cpus = cpus > 1024 ? 1024 : (unsigned)cpus;
	guest->memory = json_double(json, "memory");
	guest->address = address_of(json);
	guest->listed = true;
	return grow;
}

bool model_guests(struct model *model, const json_t *result)
{
	const json_t *list = json_object_get(result, "guests");
	struct tui_guest **guests, *guest;
	size_t count = json_array_size(list), n = 0, at = 0;

	if (!json_is_array(list))
		return false;
	if (count > GUESTS_MAX)
		count = GUESTS_MAX;
	guests = calloc(count + 1, sizeof(*guests));
	if (!guests)
		return false;
	model->restarts_grow = false;
	for (size_t i = 0; i < model->guest_count; i++)
		model->guests[i]->listed = false;
	for (size_t i = 0; i < count; i++) {
		json_t *json = json_array_get(list, i);

		if (!*json_text(json, "name") || strlen(json_text(json, "name")) > NAME_MAX_BYTES)
			continue;
		guest = find_from(model, json_text(json, "name"), &at); /* mostly as they were */
		if (guest && guest->listed)
			continue;
		if (!guest)
			guest = calloc(1, sizeof(*guest));
		if (!guest)
			break;
		model->restarts_grow |= guest_fill(guest, json);
		guests[n++] = guest;
	}
	for (size_t i = 0; i < model->guest_count; i++)
		if (!model->guests[i]->listed)
			guest_free(model->guests[i]);
	free(model->guests);
	model->guests = guests;
	model->guest_count = n;
	model->guests_known = true;
	model->lists++;
	return true;
}

void model_state(struct model *model, const char *name, const char *state)
{
	struct tui_guest *guest = model_find(model, name);

	if (!guest || !*state)
		return;
	guest->state = state_of(state);
	/* What a line is completed with is taken from here. */
	json_object_set_new(guest->json, "state", message_text(state));
}

size_t model_count(const struct model *model, uint32_t states)
{
	size_t count = 0;

	for (size_t i = 0; i < model->guest_count; i++)
		count += guest_state_in(model->guests[i]->state, states);
	return count;
}

size_t model_marked(const struct model *model)
{
	size_t count = 0;

	for (size_t i = 0; i < model->guest_count; i++)
		count += model->guests[i]->marked;
	return count;
}

static float sample(const json_t *value)
{
	double v = json_number_value(value);

	return v > 0 && v < 1e18 ? (float)v : 0;
}

static bool need_series(struct tui_guest *guest)
{
	if (!guest->series)
		guest->series = calloc(MODEL_FIELDS, sizeof(*guest->series));
	return guest->series != NULL;
}

static void guest_history(struct tui_guest *guest, json_t *fields)
{
	const char *name;
	json_t *values;

	if (!need_series(guest))
		return;
	memset(guest->series, 0, MODEL_FIELDS * sizeof(*guest->series));
	json_object_foreach(fields, name, values) {
		unsigned field = stats_field_find(name);
		size_t count = json_array_size(values);

		if (field >= MODEL_FIELDS)
			continue;
		for (size_t i = count > CHART_SAMPLES ? count - CHART_SAMPLES : 0; i < count; i++)
			chart_push(&guest->series[field], sample(json_array_get(values, i)));
	}
}

void model_history(struct model *model, const json_t *history)
{
	const json_t *guests = json_object_get(history, "guests");

	for (size_t i = 0; i < json_array_size(guests); i++) {
		const json_t *entry = json_array_get(guests, i);
		struct tui_guest *guest = model_find(model, json_text(entry, "name"));

		if (guest)
			guest_history(guest, json_object_get(entry, "fields"));
	}
}

static void guest_sample(struct tui_guest *guest, json_t *values, unsigned steps)
{
	float next[MODEL_FIELDS];
	const char *name;
	json_t *value;

	if (!need_series(guest))
		return;
	for (unsigned i = 0; i < MODEL_FIELDS; i++)
		next[i] = chart_last(&guest->series[i]);
	json_object_foreach(values, name, value) {
		unsigned field = stats_field_find(name);

		if (field < MODEL_FIELDS)
			next[field] = sample(value);
	}
	for (unsigned i = 0; i < MODEL_FIELDS; i++) {
		for (unsigned step = 1; step < steps; step++)
			chart_push(&guest->series[i], chart_last(&guest->series[i]));
		if (steps)
			chart_push(&guest->series[i], next[i]);
		else
			chart_replace(&guest->series[i], next[i]);
	}
}

void model_stats(struct model *model, const json_t *params, const json_t *names, unsigned steps)
{
	const json_t *entries = json_object_get(params, "guests");

	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));
		struct tui_guest *guest = name ? model_find(model, name) : NULL;
		json_t *values = NULL;

		for (size_t j = 0; guest && !values && j < json_array_size(entries); j++) {
			const json_t *entry = json_array_get(entries, j);

			if (strcmp(json_text(entry, "name"), name) == 0)
				values = json_object_get(entry, "values");
		}
		if (guest)
			guest_sample(guest, values, steps);
	}
}

void model_values(struct model *model, const json_t *params)
{
	const json_t *entries = json_object_get(params, "guests"), *entry;
	size_t i, at = 0;

	json_array_foreach(entries, i, entry) {
		struct tui_guest *guest = find_from(model, json_text(entry, "name"), &at);
		const char *name;
		json_t *value;

		if (!guest)
			continue;
		json_object_foreach(json_object_get(entry, "values"), name, value) {
			unsigned field = stats_field_find(name);

			if (field < STATS_VCPU)
				guest->now[field] = sample(value);
		}
	}
	model->samples++;
}

void model_host_begins(struct model *model, const json_t *result)
{
	struct model_host *host = &model->machine;
	uint64_t cpus = json_count(result, "cpus");

	host->cpus = cpus > 65536 ? 65536 : (unsigned)cpus;
	host->memory = json_double(result, "memory");
	host->kvm = json_bool(result, "kvm");
	/* What was told before stands until there is something newer. */
	for (unsigned i = 0; i < HOST_FIELDS && !host->told; i++)
		host->values[i] = -1;
}

void model_host_tells(struct model *model, const json_t *params)
{
	const json_t *values = json_object_get(params, "values");
	struct model_host *host = &model->machine;

	for (unsigned i = 0; i < HOST_FIELDS; i++)
		if (json_object_get(values, host_field_name(i)))
			host->values[i] = json_double(values, host_field_name(i));
	host->told = true;
}

/* See guest_list.h. Screen thread. */
#include "tui/views/guest_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/checked.h"
#include "base/clock.h"
#include "control/names.h"
#include "tui/canvas/text.h"
#include "tui/model/json.h"

#define STILL_NS NS_PER_S

static bool has_tag(const struct tui_guest *guest, const char *begin)
{
	const json_t *tags = json_object_get(guest->json, "tags");

	for (size_t i = 0; i < json_array_size(tags); i++) {
		const char *tag = json_string_value(json_array_get(tags, i));

		if (tag && strncasecmp(tag, begin, strlen(begin)) == 0)
			return true;
	}
	return false;
}

/* "#" and the beginning of a tag, or a part of the name. */
static bool passes(const struct guest_list *list, const struct tui_guest *guest)
{
	if (*list->filter == '#')
		return has_tag(guest, list->filter + 1);
	return !*list->filter || strcasestr(guest->name, list->filter);
}

/* Room for all guests. */
static bool reserve(struct guest_list *list, size_t count)
{
	struct tui_guest **rows;

	if (count <= list->room)
		return true;
	rows = realloc(list->rows, count * sizeof(struct tui_guest *));
	if (!rows)
		return false;
	list->rows = rows;
	list->room = count;
	return true;
}

static void collect(struct guest_list *list, const struct model *model)
{
	list->count = 0;
	list->names = list->addresses = 0;
	if (!reserve(list, model->guest_count))
		return;
	for (size_t i = 0; i < model->guest_count; i++) {
		struct tui_guest *guest = model->guests[i];
		int name = text_width(guest->name), address = text_width(guest->address);

		guest->by_name = i;
		if (!passes(list, guest))
			continue;
		list->rows[list->count++] = guest;
		list->names = name > list->names ? name : list->names;
		list->addresses = address > list->addresses ? address : list->addresses;
	}
}

/* --- order --- */

const struct guest_sort_row guest_sorts[SORT_COUNT] = {
	[SORT_NAME] = { "name", 'n', { COLUMN_NAME, COLUMN_NAME }, false, false },
	[SORT_STATE] = { "state", 's', { COLUMN_STATE, COLUMN_STATE }, false, false },
	[SORT_RESTARTS] = { "restarts", 'r', { COLUMN_RESTARTS, COLUMN_RESTARTS }, false, true },
	[SORT_UPTIME] = { "uptime", 'u', { COLUMN_UPTIME, COLUMN_UPTIME }, false, true },
	[SORT_CPU] = { "CPU", 'c', { COLUMN_CPU, COLUMN_CPU }, true, true },
	[SORT_EXITS] = { "VM exits", 'x', { COLUMN_EXITS, COLUMN_EXITS }, true, true },
	[SORT_MEMORY] = { "memory", 'm', { COLUMN_MEMORY, COLUMN_MEMORY }, true, true },
	[SORT_DISK] = { "disk", 'd', { COLUMN_READ, COLUMN_WRITE }, true, true },
	[SORT_NET] = { "network", 'w', { COLUMN_IN, COLUMN_OUT }, true, true },
	[SORT_ADDRESS] = { "address", 'a', { COLUMN_ADDRESS, COLUMN_ADDRESS }, false, false },
};

/* What wants looking after comes first; now is CLOCK_MONOTONIC, ns. */
static double rank(const struct tui_guest *guest, uint64_t now)
{
	static const enum guest_state order[] = {
		GUEST_CRASHED, GUEST_FAILED, GUEST_INVALID, GUEST_PAUSED, GUEST_STOPPING,
		GUEST_STARTING, GUEST_RUNNING, GUEST_STOPPED, GUEST_DEFINED,
	};
	unsigned at = 0;

	if (model_loops(guest, now))
		return -1;
	while (at < ARRAY_SIZE(order) && order[at] != guest->state)
		at++;
	return at;
}

/* By what a guest is sorted; false: it has no such thing, and comes last. */
static bool value_of(const struct guest_list *list, const struct tui_guest *guest, double *value)
{
	const float *now = guest->now;

	switch (list->sort) {
	case SORT_STATE:
		*value = rank(guest, list->sorted);
		return true;
	case SORT_RESTARTS:
		*value = (double)guest->restarts;
		break;
	case SORT_UPTIME:
		*value = -json_double(guest->json, "since");
		break;
	case SORT_CPU:
		*value = now[STATS_CPU];
		break;
	case SORT_EXITS:
		*value = now[STATS_EXITS];
		break;
	case SORT_MEMORY:
		*value = now[STATS_MEMORY];
		break;
	case SORT_DISK:
		*value = now[STATS_DISK_READ] + now[STATS_DISK_WRITE];
		break;
	case SORT_NET:
		*value = now[STATS_NET_IN] + now[STATS_NET_OUT];
		break;
	default:
		*value = 0;
	}
	return guest_state_in(guest->state, GUEST_ALIVE);
}

/* As strcmp(); the server lists guests by name. */
static int compare_names(const struct tui_guest *a, const struct tui_guest *b)
{
	return a->by_name < b->by_name ? -1 : a->by_name > b->by_name;
}

/* Guests that have nothing to be sorted by are last, whichever way the others are. */
static int compare(const void *one, const void *other, void *arg)
{
	const struct tui_guest *a = *(struct tui_guest *const *)one;
	const struct tui_guest *b = *(struct tui_guest *const *)other;
	const struct guest_list *list = arg;
	double x, y;
	bool has_x, has_y;
	int order;

	if (list->sort == SORT_NAME)
		return list->reversed ? compare_names(b, a) : compare_names(a, b);
	if (list->sort == SORT_ADDRESS) {
		has_x = *a->address;
		has_y = *b->address;
		order = name_order(a->address, b->address);
	} else {
		has_x = value_of(list, a, &x);
		has_y = value_of(list, b, &y);
		order = x < y ? -1 : x > y;
	}
	if (has_x != has_y)
		return has_x ? -1 : 1;
	if (!has_x || order == 0)
		return compare_names(a, b);
	return guest_list_falls(list) ? -order : order;
}

/* As they were, and those that are new behind them. */
static int compare_places(const void *one, const void *other)
{
	const struct tui_guest *a = *(struct tui_guest *const *)one;
	const struct tui_guest *b = *(struct tui_guest *const *)other;

	if (!a->place || !b->place)
		return a->place ? -1 : b->place ? 1 : compare_names(a, b);
	return a->place < b->place ? -1 : a->place > b->place;
}

/* Whether what sorts them may change at any time, in which case rows keep still for a while. */
static bool keeps_still(const struct guest_list *list, uint64_t now)
{
	return list->sort != SORT_NAME && list->sorted && now - list->sorted < STILL_NS;
}

void guest_list_update(struct guest_list *list, const struct model *model, uint64_t now)
{
	bool others = !list->made || list->lists != model->lists;

	/* Those that the column needs come for the first time. */
	if (guest_sorts[list->sort].samples && list->samples != model->samples) {
		list->samples = model->samples;
		if (list->awaited)
			list->sorted = 0;
		list->awaited = false;
	}
	if (others)
		collect(list, model);
	list->lists = model->lists;
	list->made = true;
	if (!list->count)
		return;
	if (keeps_still(list, now)) {
		if (others)
			qsort(list->rows, list->count, sizeof(struct tui_guest *), compare_places);
	} else if (others || list->sort != SORT_NAME || !list->sorted) {
		list->sorted = now;
		qsort_r(list->rows, list->count, sizeof(struct tui_guest *), compare, list);
		for (size_t i = 0; i < list->count; i++)
			list->rows[i]->place = i + 1;
	}
}

void guest_list_filter(struct guest_list *list, const char *filter)
{
	snprintf(list->filter, sizeof(list->filter), "%s", filter);
	list->made = false;
	list->sorted = 0;
}

void guest_list_sort(struct guest_list *list, const struct model *model, enum guest_sort sort)
{
	list->sort = sort;
	list->reversed = false;
	list->samples = model->samples;
	list->awaited = guest_sorts[sort].samples;
	list->sorted = 0;
}

void guest_list_reverse(struct guest_list *list)
{
	list->reversed = !list->reversed;
	list->sorted = 0;
}

bool guest_list_falls(const struct guest_list *list)
{
	return guest_sorts[list->sort].falling != list->reversed;
}

size_t guest_list_find(const struct guest_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->rows[i]->name, name) == 0)
			return i;
	return 0;
}

void guest_list_free(struct guest_list *list)
{
	free(list->rows);
	memset(list, 0, sizeof(*list));
}

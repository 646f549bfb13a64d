/* See guest_list.h. Screen thread. */
#include "tui/views/guest_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/canvas/text.h"

static bool passes(const struct guest_list *list, const struct tui_guest *guest)
{
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

		if (!passes(list, guest))
			continue;
		list->rows[list->count++] = guest;
		list->names = name > list->names ? name : list->names;
		list->addresses = address > list->addresses ? address : list->addresses;
	}
}

void guest_list_update(struct guest_list *list, const struct model *model)
{
	if (list->made && list->lists == model->lists)
		return;
	collect(list, model);
	list->lists = model->lists;
	list->made = true;
}

void guest_list_filter(struct guest_list *list, const char *filter)
{
	snprintf(list->filter, sizeof(list->filter), "%s", filter);
	list->made = false;
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

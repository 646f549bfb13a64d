/* See refusals.h. */
#include "core/deck/refusals.h"

#include <stdio.h>

#include "base/cause.h"
#include "sandbox/confine.h"
#include "sandbox/program.h"
#include "sandbox/sandbox.h"

struct list {
	char text[CAUSE_SIZE];
	size_t used;
};

static void list_add(struct list *list, const char *what, const char *name)
{
	if (list->used < sizeof(list->text))
		list->used += (size_t)snprintf(list->text + list->used,
					       sizeof(list->text) - list->used, "%s%s%s",
					       list->used ? ", " : "", what, name);
}

void refusals_look(struct refusals *refusals, struct journal *journal)
{
	uint32_t walls = (sandbox_refused() | program_refused()) & ~refusals->walls;
	uint32_t filters = confine_missing() & ~refusals->filters;
	struct list list = { .used = 0 };

	for (unsigned i = 0; i < WALL_COUNT; i++)
		if (walls & 1u << i)
			list_add(&list, "", wall_name(i));
	for (unsigned i = 0; i < FILTER_COUNT; i++)
		if (filters & 1u << i)
			list_add(&list, "seccomp of ", filter_name(i));
	refusals->walls |= walls;
	refusals->filters |= filters;
	if (list.used)
		journal_emit(journal, NULL, DECK_EVENT_LOG, "this host refuses walls around guests: "
			     "%s; 'vmdeck doctor' says what to do", list.text);
}

/*
 * The guests that the deck's view lists: those that a filter lets through, in the order
 * of a column. Made anew only when guests come or go, or something about it changes.
 * Screen thread only.
 */
#ifndef TUI_VIEWS_GUEST_LIST_H
#define TUI_VIEWS_GUEST_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/model/model.h"

#define GUEST_LIST_FILTER 64 /* bytes */

/* All zero: all guests. */
struct guest_list {
	char filter[GUEST_LIST_FILTER]; /* a part of names, or "" */

	/* What guest_list_update() makes of it: */
	struct tui_guest **rows;
	size_t count, room;
	int names, addresses; /* columns of the longest */
	uint64_t lists;	      /* of the model, that it was made of */
	bool made;
};

/* Brings it up to date with the model. Its rows are valid as long as the model's guests. */
void guest_list_update(struct guest_list *list, const struct model *model);

/* Lists guests whose names contain that; "": all. */
void guest_list_filter(struct guest_list *list, const char *filter);

/* Where the guest of that name is, or 0 if it is not listed. */
size_t guest_list_find(const struct guest_list *list, const char *name);

void guest_list_free(struct guest_list *list);

#endif

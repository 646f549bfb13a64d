/*
 * The guests that the deck's view lists: those that a filter lets through, in the order
 * of a column. Made anew only when guests come or go, or something about it changes;
 * what changes by itself moves no row more than once a second. Screen thread only.
 */
#ifndef TUI_VIEWS_GUEST_LIST_H
#define TUI_VIEWS_GUEST_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/model/model.h"
#include "tui/views/layout.h"

#define GUEST_LIST_FILTER 64 /* bytes */

enum guest_sort {
	SORT_NAME, SORT_STATE, SORT_RESTARTS, SORT_UPTIME, SORT_CPU, SORT_EXITS, SORT_MEMORY,
	SORT_DISK, SORT_NET, SORT_ADDRESS,
	SORT_COUNT
};

/* What a list can be sorted by. */
struct guest_sort_row {
	const char *name; /* "CPU" */
	char key;	  /* that chooses it from a question */
	enum column columns[2]; /* where it stands, twice the same if that is one */
	bool samples; /* it is one of samples, which all guests need then */
	bool falling; /* the largest comes first, unless it is reversed */
};

extern const struct guest_sort_row guest_sorts[SORT_COUNT];

/* All zero: all guests, by name. */
struct guest_list {
	char filter[GUEST_LIST_FILTER]; /* a part of names, or "" */
	enum guest_sort sort;
	bool reversed;

	/* What guest_list_update() makes of it: */
	struct tui_guest **rows;
	size_t count, room;
	int names, addresses; /* columns of the longest */
	uint64_t lists;	      /* of the model, that it was made of */
	uint64_t samples;     /* the same, */
	bool awaited;	      /* of which the column needs some that have not come yet */
	uint64_t sorted;      /* CLOCK_MONOTONIC, ns; 0: it is to be */
	bool made;
};

/*
 * Brings it up to date with the model; now is CLOCK_MONOTONIC, ns. Its rows are valid as long
 * as the model's guests.
 */
void guest_list_update(struct guest_list *list, const struct model *model, uint64_t now);

/* Lists guests whose names contain that; "": all. */
void guest_list_filter(struct guest_list *list, const char *filter);

/* Sorts by a column, as that is sorted mostly. */
void guest_list_sort(struct guest_list *list, const struct model *model, enum guest_sort sort);
void guest_list_reverse(struct guest_list *list);

/* Whether the largest comes first. */
bool guest_list_falls(const struct guest_list *list);

/* Where the guest of that name is, or 0 if it is not listed. */
size_t guest_list_find(const struct guest_list *list, const char *name);

void guest_list_free(struct guest_list *list);

#endif

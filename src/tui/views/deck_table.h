/* The list of guests as the deck's view draws it: heads, and a row a guest. Screen thread only. */
#ifndef TUI_VIEWS_DECK_TABLE_H
#define TUI_VIEWS_DECK_TABLE_H

#include "tui/views/guest_list.h"

/* What was drawn last. All zero: nothing. */
struct deck_table {
	struct column_layout columns;
	struct rect heads, rows; /* height 0: there are none */
	size_t top;		 /* the guest in the first row */
	bool totals;		 /* behind the last guest is what they use together */
};

/*
 * Draws the list, which is not empty, into rect, with the selected guest in sight, and with a row
 * of totals where there is one to spare and the values of all that run are there.
 */
void deck_table_draw(struct deck_table *table, const struct guest_list *list, struct rect rect,
		     size_t selected);

/* By what a click on a head sorts, or SORT_COUNT where there is none. */
enum guest_sort deck_table_head(const struct deck_table *table, int y, int x);

/* The position in the list of the guest whose row is there, or count. */
size_t deck_table_row(const struct deck_table *table, int y, int x, size_t count);

#endif

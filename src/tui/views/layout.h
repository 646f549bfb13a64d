/* Where things go on the deck's view, by the size of the screen. Pure. */
#ifndef TUI_VIEWS_LAYOUT_H
#define TUI_VIEWS_LAYOUT_H

#include <stdbool.h>

#include "tui/canvas/draw.h"

#define LAYOUT_CHARTS 4

struct deck_layout {
	struct rect host; /* one line; height 0: it would be at the cost of guests */
	struct rect list; /* with its frame, when boxed */
	bool boxed;
	struct rect facts;  /* one line or more about the selected guest; height 0: no room */
	struct rect charts[LAYOUT_CHARTS];
	unsigned chart_count; /* 0, 1, 2 or 4 */
	struct rect events;   /* past messages, with its frame; height 0: no room */
};

/* What has the room. */
enum layout_mode {
	LAYOUT_SHARED, /* list and charts */
	LAYOUT_LIST,   /* the list alone, with a line about the selected guest */
	LAYOUT_CHARTED /* charts of the selected guest, where there is room for any */
};

void layout_deck(struct deck_layout *layout, struct rect body, int guests, enum layout_mode mode);

/* Columns of the list; width 0: left out. */
enum column {
	COLUMN_NAME, COLUMN_STATE, COLUMN_RESTARTS, COLUMN_UPTIME, COLUMN_CPU, COLUMN_CPU_LINE,
	COLUMN_EXITS, COLUMN_MEMORY, COLUMN_MEMORY_LINE,
	COLUMN_READ, COLUMN_WRITE, COLUMN_DISK_LINE, COLUMN_IN, COLUMN_OUT, COLUMN_NET_LINE,
	COLUMN_ADDRESS,
	COLUMN_COUNT
};

struct column_layout {
	int x[COLUMN_COUNT], width[COLUMN_COUNT];
};

/* What the columns are for. */
struct column_needs {
	int names, addresses; /* columns of the longest; 0: there is none */
	bool restarts;	      /* there are some to show */
	enum column sorted;   /* by which the list is sorted: it is there before others */
};

/* Spreads the columns over width, from x on. */
void layout_columns(struct column_layout *layout, int x, int width,
		    const struct column_needs *needs);

#endif

/* Where things go on the deck's view. Pure. */
#include "tui/views/layout.h"

#include <string.h>

#define CHART_WIDTH 28	/* least */
#define CHART_HEIGHT 5
#define WIDE 170	/* from here on charts stand beside the list */
#define LIST_WIDTH 84
#define LIST_HEIGHT 6 /* with its frame and heads */
#define LIST_MANY 24 /* from here on one guest more or less does not matter */
#define HOST_LEAST 20 /* rows from which on the host has one */
#define HOST_WIDTH 40
#define SPARKLINES_LEAST 10
#define ADDRESS_WIDTH 15 /* most */

static int clamp(int value, int low, int high)
{
	return value < low ? low : value > high ? high : value;
}

/* A grid of charts that fills the rectangle. */
static void grid(struct deck_layout *layout, struct rect r, unsigned rows, unsigned columns)
{
	layout->chart_count = rows * columns;
	for (unsigned i = 0; i < layout->chart_count; i++) {
		int row = (int)(i / columns), column = (int)(i % columns);
		int top = r.height * row / (int)rows, bottom = r.height * (row + 1) / (int)rows;
		int left = r.width * column / (int)columns;
		int right = r.width * (column + 1) / (int)columns;

		layout->charts[i] =
			(struct rect){ r.y + top, r.x + left, bottom - top, right - left };
	}
}

static void charts(struct deck_layout *layout, struct rect r)
{
	bool two = r.width >= 2 * CHART_WIDTH;

	if (r.height < CHART_HEIGHT || r.width < 20)
		return;
	if (two && r.height >= 2 * CHART_HEIGHT)
		grid(layout, r, 2, 2);
	else if (!two && r.height >= 4 * CHART_HEIGHT)
		grid(layout, r, 4, 1);
	else if (r.width >= 4 * CHART_WIDTH)
		grid(layout, r, 1, 4);
	else if (two)
		grid(layout, r, 1, 2);
	else if (r.height >= 2 * CHART_HEIGHT)
		grid(layout, r, 2, 1);
	else
		grid(layout, r, 1, 1);
}

static void layout_wide(struct deck_layout *layout, struct rect b, int guests)
{
	int width = clamp(b.width * 9 / 20, LIST_WIDTH, 110);
	int list = clamp(guests + 3, 6, b.height - 12);
	struct rect right = { b.y, b.x + width, b.height, b.width - width };

	layout->list = (struct rect){ b.y, b.x, list, width };
	layout->facts = (struct rect){ b.y + list, b.x + 1, 3, width - 2 };
	layout->events =
		(struct rect){ b.y + list + 3, b.x, b.height - list - 3, width };
	grid(layout, right, b.height >= 4 * 7 ? 4 : 2, b.height >= 4 * 7 ? 1 : 2);
}

/* All but the line about the selected guest. */
static void layout_list(struct deck_layout *layout, struct rect b)
{
	if (b.height < 8)
		return;
	layout->list.height--;
	layout->facts = (struct rect){ b.y + b.height - 1, b.x + 1, 1, b.width - 2 };
}

/* Of the list the heads and the selected guest remain. */
static void layout_charts(struct deck_layout *layout, struct rect b)
{
	const int rows = 2;

	if (b.height < rows + 1 + CHART_HEIGHT)
		return;
	charts(layout, (struct rect){ b.y + rows + 1, b.x, b.height - rows - 1, b.width });
	layout->boxed = false;
	layout->list.height = rows;
	layout->facts = (struct rect){ b.y + rows, b.x + 1, 1, b.width - 2 };
}

static void layout_body(struct deck_layout *layout, struct rect b, int guests,
			enum layout_mode mode)
{
	int list, events = 0, rest;

	memset(layout, 0, sizeof(*layout));
	layout->list = b;
	layout->boxed = b.height >= 6 && b.width >= 30;
	if (mode == LAYOUT_LIST)
		layout_list(layout, b);
	if (mode == LAYOUT_CHARTED)
		layout_charts(layout, b);
	if (b.height < 12 || mode != LAYOUT_SHARED)
		return;
	if (b.width >= WIDE && b.height >= 20) {
		layout_wide(layout, b, guests);
		return;
	}
	list = b.height > 28 ? b.height / 2 : b.height * 2 / 5;
	list = clamp(guests + 3, 4, list > LIST_HEIGHT ? list : LIST_HEIGHT);
	rest = b.height - list - 1;
	if (rest < CHART_HEIGHT) {
		layout->list.height = b.height;
		return;
	}
	if (rest >= 27)
		events = clamp(rest - 22, 5, 12);
	layout->list.height = list;
	layout->facts = (struct rect){ b.y + list, b.x + 1, 1, b.width - 2 };
	charts(layout, (struct rect){ b.y + list + 1, b.x, rest - events, b.width });
	layout->events = (struct rect){ b.y + b.height - events, b.x, events, b.width };
}

void layout_deck(struct deck_layout *layout, struct rect b, int guests, enum layout_mode mode)
{
	struct rect below = { b.y + 1, b.x, b.height - 1, b.width };
	int without;

	layout_body(layout, b, guests, mode);
	without = layout->list.height;
	if (b.height < HOST_LEAST || b.width < HOST_WIDTH)
		return;
	layout_body(layout, below, guests, mode);
	layout->host = (struct rect){ b.y, b.x + 1, 1, b.width - 2 };
	/* As many guests are in sight as before, or all, or a great many. */
	if (layout->list.height < without && layout->list.height < guests + 3 &&
	    layout->list.height < LIST_MANY)
		layout_body(layout, b, guests, mode);
}

static void layout_sparklines(struct column_layout *layout, int left)
{
	static const enum column lines[] = { COLUMN_CPU_LINE, COLUMN_NET_LINE, COLUMN_DISK_LINE,
					     COLUMN_MEMORY_LINE };

	for (unsigned i = 0; i < 4; i++) {
		int line = left / (int)(4 - i) - 1;

		if (i == 0 && line < 6)
			line = left - 1; /* one of them at least */
		if (line < 5)
			continue;
		layout->width[lines[i]] = clamp(line, 5, 24);
		left -= layout->width[lines[i]] + 1;
	}
}

/* Gives a column its width of what is left, unless it has it already. */
static bool take_width(struct column_layout *layout, enum column column, int width, int *left)
{
	if (layout->width[column])
		return true;
	if (*left < width + 1)
		return false;
	layout->width[column] = width;
	*left -= width + 1;
	return true;
}

void layout_columns(struct column_layout *layout, int x, int width,
		    const struct column_needs *needs)
{
	static const int fixed[COLUMN_COUNT] = {
		[COLUMN_STATE] = 10, [COLUMN_RESTARTS] = 8, [COLUMN_UPTIME] = 6, [COLUMN_CPU] = 5,
		[COLUMN_EXITS] = 7,  [COLUMN_MEMORY] = 5,   [COLUMN_READ] = 7,	 [COLUMN_WRITE] = 7,
		[COLUMN_IN] = 7,     [COLUMN_OUT] = 7,
	};
	/* As the width grows these come in, then names get theirs; sparklines share the rest. */
	static const enum column order[] = { COLUMN_RESTARTS, COLUMN_CPU,
					     COLUMN_MEMORY, COLUMN_IN, COLUMN_OUT, COLUMN_READ,
					     COLUMN_WRITE };
	int addresses = clamp(needs->addresses, 0, ADDRESS_WIDTH);
	int left, name;
	bool narrow;

	memset(layout, 0, sizeof(*layout));
	name = clamp(needs->names, 8, width >= 70 ? 20 : 12);
	left = width - name;
	narrow = !take_width(layout, COLUMN_STATE, fixed[COLUMN_STATE], &left);
	if (narrow)
		take_width(layout, COLUMN_STATE, 1, &left); /* the sign alone */
	if (needs->sorted == COLUMN_ADDRESS)
		take_width(layout, COLUMN_ADDRESS, clamp(addresses, 7, ADDRESS_WIDTH), &left);
	else if (fixed[needs->sorted])
		take_width(layout, needs->sorted, fixed[needs->sorted], &left);
	for (unsigned i = 0; !narrow && i < sizeof(order) / sizeof(order[0]); i++) {
		if (order[i] == COLUMN_RESTARTS && !needs->restarts)
			continue;
		if (!take_width(layout, order[i], fixed[order[i]], &left))
			break;
	}
	layout->width[COLUMN_NAME] = clamp(needs->names, name, name + left);
	left -= layout->width[COLUMN_NAME] - name;
	/* Where sparklines have room beside it. */
	if (addresses && layout->width[COLUMN_WRITE] && left >= addresses + 1 + SPARKLINES_LEAST)
		take_width(layout, COLUMN_ADDRESS, addresses, &left);
	if (layout->width[COLUMN_WRITE])
		layout_sparklines(layout, left);
	for (unsigned i = 0; i < COLUMN_COUNT; i++) {
		layout->x[i] = x;
		if (layout->width[i])
			x += layout->width[i] + 1;
	}
}

/* A page of text. Screen thread. */
#include "tui/ui/page.h"

#include <stdio.h>

#include "tui/canvas/text.h"

#define NAME_WIDTH 13 /* column of names, with its gap */
#define NARROW 32     /* where a name has no value beside it, but below */

bool page_row(const struct page *page, int *row)
{
	*row = page->r.y + page->y - page->top;
	return page->y >= page->top && page->y < page->top + page->r.height;
}

void page_text(const struct page *page, int indent, int width, unsigned style, const char *text)
{
	int y;

	if (page_row(page, &y))
		draw_text(y, page->r.x + indent, width, style, text);
}

void page_heading(struct page *page, const char *text)
{
	int y;

	if (page->y > 0)
		page->y++;
	if (page_row(page, &y)) {
		int used = draw_text(y, page->r.x, page->r.width, INK_ACCENT | DRAW_BOLD, text);

		draw_line(y, page->r.x + used + 1, page->r.width - used - 1, INK_TEXT | DRAW_DIM);
	}
	page->y++;
}

void page_paragraph(struct page *page, int indent, unsigned style, const char *text)
{
	int width = page->r.width - indent;
	char line[1024];
	size_t next;

	if (width < 4)
		return;
	for (; *text; text += next) {
		size_t bytes = text_wrap(text, width, &next);

		snprintf(line, sizeof(line), "%.*s", (int)bytes, text);
		page_text(page, indent, width, style, line);
		page->y++;
	}
}

void page_pair(struct page *page, const char *name, unsigned style, const char *value)
{
	bool narrow = page->r.width < NARROW;
	int y = page->y;

	if (!*value)
		return;
	page_text(page, 0, narrow ? page->r.width : NAME_WIDTH - 1, INK_TEXT | DRAW_DIM, name);
	if (narrow)
		page->y = ++y;
	page_paragraph(page, narrow ? 2 : NAME_WIDTH, style, value);
	if (page->y == y)
		page->y++;
}

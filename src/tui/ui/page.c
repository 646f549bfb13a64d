/* A page of text. Screen thread. */
#include "tui/ui/page.h"

#include <stdio.h>
#include <string.h>

#include "tui/canvas/text.h"

#define NAME_WIDTH 13 /* column of names, with its gap */
#define CELL_BYTES 128
#define CELL_GAP 2
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

int page_lines(const struct page *page, int indent, const char *text)
{
	int lines = 0;

	for (; *text; lines++)
		text = page_skip(page, indent, text, 1);
	return lines ? lines : 1;
}

const char *page_skip(const struct page *page, int indent, const char *text, int lines)
{
	int width = page->r.width - indent;
	size_t next;

	for (; *text && lines > 0; text += next, lines--)
		text_wrap(text, width > 0 ? width : 1, &next);
	return text;
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

/* Copies the cell that text begins with; returns where the next one of the line begins. */
static const char *next_cell(const char *text, char cell[CELL_BYTES])
{
	size_t n = strcspn(text, " \n");

	n += strspn(text + n, " "); /* a short name may have several before its value */
	while (text[n] && text[n] != '\n' && (text[n] != ' ' || text[n + 1] != ' '))
		n++;
	snprintf(cell, CELL_BYTES, "%.*s", (int)n, text);
	return text + n + strspn(text + n, " ");
}

/* How many cells of a line go side by side, so that its rows are filled alike. */
static int cells_abreast(const char *line, int width, int *widest)
{
	char cell[CELL_BYTES];
	int count = 0, most, rows;

	for (*widest = 1; *line && *line != '\n'; count++) {
		line = next_cell(line, cell);
		if (text_width(cell) > *widest)
			*widest = text_width(cell);
	}
	most = (width + CELL_GAP) / (*widest + CELL_GAP);
	if (most < 1 || count == 0)
		return 1;
	rows = (count + most - 1) / most;
	return (count + rows - 1) / rows;
}

void page_cells(struct page *page, unsigned style, const char *text)
{
	char cell[CELL_BYTES];

	while (*text) {
		int widest, abreast = cells_abreast(text, page->r.width, &widest), n = 0;

		for (; *text && *text != '\n'; n = (n + 1) % abreast) {
			text = next_cell(text, cell);
			if (abreast == 1) {
				page_paragraph(page, 0, style, cell);
				continue;
			}
			page_text(page, n * (widest + CELL_GAP), widest, style, cell);
			page->y += n == abreast - 1;
		}
		page->y += n > 0;
		text += *text == '\n';
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

void page_more(struct rect r, int lines, int top, const char *key)
{
	int last = r.y + r.height - 1;

	if (lines - top <= r.height || r.height < 4)
		return;
	draw_fill((struct rect){ last, r.x, 1, r.width }, INK_TEXT);
	draw_format(last, r.x, r.width, INK_TEXT | DRAW_DIM, "%s %d more lines%s%s",
		    draw_sign(SIGN_DOWN), lines - top - r.height + 1, r.width < NARROW ? "" : ": ",
		    r.width < NARROW ? "" : key);
}

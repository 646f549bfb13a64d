/*
 * A page of text that may be taller than its place on the screen: everything is
 * laid out, the lines in sight are drawn. Screen thread only.
 */
#ifndef TUI_UI_PAGE_H
#define TUI_UI_PAGE_H

#include <stdbool.h>

#include "tui/canvas/draw.h"

struct page {
	struct rect r;
	int y;	 /* the next line, counted from the top of the whole page */
	int top; /* the line that is at the top of r */
};

/* Whether the next line is in sight; *row gets its place on the screen. */
bool page_row(const struct page *page, int *row);

/* Draws on the next line, at most width columns, and does not go beyond it. */
void page_text(const struct page *page, int indent, int width, unsigned style, const char *text);

/* A title with a line behind it, and a free line above it if it is not the first. */
void page_heading(struct page *page, const char *text);

/* How many lines a text takes; at least 1. */
int page_lines(const struct page *page, int indent, const char *text);

/* What is left of a text behind its first lines. */
const char *page_skip(const struct page *page, int indent, const char *text, int lines);

/* A text that may take several lines; none if it is empty. */
void page_paragraph(struct page *page, int indent, unsigned style, const char *text);

/*
 * Lines of cells, each a name and its value, with two blanks or more between cells,
 * such as "r8  0  rax 1": a line that finds no room is broken between cells, unless one
 * of them is wider than the page.
 */
void page_cells(struct page *page, unsigned style, const char *text);

/*
 * A value with its name before it, or above it where the page is narrow; nothing if
 * the value is empty.
 */
void page_pair(struct page *page, const char *name, unsigned style, const char *value);

/*
 * Has the last row of r say how many of the page's lines are below the one above it, if any are
 * below r, and which key shows them. Line top is the first one in sight.
 */
void page_more(struct rect r, int lines, int top, const char *key);

#endif

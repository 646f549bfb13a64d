/* See find.h. */
#include "tui/console/find.h"

#include <stdbool.h>

static bool is_capital(uint32_t c)
{
	return c >= 'A' && c <= 'Z';
}

static bool any_case(const struct find_text *text)
{
	for (uint32_t i = 0; i < text->length; i++)
		if (is_capital(text->c[i]))
			return false;
	return true;
}

static bool same(uint32_t wanted, uint32_t c, bool any)
{
	if (c == 0)
		c = ' ';
	return wanted == c || (any && is_capital(c) && wanted == c + ('a' - 'A'));
}

/* The column behind the text if it begins in that one; else -1. */
static int match(const struct find_text *text, const struct grid_cell *cells, int columns, int at,
		 bool any)
{
	uint32_t i = 0;

	for (; at < columns && i < text->length; at++) {
		if (cells[at].width == 0)
			continue;
		if (!same(text->c[i++], cells[at].c, any))
			return -1;
	}
	if (i < text->length)
		return -1;
	while (at < columns && cells[at].width == 0)
		at++;
	return at;
}

int find_in_row(const struct find_text *text, const struct grid_cell *cells, int columns, int from,
		int *end)
{
	bool any = any_case(text);

	for (int at = from; at < columns; at++) {
		if (cells[at].width == 0)
			continue;
		*end = match(text, cells, columns, at, any);
		if (*end >= 0)
			return at;
	}
	return -1;
}

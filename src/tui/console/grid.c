/* See grid.h. */
#include "tui/console/grid.h"

#include <string.h>
#include <wchar.h>

#include "tui/canvas/text.h"

const struct grid_cell grid_blank = { .width = 1 };

static uint32_t check_colour(uint32_t colour)
{
	switch (colour & GRID_COLOUR_KIND) {
	case GRID_INDEXED:
		return GRID_INDEXED | (colour & 0xff);
	case GRID_RGB:
		return colour;
	default:
		return GRID_DEFAULT;
	}
}

/* A character that is as wide as it has to be and steers nothing. */
static uint32_t check_character(uint32_t c, int width)
{
	char utf8[8] = { 0 };
	mbstate_t state = { 0 };
	int columns;
	wchar_t shown;

	if (c < 0x7f)
		return c <= ' ' || width != 1 ? ' ' : c;
	if (c > 0x10ffff || wcrtomb(utf8, (wchar_t)c, &state) == (size_t)-1 ||
	    !text_next(utf8, &shown, &columns))
		return width == 1 ? TEXT_REPLACEMENT : ' ';
	return columns == width ? (uint32_t)shown : width == 1 ? TEXT_REPLACEMENT : ' ';
}

/* Those that take no room and steer nothing remain. */
static void check_marks(uint16_t marks[GRID_MARKS_MAX])
{
	uint16_t kept[GRID_MARKS_MAX] = { 0 };
	unsigned n = 0;

	for (unsigned i = 0; i < GRID_MARKS_MAX && marks[i]; i++) {
		char utf8[8] = { 0 };
		mbstate_t state = { 0 };
		int columns;
		wchar_t c;

		if (wcrtomb(utf8, (wchar_t)marks[i], &state) != (size_t)-1 &&
		    text_next(utf8, &c, &columns) && columns == 0)
			kept[n++] = marks[i];
	}
	memcpy(marks, kept, sizeof(kept));
}

static void check_row(struct grid_cell *cells, int columns)
{
	for (int x = 0; x < columns; x++) {
		struct grid_cell *cell = &cells[x];
		int width = cell->width == 2 && x + 1 < columns && cells[x + 1].width == 0 ? 2 : 1;

		cell->c = check_character(cell->c, width);
		if (cell->marks[0])
			check_marks(cell->marks);
		cell->fg = check_colour(cell->fg);
		cell->bg = check_colour(cell->bg);
		cell->attributes &= GRID_ATTRIBUTES;
		cell->width = (uint8_t)width;
		if (width == 2)
			x++;
	}
}

void grid_copy_row(const struct grid *grid, int row, struct grid_cell *to, int columns)
{
	memcpy(to, grid->cells[row], (size_t)columns * sizeof(*to));
	check_row(to, columns);
}

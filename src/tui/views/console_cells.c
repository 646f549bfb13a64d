/* See console_cells.h. */
#include "tui/views/console_cells.h"

#include <curses.h>

/* The entry of the 6x6x6 cube of 256 colours that is next to a colour. */
static int cube(unsigned red, unsigned green, unsigned blue)
{
	return (int)(16 + 36 * ((red + 25) / 51) + 6 * ((green + 25) / 51) + (blue + 25) / 51);
}

/* The nearest of the 8 colours that every terminal has, and whether it is bright. */
static int basic(unsigned red, unsigned green, unsigned blue, bool *bright)
{
	unsigned most = red > green ? red : green, half;

	most = most > blue ? most : blue;
	*bright = most > 210;
	half = most / 2;
	if (most < 50)
		return COLOR_BLACK;
	return (red > half ? 1 : 0) | (green > half ? 2 : 0) | (blue > half ? 4 : 0);
}

/*
 * Where curses takes colours as 0xRRGGBB (terminfo's RGB, as of TERM=xterm-direct), all but the
 * first eight, which stand in place of what is next to black.
 */
static bool is_direct(void)
{
	return COLORS > 256;
}

static int direct(unsigned red, unsigned green, unsigned blue)
{
	unsigned colour = red << 16 | green << 8 | blue;

	return colour < 8 ? COLOR_BLACK : (int)colour;
}

/* The colours behind the first eight as xterm has them: bright ones, the cube, greys. */
static int direct_indexed(unsigned index)
{
	static const uint32_t bright[] = { 0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00,
					   0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff };
	static const uint8_t levels[] = { 0, 95, 135, 175, 215, 255 };
	unsigned grey = 8 + 10 * (index - 232), n = index - 16;

	if (index < 16)
		return (int)bright[index - 8];
	if (index < 232)
		return direct(levels[n / 36], levels[n / 6 % 6], levels[n % 6]);
	return direct(grey, grey, grey);
}

/* A colour of a cell as curses has it; -1: the default one. */
static int colour(uint32_t c, bool *bright)
{
	unsigned red = c >> 16 & 0xff, green = c >> 8 & 0xff, blue = c & 0xff, index = c & 0xff;

	*bright = false;
	if ((c & GRID_COLOUR_KIND) == GRID_DEFAULT)
		return -1;
	if (is_direct() && (c & GRID_COLOUR_KIND) == GRID_RGB)
		return direct(red, green, blue);
	if (is_direct() && index >= 8)
		return direct_indexed(index);
	if ((c & GRID_COLOUR_KIND) == GRID_RGB)
		return COLORS >= 256 ? cube(red, green, blue) : basic(red, green, blue, bright);
	if ((int)index < COLORS)
		return (int)index;
	if (index < 16) {
		*bright = true;
		return (int)index - 8;
	}
	if (index < 232) {
		index -= 16;
		return basic(index / 36 * 51, index / 6 % 6 * 51, index % 6 * 51, bright);
	}
	*bright = index >= 250;
	return index < 238 ? COLOR_BLACK : COLOR_WHITE;
}

static void pen(const struct terminal *terminal, const struct grid_cell *cell)
{
	attr_t attributes = A_NORMAL;
	bool bright, unused;
	int fg, bg, pair = 0;

	if (cell->attributes & GRID_BOLD)
		attributes |= A_BOLD;
	if (cell->attributes & GRID_UNDERLINE)
		attributes |= A_UNDERLINE;
	if (cell->attributes & GRID_REVERSE)
		attributes |= A_REVERSE;
	if (terminal->colour) {
		fg = colour(cell->fg, &bright);
		bg = colour(cell->bg, &unused);
		if (fg >= 0 && bright)
			attributes |= A_BOLD;
		if (fg >= 0 || bg >= 0)
			pair = alloc_pair(fg, bg);
		if (pair < 0)
			pair = 0;
	}
	attr_set(attributes, (short)pair, &pair);
}

/* One character with the marks that combine with it. */
static void put_cell(int y, int x, wchar_t c, const uint16_t *marks)
{
	wchar_t text[1 + GRID_MARKS_MAX + 1] = { c };
	cchar_t cell;

	if (!marks || !marks[0]) {
		mvaddnwstr(y, x, text, 1);
		return;
	}
	for (unsigned i = 0; i < GRID_MARKS_MAX; i++)
		text[i + 1] = (wchar_t)marks[i];
	if (setcchar(&cell, text, A_NORMAL, 0, NULL) == OK)
		mvadd_wch(y, x, &cell);
}

void console_cells_draw(const struct terminal *terminal, int y, const struct grid_cell *cells,
			int columns)
{
	for (int x = 0; x < columns; x++) {
		wchar_t c = (wchar_t)cells[x].c;

		if (cells[x].width == 0 || (cells[x].width == 2 && x + 1 >= columns))
			continue;
		if (!terminal->utf8 && c >= 0x7f)
			c = L'?';
		if (c == L' ' && !cells[x].attributes && cells[x].bg == GRID_DEFAULT &&
		    !cells[x].marks[0])
			continue; /* erased already */
		pen(terminal, &cells[x]);
		put_cell(y, x, c, terminal->utf8 ? cells[x].marks : NULL);
	}
}

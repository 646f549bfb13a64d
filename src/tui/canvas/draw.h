/*
 * Drawing: text, boxes and chart cells in the palette of the screen. The only
 * way of the views to the terminal. Screen thread only.
 */
#ifndef TUI_CANVAS_DRAW_H
#define TUI_CANVAS_DRAW_H

#include <stdbool.h>
#include <stdint.h>

#include "tui/canvas/chart.h"

struct rect {
	int y, x, height, width;
};

/* A style: an ink, and attributes or-ed to it. */
enum ink {
	INK_TEXT, INK_GOOD, INK_WARN, INK_BAD, INK_ACCENT, INK_SECOND,
	INK_COUNT
};
#define DRAW_INK 0xffu
#define DRAW_BOLD 0x100u
#define DRAW_DIM 0x200u
#define DRAW_REVERSE 0x400u
#define DRAW_MIDDLE 0x800u /* text that finds no room loses its middle, not its end */

/* What a terminal's font can be expected to have. */
enum glyphs {
	GLYPHS_ASCII,
	GLYPHS_CONSOLE, /* what the kernel's console has: lines and blocks, no braille */
	GLYPHS_ALL,
};

/* The colours of the inks, by number; -1: the terminal's own, which INK_TEXT always has. */
struct draw_inks {
	short colours[INK_COUNT];
};

/* Once curses runs. A colour that the terminal has not is its own. */
void draw_start(enum glyphs glyphs, bool colour, const struct draw_inks *inks);

/*
 * Those of a terminal of that type ("linux") in a locale with UTF-8 or without; setting is what
 * a person says it has, "ascii", "console" or "all", which counts more than the type, or NULL.
 */
enum glyphs draw_glyphs(const char *term, bool utf8, const char *setting);

int draw_rows(void);
int draw_columns(void);
void draw_erase(void); /* and draws anywhere again */

/*
 * From here on draws only inside rect, as far as it lies inside what was drawn in
 * before. Returns that, for draw_unclip() to put it back.
 */
struct rect draw_clip(struct rect rect);
void draw_unclip(struct rect before);

/*
 * Draws text, cut to width columns with a sign that it was; returns the columns
 * used. Text that begins outside of what is drawn in is left out.
 */
int draw_text(int y, int x, int width, unsigned style, const char *text);
int draw_format(int y, int x, int width, unsigned style, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* The same with its end at x + width. */
void draw_right(int y, int x, int width, unsigned style, const char *text);
void draw_center(struct rect rect, unsigned style, const char *text); /* wrapped, in the middle */

/*
 * A sentence in one line: where there is too little room the folders of its paths are left out
 * first, and then it is cut. Returns the columns used.
 */
int draw_sentence(int y, int x, int width, unsigned style, const char *text);

/*
 * Wraps text into the rectangle, where there is too little room with the folders of its paths
 * left out, and then cut with a sign in the last line; returns the lines used.
 */
int draw_wrapped(struct rect rect, unsigned style, const char *text);

/* How many lines draw_wrapped() takes of at most so many; width > 0. */
int draw_lines(const char *text, int width, int most);

/* Spaces. */
void draw_fill(struct rect rect, unsigned style);

/* A frame with a title on its upper edge; returns the inside. */
struct rect draw_box(struct rect rect, unsigned style, const char *title);

/* A horizontal line of an edge's kind. */
void draw_line(int y, int x, int width, unsigned style);

/* One cell of a chart. */
void draw_cell(int y, int x, unsigned style, uint8_t cell);

/*
 * Columns of a series' newest samples, one a cell, 8 levels; other, unless NULL, is
 * added to it. max 0: their own peak.
 */
void draw_sparkline(int y, int x, int width, unsigned style, const struct chart_series *series,
		    const struct chart_series *other, float max);

/* A bar of width columns, filled to fraction 0..1. */
void draw_bar(int y, int x, int width, unsigned style, double fraction);

/* A few signs with their ASCII stand-ins. */
enum sign {
	SIGN_DOT, SIGN_RING, SIGN_UP, SIGN_DOWN, SIGN_RIGHT, SIGN_SEPARATOR, SIGN_CROSS, SIGN_HALF,
	SIGN_PAUSE, SIGN_DASH, SIGN_CUT, SIGN_TIMES, SIGN_MARK,
	SIGN_FALLING, SIGN_RISING, SIGN_AGAIN, SIGN_BRANCH, SIGN_CORNER
};
const char *draw_sign(enum sign sign);

/* "14:03:59" of a wall clock time in ns. */
const char *draw_time(char out[16], uint64_t time);

#endif

/*
 * Drawing. Screen thread.
 *
 * Colours are on the terminal's own background. Those that nobody has set are of its own 16, and
 * suit dark and light ones: no white, no black, no blue.
 */
#include "tui/canvas/draw.h"

#include <ctype.h>
#include <curses.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/checked.h"
#include "base/clock.h"
#include "tui/canvas/text.h"

/* The palette belongs to curses' one screen. */
static struct {
	enum glyphs glyphs;
	bool colour;
	struct rect clip;
} canvas;

enum glyphs draw_glyphs(const char *term, bool utf8, const char *setting)
{
	static const char *const names[] = { "ascii", "console", "all" };

	if (!utf8)
		return GLYPHS_ASCII;
	for (size_t i = 0; setting && i < ARRAY_SIZE(names); i++)
		if (strcmp(setting, names[i]) == 0)
			return (enum glyphs)i;
	/* What calls itself by DEC's numbers is often one that has no more than they had. */
	if (strncmp(term, "vt", 2) == 0 && isdigit((unsigned char)term[2]))
		return GLYPHS_ASCII;
	if (strcmp(term, "linux") == 0 || strncmp(term, "linux-", 6) == 0)
		return GLYPHS_CONSOLE;
	return GLYPHS_ALL;
}

void draw_start(enum glyphs glyphs, bool colour, const struct draw_inks *inks)
{
	canvas.glyphs = glyphs;
	canvas.colour = colour;
	if (!colour)
		return;
	for (short i = 1; i < INK_COUNT; i++) {
		short ink = inks->colours[i];

		/* Where there are no bright ones they are the others. */
		if (ink >= COLORS && ink < 16)
			ink %= 8;
		init_pair(i, ink < COLORS ? ink : -1, -1);
	}
}

int draw_rows(void)
{
	return LINES;
}

int draw_columns(void)
{
	return COLS;
}

void draw_erase(void)
{
	erase();
	canvas.clip = (struct rect){ 0, 0, LINES, COLS };
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

struct rect draw_clip(struct rect r)
{
	struct rect before = canvas.clip, *clip = &canvas.clip;

	clip->y = larger(before.y, r.y);
	clip->x = larger(before.x, r.x);
	clip->height = smaller(before.y + before.height, r.y + r.height) - clip->y;
	clip->width = smaller(before.x + before.width, r.x + r.width) - clip->x;
	return before;
}

void draw_unclip(struct rect before)
{
	canvas.clip = before;
}

/* How many of width columns from y, x on are drawn. */
static int visible(int y, int x, int width)
{
	const struct rect *clip = &canvas.clip;

	if (y < clip->y || y >= clip->y + clip->height || x < clip->x)
		return 0;
	return larger(smaller(width, clip->x + clip->width - x), 0);
}

static void pen(unsigned style)
{
	attr_t attributes = A_NORMAL;

	if (style & DRAW_BOLD)
		attributes |= A_BOLD;
	if (style & DRAW_DIM)
		attributes |= A_DIM;
	if (style & DRAW_REVERSE)
		attributes |= A_REVERSE;
	attr_set(attributes, canvas.colour ? (short)(style & DRAW_INK) : 0, NULL);
}

static void put(int y, int x, wchar_t c)
{
	if (visible(y, x, 1))
		mvaddnwstr(y, x, &c, 1);
}

/* Puts the sign behind the columns used, of width, or on the last of them. */
static int draw_cut(int y, int x, int width, int used)
{
	wchar_t sign;
	int columns;

	text_next(draw_sign(SIGN_CUT), &sign, &columns);
	used = smaller(used, width - 1);
	put(y, x + used, sign);
	return used + 1;
}

/* The beginning and the end of a text that is wider than width. */
static int draw_ends(int y, int x, int width, unsigned style, const char *text)
{
	int tail = (width - 1) / 2, skip = text_width(text) - tail, skipped, columns;
	size_t at = text_cut(text, skip, &skipped);
	wchar_t c;

	if (skipped < skip) /* a wide character lies across */
		at += text_next(text + at, &c, &columns);
	x += draw_text(y, x, width - tail, style, text);
	draw_text(y, x, tail, style, text + at);
	return width;
}

int draw_text(int y, int x, int width, unsigned style, const char *text)
{
	const char *whole = text;
	wchar_t run[256];
	int used = 0, columns;
	unsigned n = 0;
	size_t bytes;
	wchar_t c;

	width = visible(y, x, width);
	if (width == 0)
		return 0;
	pen(style);
	move(y, x);
	while ((bytes = text_next(text, &c, &columns)) && used + columns <= width) {
		text += bytes;
		if (columns == 0)
			continue;
		if (canvas.glyphs == GLYPHS_ASCII && c > 0x7e) {
			c = L'?';
			columns = 1;
		}
		run[n++] = c;
		used += columns;
		if (n == ARRAY_SIZE(run)) {
			addnwstr(run, (int)n);
			n = 0;
		}
	}
	if (n)
		addnwstr(run, (int)n);
	if (!text[strspn(text, " ")])
		return used;
	if (style & DRAW_MIDDLE && width > 4)
		return draw_ends(y, x, width, style & ~DRAW_MIDDLE, whole);
	return draw_cut(y, x, width, used);
}

int draw_format(int y, int x, int width, unsigned style, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return draw_text(y, x, width, style, text);
}

void draw_right(int y, int x, int width, unsigned style, const char *text)
{
	int used;

	text_cut(text, width, &used);
	if (width > 0)
		draw_text(y, x + width - used, used, style, text);
}

int draw_sentence(int y, int x, int width, unsigned style, const char *text)
{
	char fit[TEXT_MOST];

	if (width <= 0)
		return 0;
	text_fit(fit, sizeof(fit), text, draw_sign(SIGN_CUT), width, 1);
	return draw_text(y, x, width, style, fit);
}

int draw_lines(const char *text, int width, int most)
{
	char fit[TEXT_MOST];

	text_fit(fit, sizeof(fit), text, draw_sign(SIGN_CUT), width, most);
	return text_lines(fit, width, most);
}

int draw_wrapped(struct rect rect, unsigned style, const char *text)
{
	char fit[TEXT_MOST], line[1024];
	int n;

	if (rect.width <= 0)
		return 0;
	text_fit(fit, sizeof(fit), text, draw_sign(SIGN_CUT), rect.width, rect.height);
	text = fit;
	for (n = 0; n < rect.height && *text; n++) {
		size_t next, bytes = text_wrap(text, rect.width, &next);

		if (n == rect.height - 1)
			bytes = strcspn(text, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)bytes, text);
		draw_text(rect.y + n, rect.x, rect.width, style, line);
		text += next;
	}
	return n;
}

void draw_center(struct rect rect, unsigned style, const char *text)
{
	char fit[TEXT_MOST], line[1024];
	size_t next, bytes;
	int lines;

	if (rect.width <= 0 || rect.height <= 0)
		return;
	text_fit(fit, sizeof(fit), text, draw_sign(SIGN_CUT), rect.width, rect.height);
	lines = text_lines(fit, rect.width, rect.height + 1);
	if (lines > rect.height) {
		draw_wrapped(rect, style, text);
		return;
	}
	text = fit;
	for (int y = rect.y + (rect.height - lines) / 2; lines-- > 0; y++, text += next) {
		bytes = text_wrap(text, rect.width, &next);
		snprintf(line, sizeof(line), "%.*s", (int)bytes, text);
		draw_text(y, rect.x + (rect.width - text_width(line)) / 2, rect.width, style, line);
	}
}

static void draw_run(int y, int x, int width, wchar_t c)
{
	wchar_t run[64];

	width = visible(y, x, width);
	if (width == 0)
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(run); i++)
		run[i] = c;
	move(y, x);
	for (; width > 0; width -= (int)ARRAY_SIZE(run))
		addnwstr(run, width > (int)ARRAY_SIZE(run) ? (int)ARRAY_SIZE(run) : width);
}

void draw_fill(struct rect rect, unsigned style)
{
	pen(style);
	for (int y = 0; y < rect.height; y++)
		draw_run(rect.y + y, rect.x, rect.width, L' ');
}

void draw_line(int y, int x, int width, unsigned style)
{
	pen(style);
	draw_run(y, x, width, canvas.glyphs == GLYPHS_ASCII ? L'-' : 0x2500);
}

struct rect draw_box(struct rect r, unsigned style, const char *title)
{
	static const wchar_t edges[][5] = {
		[GLYPHS_ASCII] = { L'+', L'+', L'+', L'+', L'|' },
		[GLYPHS_CONSOLE] = { 0x250c, 0x2510, 0x2514, 0x2518, 0x2502 },
		[GLYPHS_ALL] = { 0x256d, 0x256e, 0x2570, 0x256f, 0x2502 },
	};
	const wchar_t *edge = edges[canvas.glyphs];
	int right = r.x + r.width - 1, bottom = r.y + r.height - 1;

	if (r.width < 2 || r.height < 2)
		return (struct rect){ r.y, r.x, 0, 0 };
	draw_line(r.y, r.x + 1, r.width - 2, style);
	draw_line(bottom, r.x + 1, r.width - 2, style);
	put(r.y, r.x, edge[0]);
	put(r.y, right, edge[1]);
	put(bottom, r.x, edge[2]);
	put(bottom, right, edge[3]);
	for (int y = r.y + 1; y < bottom; y++) {
		put(y, r.x, edge[4]);
		put(y, right, edge[4]);
	}
	if (title && r.width > 6) {
		int used = draw_text(r.y, r.x + 3, r.width - 6, DRAW_BOLD, title);

		draw_text(r.y, r.x + 2, 1, DRAW_BOLD, " ");
		draw_text(r.y, r.x + 3 + used, 1, DRAW_BOLD, " ");
	}
	return (struct rect){ r.y + 1, r.x + 1, r.height - 2, r.width - 2 };
}

void draw_cell(int y, int x, unsigned style, uint8_t cell)
{
	if (!cell)
		return;
	pen(style);
	switch (canvas.glyphs) {
	case GLYPHS_ALL:
		put(y, x, CHART_BRAILLE + cell);
		break;
	case GLYPHS_CONSOLE:
		put(y, x, (wchar_t)chart_block(cell));
		break;
	case GLYPHS_ASCII:
		put(y, x, (wchar_t)chart_ascii(cell));
		break;
	}
}

void draw_sparkline(int y, int x, int width, unsigned style, const struct chart_series *series,
		    const struct chart_series *other, float max)
{
	static const wchar_t levels[][10] = {
		[GLYPHS_ASCII] = L" __..-=##",
		[GLYPHS_CONSOLE] = L" __\u2584\u2584\u2584\u2584\u2588\u2588",
		[GLYPHS_ALL] = L" \u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588",
	};
	wchar_t run[256];

	if (width <= 0 || width > (int)ARRAY_SIZE(run))
		return;
	if (!(max > 0))
		max = chart_peak(series, other);
	for (int i = 0; i < width; i++) {
		unsigned back = (unsigned)(width - i), level;

		run[i] = L' ';
		if (back > series->filled)
			continue;
		level = chart_level(chart_sum(series, other, back), max);
		run[i] = levels[canvas.glyphs][level];
	}
	pen(style);
	if ((width = visible(y, x, width)))
		mvaddnwstr(y, x, run, width);
}

void draw_bar(int y, int x, int width, unsigned style, double fraction)
{
	int full = fraction >= 1 ? width : fraction > 0 ? (int)(fraction * width + 0.5) : 0;

	if (fraction > 0 && full == 0)
		full = 1;
	pen(style);
	draw_run(y, x, full, canvas.glyphs == GLYPHS_ASCII ? L'#' : 0x25a0);
	pen(INK_TEXT | DRAW_DIM);
	draw_run(y, x + full, width - full, canvas.glyphs == GLYPHS_ASCII ? L'.' : 0xb7);
}

const char *draw_sign(enum sign sign)
{
	/* In ASCII, all, and, where the kernel's console lacks that, one that it has. */
	static const char *const signs[][3] = {
		[SIGN_DOT] = { "*", "●", "•" },	 [SIGN_RING] = { "o", "○" },
		[SIGN_UP] = { "^", "▲" },	 [SIGN_DOWN] = { "v", "▼" },
		[SIGN_RIGHT] = { ">", "▶", "►" }, [SIGN_SEPARATOR] = { "|", "·" },
		[SIGN_CROSS] = { "x", "✖", "x" }, [SIGN_HALF] = { "+", "◐", "+" },
		[SIGN_PAUSE] = { "=", "‖", "=" }, [SIGN_DASH] = { "-", "–", "-" },
		[SIGN_CUT] = { "~", "…", "~" },	 [SIGN_TIMES] = { "x", "×", "x" },
		[SIGN_MARK] = { "+", "◆", "♦" }, [SIGN_FALLING] = { "-", "▼" },
		[SIGN_RISING] = { "+", "▲" },	 [SIGN_AGAIN] = { "@", "↻", "@" },
		[SIGN_BRANCH] = { "|-", "├─" },	 [SIGN_CORNER] = { "`-", "└─" },
	};

	if (canvas.glyphs == GLYPHS_CONSOLE && signs[sign][2])
		return signs[sign][2];
	return signs[sign][canvas.glyphs != GLYPHS_ASCII];
}

const char *draw_time(char out[16], uint64_t time)
{
	time_t seconds = (time_t)(time / NS_PER_S);
	struct tm tm;

	if (!localtime_r(&seconds, &tm) || !strftime(out, 16, "%H:%M:%S", &tm))
		strcpy(out, "--:--:--");
	return out;
}

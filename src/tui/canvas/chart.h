/*
 * Charts: series of samples as Unicode braille. Pure; draw.h puts the cells
 * on the screen.
 *
 * A braille cell holds two columns of four dots. A chart always spans the
 * same time: samples are spread over the dots that there are, in bins that
 * stay with their samples, so that a chart moves without flickering.
 */
#ifndef TUI_CANVAS_CHART_H
#define TUI_CANVAS_CHART_H

#include <stdbool.h>
#include <stdint.h>

#define CHART_SAMPLES 240

/* A ring of samples; total counts those ever taken. */
struct chart_series {
	uint64_t total;
	unsigned filled; /* how many of the newest are known, at most CHART_SAMPLES */
	float values[CHART_SAMPLES]; /* sample n is at n % CHART_SAMPLES; NAN: there was none */
};

void chart_push(struct chart_series *series, float value);

/* Puts value in the place of the newest sample; the first one is pushed. */
void chart_replace(struct chart_series *series, float value);
float chart_last(const struct chart_series *series); /* 0 for none */

/*
 * The sample that is back (1..filled) from the end, with that of another series
 * unless that is NULL or has none there.
 */
float chart_sum(const struct chart_series *series, const struct chart_series *other, unsigned back);

/* The largest sample of the series, with another added unless that is NULL; 0 for none. */
float chart_peak(const struct chart_series *series, const struct chart_series *other);

/*
 * Spreads the series over width dots (1..1024), oldest first, newest at the
 * end: each dot is the largest sample of its bin, NAN where none is known.
 */
void chart_spread(const struct chart_series *series, float *dots, unsigned width);

/*
 * Fills an area of columns x rows cells, row 0 at the top, with the dots
 * below the values (2 * columns of them; max is full height), or, with down,
 * hanging from the top. A known value shows one dot at least.
 */
void chart_fill(const float *dots, unsigned columns, unsigned rows, float max, bool down,
		uint8_t *cells);

/* The character of a cell: U+2800 + mask. */
#define CHART_BRAILLE 0x2800

/* Without Unicode: ' ', '.', or '#' for a cell. */
char chart_ascii(uint8_t cell);

/* In halves of a block: U+2580, U+2584, U+2588. A cell that has dots shows one. */
unsigned chart_block(uint8_t cell);

/* A level 0..8 for a sparkline cell. */
unsigned chart_level(float value, float max);

/* The least of 1, 2, 5 times a power of ten that is not below peak; at least least. */
float chart_ceiling(float peak, float least);

#endif

/* Charts in braille. Pure. Dots: Unicode standard, block U+2800. */
#include "tui/canvas/chart.h"

#include <math.h>

void chart_push(struct chart_series *series, float value)
{
	series->values[series->total % CHART_SAMPLES] = value;
	series->total++;
	if (series->filled < CHART_SAMPLES)
		series->filled++;
}

void chart_replace(struct chart_series *series, float value)
{
	if (series->filled)
		series->values[(series->total - 1) % CHART_SAMPLES] = value;
	else
		chart_push(series, value);
}

float chart_last(const struct chart_series *series)
{
	float value = series->filled ? series->values[(series->total - 1) % CHART_SAMPLES] : 0;

	return isnan(value) ? 0 : value;
}

float chart_sum(const struct chart_series *series, const struct chart_series *other, unsigned back)
{
	float value = series->values[(series->total - back) % CHART_SAMPLES];

	if (other && back <= other->filled)
		value += other->values[(other->total - back) % CHART_SAMPLES];
	return value;
}

float chart_peak(const struct chart_series *series, const struct chart_series *other)
{
	float peak = 0;

	for (unsigned i = 1; i <= series->filled; i++) {
		float value = chart_sum(series, other, i);

		if (value > peak)
			peak = value;
	}
	return peak;
}

/* The largest known sample of a bin, NAN when there is none. */
static float bin_value(const struct chart_series *series, uint64_t end, uint64_t bin,
		       unsigned width)
{
	uint64_t oldest = end - series->filled, from, to;
	float value = NAN;

	if (width > CHART_SAMPLES) { /* more dots than samples: the one that the dot lies in */
		from = bin * CHART_SAMPLES / width;
		to = from + 1;
	} else {
		from = (bin * CHART_SAMPLES + width - 1) / width;
		to = ((bin + 1) * CHART_SAMPLES + width - 1) / width;
	}
	for (uint64_t n = from; n < to && n < end; n++) {
		float sample = series->values[n % CHART_SAMPLES];

		if (n >= oldest && (isnan(value) || sample > value))
			value = sample;
	}
	return value;
}

void chart_spread(const struct chart_series *series, float *dots, unsigned width)
{
	/* The offset keeps numbers of samples and bins positive and changes neither ring nor bins. */
	uint64_t end = series->total + CHART_SAMPLES, last;

	if (width > CHART_SAMPLES)
		last = (end * width + CHART_SAMPLES - 1) / CHART_SAMPLES - 1;
	else
		last = (end - 1) * width / CHART_SAMPLES;
	for (unsigned i = 0; i < width; i++)
		dots[i] = bin_value(series, end, last - (width - 1) + i, width);
}

/* How many of levels dots a value fills. */
static unsigned height(float value, float max, unsigned levels)
{
	float h;

	if (isnan(value))
		return 0;
	h = max > 0 ? value / max * (float)levels + 0.5f : 0;
	if (!(h >= 1))
		return 1;
	return h > (float)levels ? levels : (unsigned)h;
}

void chart_fill(const float *dots, unsigned columns, unsigned rows, float max, bool down,
		uint8_t *cells)
{
	/* Bits of the left column from the top, then of the right one. */
	static const uint8_t bits[2][4] = { { 0x01, 0x02, 0x04, 0x40 }, { 0x08, 0x10, 0x20, 0x80 } };
	unsigned levels = rows * 4;

	for (unsigned i = 0; i < columns * rows; i++)
		cells[i] = 0;
	for (unsigned x = 0; x < columns * 2; x++) {
		unsigned h = height(dots[x], max, levels);

		for (unsigned level = 0; level < h; level++) {
			unsigned y = down ? level : levels - 1 - level;

			cells[y / 4 * columns + x / 2] |= bits[x % 2][y % 4];
		}
	}
}

char chart_ascii(uint8_t cell)
{
	int dots = __builtin_popcount(cell);

	return dots >= 4 ? '#' : dots ? '.' : ' ';
}

unsigned chart_block(uint8_t cell)
{
	/* The upper and the lower two rows of dots. */
	int upper = __builtin_popcount(cell & 0x1b), lower = __builtin_popcount(cell & 0xe4);

	if (!cell)
		return ' ';
	return upper >= 2 && lower >= 2 ? 0x2588 : lower >= upper ? 0x2584 : 0x2580;
}

unsigned chart_level(float value, float max)
{
	return isnan(value) ? 0 : height(value, max, 8);
}

float chart_ceiling(float peak, float least)
{
	float power = 1;

	if (!(peak > least))
		return least;
	if (peak > 1e18f)
		return 1e18f;
	while (power * 10 < peak)
		power *= 10;
	return peak <= power ? power : peak <= 2 * power ? 2 * power : peak <= 5 * power ?
	       5 * power : 10 * power;
}

/* See spans.h. Values are kept as the upper half of a float: to 0.4 %, which no chart shows. */
#include "control/spans.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define SECOND NS_PER_S
#define NONE 0x7fc0u /* of a NAN */

/* Slots of each span, one span's behind the other's. */
static const struct {
	unsigned slots, first;
	uint64_t time; /* ns */
} kinds[SPANS] = {
	[SPAN_10_MINUTES] = { 60, 0, 10 * SECOND },
	[SPAN_HOUR] = { 60, 60, 60 * SECOND },
	[SPAN_DAY] = { 48, 120, 1800 * SECOND },
};

#define SLOTS 168

struct spans {
	struct {
		uint64_t slot; /* the one that is not over */
		unsigned count; /* of samples in it */
		double sums[SPAN_FIELDS];
	} open[SPANS];
	bool begun;
	uint16_t slots[SLOTS][SPAN_FIELDS]; /* slot n of a span is at n % its slots */
};

static uint16_t pack(float value)
{
	uint32_t bits;

	if (!isfinite(value))
		return NONE;
	memcpy(&bits, &value, sizeof(bits));
	bits += 0x8000;
	return (uint16_t)(bits >> 16);
}

static float unpack(uint16_t half)
{
	uint32_t bits = (uint32_t)half << 16;
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

struct spans *spans_new(void)
{
	return calloc(1, sizeof(struct spans));
}

void spans_free(struct spans *spans)
{
	free(spans);
}

static uint16_t *place(struct spans *spans, enum stats_span span, uint64_t slot)
{
	return spans->slots[kinds[span].first + slot % kinds[span].slots];
}

static float average(const struct spans *spans, enum stats_span span, unsigned field)
{
	unsigned count = spans->open[span].count;

	return count ? (float)(spans->open[span].sums[field] / count) : NAN;
}

/* The open slot is over, and so are those up to the next one, in which nothing came. */
static void go_on(struct spans *spans, enum stats_span span, uint64_t slot)
{
	uint64_t over = spans->open[span].slot;
	uint16_t *at = place(spans, span, over);

	for (unsigned i = 0; i < SPAN_FIELDS; i++)
		at[i] = pack(average(spans, span, i));
	if (slot - over > kinds[span].slots)
		over = slot - kinds[span].slots - 1;
	while (++over < slot)
		for (unsigned i = 0; i < SPAN_FIELDS; i++)
			place(spans, span, over)[i] = NONE;
	memset(&spans->open[span], 0, sizeof(spans->open[span]));
	spans->open[span].slot = slot;
}

static void begin(struct spans *spans, uint64_t now)
{
	for (unsigned i = 0; i < SLOTS * SPAN_FIELDS; i++)
		spans->slots[i / SPAN_FIELDS][i % SPAN_FIELDS] = NONE;
	for (unsigned span = 0; span < SPANS; span++)
		spans->open[span].slot = now / kinds[span].time;
	spans->begun = true;
}

void spans_add(struct spans *spans, const float *values, uint64_t now)
{
	if (!spans->begun)
		begin(spans, now);
	for (unsigned span = 0; span < SPANS; span++) {
		uint64_t slot = now / kinds[span].time;

		if (slot > spans->open[span].slot)
			go_on(spans, span, slot);
		if (!values)
			continue;
		spans->open[span].count++;
		for (unsigned i = 0; i < SPAN_FIELDS; i++)
			spans->open[span].sums[i] += (double)values[i];
	}
}

unsigned spans_slots(enum stats_span span)
{
	return kinds[span].slots;
}

uint64_t spans_slot_time(enum stats_span span)
{
	return kinds[span].time;
}

void spans_get(const struct spans *spans, enum stats_span span, unsigned field,
	       float out[SPAN_SLOTS_MAX], uint64_t *ends)
{
	uint64_t open = spans->open[span].slot;
	unsigned slots = kinds[span].slots;

	for (unsigned i = 0; i + 1 < slots; i++) {
		uint64_t slot = open + 1 + i; /* the same place as slots before it */
		const uint16_t *at = spans->slots[kinds[span].first + slot % slots];

		out[i] = spans->begun ? unpack(at[field]) : NAN;
	}
	out[slots - 1] = average(spans, span, field);
	*ends = (open + 1) * kinds[span].time;
}

/* See impair.h. */
#include "net/switch/impair.h"

#include "base/clock.h"

/* xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators"). */
static uint32_t draw(struct impair *impair)
{
	uint64_t x = impair->chance;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	impair->chance = x;
	return (uint32_t)(x * 0x2545f4914f6cdd1dull >> 32);
}

/* Neighbouring seeds begin far from each other: the last step of splitmix64. Never 0. */
static uint64_t spread(uint64_t seed)
{
	seed += 0x9e3779b97f4a7c15ull;
	seed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9ull;
	seed = (seed ^ seed >> 27) * 0x94d049bb133111ebull;
	seed ^= seed >> 31;
	return seed ? seed : 1;
}

void impair_begin(struct impair *impair, const struct net_impairment *settings, uint64_t seed)
{
	*impair = (struct impair){ .settings = *settings };
	impair->chance = spread(settings->seed ? settings->seed : seed);
}

/* 0 to below - 1. */
static uint32_t draw_below(struct impair *impair, uint32_t below)
{
	return (uint32_t)((uint64_t)draw(impair) * below >> 32);
}

/* Nothing is drawn for what is not asked for. */
static bool happens(struct impair *impair, unsigned share)
{
	return share && draw_below(impair, NET_SHARE_ALL) < share;
}

/*
 * Bursts end with probability 1 / loss_burst and begin with such a one that the share of loss is
 * that in the end (E. N. Gilbert, "Capacity of a Burst-Noise Channel", with all lost in a burst).
 */
static bool is_lost(struct impair *impair)
{
	uint64_t loss = impair->settings.loss, burst = impair->settings.loss_burst;
	uint64_t rest = NET_SHARE_ALL - loss, begin;

	if (!burst || !loss || !rest)
		return happens(impair, (unsigned)loss);
	/* Shorter ones cannot make up so much. */
	if (burst * rest < loss)
		burst = (loss + rest - 1) / rest;
	if (impair->losing) {
		impair->losing = draw_below(impair, NET_SHARE_ALL) >= NET_SHARE_ALL / burst;
	} else {
		begin = loss * NET_SHARE_ALL / (burst * rest);
		impair->losing = draw_below(impair, NET_SHARE_ALL) < begin;
	}
	return impair->losing;
}

#define JITTER_MOST (65536 * 256) /* so that a jitter of 60 s times that is far below 2^63 */

/*
 * By how much a delay is longer, in jitters times 65536. Standard deviation 1 of the last two:
 * twelve uniform ones have a sum that is nearly normal; the largest of three, inverted, is
 * Pareto's with the index 3, whose mean is 3/2 and whose variance 3/4.
 */
static int64_t draw_jitter(struct impair *impair)
{
	int64_t sum = 0;
	uint32_t most = 0;

	switch (impair->settings.distribution) {
	case NET_NORMAL:
		for (unsigned i = 0; i < 12; i++)
			sum += draw(impair) >> 16;
		return sum - 6 * 65536;
	case NET_PARETO:
		for (unsigned i = 0; i < 3; i++) {
			uint32_t one = draw(impair) >> 8;

			most = one > most ? one : most;
		}
		sum = (int64_t)((65536ull << 24) / (most + 1ull));
		if (sum > JITTER_MOST)
			sum = JITTER_MOST;
		return (sum - 65536 * 3 / 2) * 75674 / 65536; /* times 2 / sqrt(3) */
	default:
		return (int64_t)draw_below(impair, 2 * 65536 + 1) - 65536;
	}
}

static uint64_t draw_delay(struct impair *impair)
{
	const struct net_impairment *settings = &impair->settings;
	int64_t more;

	if (!settings->jitter)
		return settings->delay;
	more = (int64_t)(settings->jitter / 256) * draw_jitter(impair) / 256;
	if (more < 0 && (uint64_t)-more > settings->delay)
		return 0;
	return settings->delay + (uint64_t)more;
}

/* When the line has sent the frame, which is then delayed; *line: for how long it is busy. */
static uint64_t pass_line(struct impair *impair, uint32_t size, uint64_t now, uint64_t *line)
{
	uint64_t rate = impair->settings.rate;

	*line = 0;
	if (!rate)
		return now;
	if (impair->idle < now)
		impair->idle = now;
	*line = (uint64_t)((unsigned __int128)size * 8 * NS_PER_S / rate);
	impair->idle += *line;
	return impair->idle;
}

void impair_refuse(struct impair *impair, const struct impair_copy *copy)
{
	impair->idle -= copy->line;
}

void impair_draw(struct impair *impair, uint32_t size, uint32_t header, uint64_t now,
		 struct impair_fate *fate)
{
	const struct net_impairment *settings = &impair->settings;

	fate->count = 0;
	fate->reordered = false;
	if (is_lost(impair))
		return;
	fate->count = happens(impair, settings->duplicate) ? 2 : 1;
	for (unsigned i = 0; i < fate->count; i++) {
		struct impair_copy *copy = &fate->copies[i];
		bool early = settings->delay && happens(impair, settings->reorder);

		copy->corrupt = size > header && happens(impair, settings->corrupt);
		if (copy->corrupt)
			copy->bit = header * 8 + draw_below(impair, (size - header) * 8);
		copy->line = 0;
		copy->time = early ? now : pass_line(impair, size, now, &copy->line) +
						   draw_delay(impair);
		fate->reordered |= early;
	}
}

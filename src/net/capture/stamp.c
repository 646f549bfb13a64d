/* See stamp.h. Advanced Power Management: CPUID leaf 80000007H, EDX bit 8. */
#include "net/capture/stamp.h"

#include <cpuid.h>
#include <time.h>

#include "base/clock.h"

#define BASE_NS (2 * NS_PER_MS) /* what is measured over: off by less than a ten thousandth */
#define TRIES 20

bool stamp_usable(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d >> 8 & 1);
}

struct moment {
	uint64_t ns, ticks;
};

/* Counter and clock at the same time, as nearly as this thread is not interrupted. */
static struct moment read_both(void)
{
	struct moment best = { 0 };
	uint64_t least = UINT64_MAX;

	for (int tries = 0; tries < TRIES; tries++) {
		uint64_t before = clock_monotonic(), ticks = stamp_read();
		uint64_t after = clock_monotonic();

		if (after - before >= least)
			continue;
		least = after - before;
		best = (struct moment){ .ns = before + least / 2, .ticks = ticks };
	}
	return best;
}

uint64_t stamp_unit(void)
{
	const struct timespec base = { .tv_nsec = BASE_NS };
	struct moment first = read_both(), last;

	do {
		nanosleep(&base, NULL);
		last = read_both();
	} while (last.ns - first.ns < BASE_NS || last.ticks <= first.ticks);
	return (uint64_t)(((__uint128_t)(last.ns - first.ns) << (32 + STAMP_SHIFT)) /
			  (last.ticks - first.ticks));
}

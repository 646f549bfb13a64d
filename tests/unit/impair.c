/* What is drawn for frames that are impaired, against the distributions that are named. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/frame/frame.h"
#include "net/switch/impair.h"

#define FRAMES 10000u
#define POINT (NET_SHARE_ALL / 100)
#define HALF_A_POINT 0.005

static void shares_are_what_they_are_set_to(void **state)
{
	struct net_impairment settings = { .loss = 10 * POINT, .duplicate = 3 * POINT,
					   .corrupt = 5 * POINT, .delay = NS_PER_MS,
					   .reorder = 25 * POINT, .seed = 1 };
	unsigned lost = 0, copies = 0, corrupt = 0, reordered = 0, twice = 0, bits[8] = { 0 };
	struct impair_fate fate;
	struct impair impair;

	(void)state;
	impair_begin(&impair, &settings, 0);
	for (unsigned i = 0; i < FRAMES; i++) {
		impair_draw(&impair, 100, NET_FRAME_MIN, 5, &fate);
		lost += !fate.count;
		twice += fate.count == 2;
		reordered += fate.reordered;
		for (unsigned k = 0; k < fate.count; k++) {
			copies++;
			assert_true(fate.copies[k].time == 5 ||
				    fate.copies[k].time == 5 + NS_PER_MS);
			if (!fate.copies[k].corrupt)
				continue;
			corrupt++;
			assert_in_range(fate.copies[k].bit, NET_FRAME_MIN * 8, 100 * 8 - 1);
			bits[fate.copies[k].bit % 8]++;
		}
	}
	assert_true(fabs(lost / (double)FRAMES - 0.1) < HALF_A_POINT);
	assert_true(fabs(twice / (double)(FRAMES - lost) - 0.03) < HALF_A_POINT);
	assert_true(fabs(corrupt / (double)copies - 0.05) < HALF_A_POINT);
	assert_true(fabs(reordered / (double)(FRAMES - lost) - 0.25) < 3 * HALF_A_POINT);
	for (unsigned i = 0; i < 8; i++)
		assert_true(bits[i] > corrupt / 16);
}

/* A frame without anything behind its header cannot be corrupted; all and nothing are exact. */
static void extremes_are_exact(void **state)
{
	struct net_impairment settings = { .loss = NET_SHARE_ALL, .seed = 3 };
	struct impair_fate fate;
	struct impair impair;

	(void)state;
	impair_begin(&impair, &settings, 0);
	for (unsigned i = 0; i < FRAMES; i++) {
		impair_draw(&impair, 100, NET_FRAME_MIN, 5, &fate);
		assert_int_equal(fate.count, 0);
	}
	settings = (struct net_impairment){ .corrupt = NET_SHARE_ALL, .duplicate = NET_SHARE_ALL };
	impair_begin(&impair, &settings, 0);
	for (unsigned i = 0; i < FRAMES; i++) {
		impair_draw(&impair, i % 2 ? NET_FRAME_MIN : NET_FRAME_MIN + 1, NET_FRAME_MIN, 5, &fate);
		assert_int_equal(fate.count, 2);
		assert_int_equal(fate.copies[0].corrupt, i % 2 == 0);
		assert_int_equal(fate.copies[1].time, 5);
	}
}

static void losses_come_in_bursts(void **state)
{
	static const struct {
		unsigned loss, burst;
		double mean;
	} cases[] = { { 10, 5, 5 }, { 2, 20, 20 }, { 50, 2, 2 }, { 90, 1, 9 } };
	struct impair_fate fate;
	struct impair impair;

	(void)state;
	for (unsigned k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct net_impairment settings = { .loss = cases[k].loss * POINT,
						   .loss_burst = cases[k].burst, .seed = 7 };
		unsigned lost = 0, bursts = 0;
		bool was_lost = false;

		impair_begin(&impair, &settings, 0);
		for (unsigned i = 0; i < 100 * FRAMES; i++) {
			impair_draw(&impair, 100, NET_FRAME_MIN, 0, &fate);
			bursts += !fate.count && !was_lost;
			was_lost = !fate.count;
			lost += was_lost;
		}
		assert_true(fabs(lost / (100.0 * FRAMES) - cases[k].loss / 100.0) < HALF_A_POINT);
		assert_true(fabs(lost / (double)bursts / cases[k].mean - 1) < 0.05);
	}
}

struct sample {
	double mean, deviation, least, most; /* ms */
};

static struct sample sample(unsigned distribution, uint64_t delay, uint64_t jitter, unsigned count)
{
	struct net_impairment settings = { .delay = delay, .jitter = jitter,
					   .distribution = distribution, .seed = 11 };
	struct sample out = { .least = INFINITY };
	double sum = 0, squares = 0;
	struct impair_fate fate;
	struct impair impair;

	impair_begin(&impair, &settings, 0);
	for (unsigned i = 0; i < count; i++) {
		double ms;

		impair_draw(&impair, 100, NET_FRAME_MIN, 0, &fate);
		ms = (double)fate.copies[0].time / NS_PER_MS;
		sum += ms;
		squares += ms * ms;
		out.least = fmin(out.least, ms);
		out.most = fmax(out.most, ms);
	}
	out.mean = sum / count;
	out.deviation = sqrt(squares / count - out.mean * out.mean);
	return out;
}

static void delays_are_distributed_as_named(void **state)
{
	struct sample s;

	(void)state;
	s = sample(NET_UNIFORM, 50 * NS_PER_MS, 10 * NS_PER_MS, FRAMES);
	assert_true(fabs(s.mean - 50) < 0.5 && s.least >= 40 && s.most <= 60);
	assert_true(fabs(s.deviation - 10 / sqrt(3)) < 0.2);
	assert_true(s.least < 40.1 && s.most > 59.9);
	s = sample(NET_NORMAL, 50 * NS_PER_MS, 10 * NS_PER_MS, FRAMES);
	assert_true(fabs(s.mean - 50) < 0.5);
	assert_true(fabs(s.deviation - 10) < 0.2);
	assert_true(s.most > 75 && s.least < 25);
	s = sample(NET_PARETO, 50 * NS_PER_MS, 10 * NS_PER_MS, FRAMES);
	assert_true(fabs(s.mean - 50) < 0.5);
	assert_true(s.least > 50 - 10 / sqrt(3) - 0.1 && s.least < 50 - 10 / sqrt(3) + 0.1);
	assert_true(s.most > 100);
	/* Never before now, however far the jitter goes, and no overflow at its most. */
	s = sample(NET_NORMAL, 0, 10 * NS_PER_MS, FRAMES);
	assert_true(s.least == 0 && s.most > 25);
	s = sample(NET_PARETO, 60 * NS_PER_S, 60 * NS_PER_S, 1000000);
	assert_true(s.least > 60000 * (1 - 1 / sqrt(3)) - 1);
	assert_true(s.most < 60000.0 * 400);
}

static void a_line_sends_frame_by_frame(void **state)
{
	const struct net_impairment settings = { .rate = 1000000, .delay = NS_PER_MS };
	struct impair_fate fate;
	struct impair impair;

	(void)state;
	impair_begin(&impair, &settings, 1);
	for (unsigned i = 1; i <= 3; i++) {
		impair_draw(&impair, 125, NET_FRAME_MIN, 0, &fate);
		assert_int_equal(fate.copies[0].time, i * NS_PER_MS + NS_PER_MS);
	}
	impair_draw(&impair, 1250, NET_FRAME_MIN, 50 * NS_PER_MS, &fate);
	assert_int_equal(fate.copies[0].time, 61 * NS_PER_MS);
}

static void the_same_seed_gives_the_same(void **state)
{
	struct net_impairment settings = { .loss = 20 * POINT, .duplicate = 10 * POINT,
					   .corrupt = 10 * POINT, .delay = NS_PER_MS,
					   .jitter = NS_PER_MS, .distribution = NET_NORMAL,
					   .reorder = 10 * POINT, .seed = 5 };
	struct impair one, other, different;
	unsigned unlike = 0;

	(void)state;
	impair_begin(&one, &settings, 1);
	impair_begin(&other, &settings, 2);
	settings.seed = 6;
	impair_begin(&different, &settings, 1);
	for (unsigned i = 0; i < FRAMES; i++) {
		struct impair_fate fates[3];

		memset(fates, 0, sizeof(fates));
		impair_draw(&one, 100, NET_FRAME_MIN, i, &fates[0]);
		impair_draw(&other, 100, NET_FRAME_MIN, i, &fates[1]);
		impair_draw(&different, 100, NET_FRAME_MIN, i, &fates[2]);
		assert_memory_equal(&fates[0], &fates[1], sizeof(fates[0]));
		unlike += memcmp(&fates[0], &fates[2], sizeof(fates[0])) != 0;
	}
	assert_true(unlike > FRAMES / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_are_what_they_are_set_to),
		cmocka_unit_test(extremes_are_exact),
		cmocka_unit_test(losses_come_in_bursts),
		cmocka_unit_test(delays_are_distributed_as_named),
		cmocka_unit_test(a_line_sends_frame_by_frame),
		cmocka_unit_test(the_same_seed_gives_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

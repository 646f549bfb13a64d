/* The last buffers of a receive queue: who gets them, and that nobody starves for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/port/reserve.h"

#define BUFFERS 256u

/* The sender fills what it gets; how many. */
static unsigned fill(struct reserve *reserve, uint32_t from, unsigned *free)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < 2 * BUFFERS; i++)
		if (*free && reserve_admit(reserve, from, *free)) {
			--*free;
			taken++;
		}
	return taken;
}

static void a_flood_leaves_room_for_others(void **state)
{
	struct reserve reserve;
	unsigned free = BUFFERS;

	(void)state;
	reserve_init(&reserve);
	for (unsigned round = 0; round < 20; round++) {
		assert_int_equal(fill(&reserve, 1, &free), BUFFERS - BUFFERS / RESERVE_PART);
		for (uint32_t other = 2; other < 10; other++) {
			assert_true(reserve_admit(&reserve, other, free));
			free--;
		}
		free = BUFFERS;
	}
}

/* The guest sleeps, and the flood goes on. */
static void what_is_kept_stays(void **state)
{
	struct reserve reserve;
	unsigned free = BUFFERS;

	(void)state;
	reserve_init(&reserve);
	for (unsigned i = 0; i < 100; i++)
		fill(&reserve, 1, &free);
	assert_int_equal(free, BUFFERS / RESERVE_PART);
	assert_true(reserve_admit(&reserve, 2, free));
}

/* Also by one who sent little before. */
static void who_takes_much_of_it_floods(void **state)
{
	struct reserve reserve;
	unsigned free = BUFFERS, taken;

	(void)state;
	reserve_init(&reserve);
	fill(&reserve, 1, &free);
	taken = fill(&reserve, 2, &free);
	assert_in_range(taken, 1, BUFFERS / RESERVE_PART);
	assert_true(reserve_admit(&reserve, 3, 1));
	for (unsigned i = 0; i < 4 * RESERVE_FRAMES; i++)
		reserve_admit(&reserve, 2, BUFFERS);
	assert_false(reserve_admit(&reserve, 2, 1));
}

/* A driver may give one buffer at a time, or fewer than before. */
static void few_buffers_are_enough(void **state)
{
	struct reserve reserve;
	unsigned refused = 0;

	(void)state;
	reserve_init(&reserve);
	for (unsigned i = 0; i < 3 * RESERVE_FRAMES; i++)
		assert_true(reserve_admit(&reserve, 1, 1));
	assert_true(reserve_admit(&reserve, 1, BUFFERS));
	for (unsigned i = 0; i < 10 * RESERVE_FRAMES; i++)
		refused += !reserve_admit(&reserve, 1, 4 - i % 2);
	assert_in_range(refused, 1, 8 * RESERVE_FRAMES);
	assert_true(reserve_admit(&reserve, 1, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_leaves_room_for_others),
		cmocka_unit_test(what_is_kept_stays),
		cmocka_unit_test(who_takes_much_of_it_floods),
		cmocka_unit_test(few_buffers_are_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

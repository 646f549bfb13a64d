/* Shares of a queue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/checked.h"
#include "net/port/share.h"

#define ROOM 1200u

/* How many units of cost the port gets before it is refused for that reason. */
static unsigned fill(struct share *share, uint32_t from, uint32_t cost, enum net_verdict reason)
{
	enum net_verdict verdict;
	unsigned count = 0;

	while ((verdict = share_take(share, from, cost)) == NET_FORWARD)
		count++;
	assert_int_equal(verdict, reason);
	return count;
}

static void one_alone_has_half_and_each_later_one_finds_room(void **state)
{
	static struct share share;

	(void)state;
	share_init(&share, ROOM);
	assert_int_equal(fill(&share, 0, 1, NET_DROP_OVER_SHARE), ROOM / 2);
	assert_int_equal(fill(&share, NET_PORTS_MAX - 1, 1, NET_DROP_OVER_SHARE), ROOM / 4);
	assert_int_equal(fill(&share, 5, 1, NET_DROP_OVER_SHARE), ROOM / 8);
	assert_int_equal(share_take(&share, 0, 1), NET_DROP_OVER_SHARE);
	assert_int_equal(share_take(&share, 6, ROOM / 8), NET_FORWARD);
	assert_int_equal(share_take(&share, 7, 1), NET_DROP_NO_BUFFER);
	assert_int_equal(share.used, ROOM);
}

/* Taken and given in turn, as a queue that is drained does it, the shares even out. */
static void ports_that_all_flood_get_the_same(void **state)
{
	static struct share share;
	uint32_t queue[ROOM], got[3] = { 0 };
	unsigned first = 0, count = 0;

	(void)state;
	share_init(&share, ROOM);
	for (unsigned round = 0; round < 20 * ROOM; round++) {
		for (uint32_t from = 0; from < 3; from++)
			for (unsigned tries = 0; tries < 1 + 4 * (from == 0); tries++)
				if (share_take(&share, from, 1) == NET_FORWARD)
					queue[(first + count++) % ROOM] = from;
		got[queue[first]] += round >= 10 * ROOM;
		share_give(&share, queue[first], 1);
		first = (first + 1) % ROOM;
		count--;
	}
	for (uint32_t from = 0; from < 3; from++) {
		assert_in_range(got[from], 10 * ROOM / 3 - ROOM, 10 * ROOM / 3 + ROOM);
		assert_in_range(share.held[from], ROOM / 4 - 1, ROOM / 4 + 1);
	}
}

static void what_is_given_back_can_be_taken(void **state)
{
	static struct share share;

	(void)state;
	share_init(&share, ROOM);
	assert_int_equal(share_take(&share, 1, ROOM + 1), NET_DROP_NO_BUFFER);
	assert_int_equal(share_take(&share, 1, UINT32_MAX), NET_DROP_NO_BUFFER);
	assert_int_equal(fill(&share, 1, 100, NET_DROP_OVER_SHARE), 6);
	share_give(&share, 1, 200);
	assert_int_equal(fill(&share, 1, 100, NET_DROP_OVER_SHARE), 2);
	share_clear(&share);
	assert_int_equal(share.used, 0);
	assert_int_equal(fill(&share, 1, 100, NET_DROP_OVER_SHARE), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_alone_has_half_and_each_later_one_finds_room),
		cmocka_unit_test(ports_that_all_flood_get_the_same),
		cmocka_unit_test(what_is_given_back_can_be_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

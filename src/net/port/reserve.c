/* Keeping the last buffers of a receive queue. Any thread, under the queue's lock. */
#include "net/port/reserve.h"

#include <string.h>

void reserve_init(struct reserve *reserve)
{
	memset(reserve, 0, sizeof(*reserve));
}

/* How much the driver gives is only seen when it does: a flood leaves nothing to be seen. */
static void begin_period(struct reserve *reserve)
{
	uint32_t less = reserve->most - (reserve->most + 3) / 4;

	reserve->total = 0;
	for (unsigned i = 0; i < RESERVE_PLACES; i++) {
		reserve->recent[i] /= 2;
		reserve->total += reserve->recent[i];
	}
	if (reserve->seen)
		reserve->most = reserve->seen > less ? reserve->seen : less;
	reserve->seen = 0;
}

bool reserve_admit(struct reserve *reserve, uint32_t from, uint32_t free)
{
	uint32_t *recent = &reserve->recent[from % RESERVE_PLACES];
	bool admitted;

	++*recent;
	if (++reserve->total >= RESERVE_FRAMES)
		begin_period(reserve);
	if (free > reserve->left && free > reserve->seen)
		reserve->seen = free;
	if (free > reserve->most)
		reserve->most = free;
	admitted = !free || free > reserve->most / RESERVE_PART ||
		   *recent <= reserve->total / RESERVE_HEAVY;
	reserve->left = admitted && free ? free - 1 : free;
	return admitted;
}

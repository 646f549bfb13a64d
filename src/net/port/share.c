/* Who holds how much of a queue. Pure. */
#include "net/port/share.h"

#include <string.h>

void share_init(struct share *share, uint32_t room)
{
	memset(share, 0, sizeof(*share));
	share->room = room;
}

enum net_verdict share_ask(const struct share *share, uint32_t from, uint32_t cost)
{
	uint32_t left = share->room - share->used;

	if (cost > left)
		return NET_DROP_NO_BUFFER;
	return share->held[from] + cost > left ? NET_DROP_OVER_SHARE : NET_FORWARD;
}

enum net_verdict share_take(struct share *share, uint32_t from, uint32_t cost)
{
	enum net_verdict verdict = share_ask(share, from, cost);

	if (verdict == NET_FORWARD) {
		share->used += cost;
		share->held[from] += cost;
	}
	return verdict;
}

void share_give(struct share *share, uint32_t from, uint32_t cost)
{
	share->used -= cost;
	share->held[from] -= cost;
}

void share_clear(struct share *share)
{
	share_init(share, share->room);
}

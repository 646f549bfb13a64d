/* See waiting.h. */
#include "net/switch/waiting.h"

#include <stdlib.h>

#include "net/frame/copy.h"

struct waiting_list *waiting_find(const struct waiting *waiting, uint32_t slot)
{
	struct waiting_list *list;

	for (list = waiting->lists; list && list->slot != slot; list = list->next)
		;
	return list;
}

static struct waiting_list *find_or_add(struct waiting *waiting, uint32_t slot)
{
	struct waiting_list *list = waiting_find(waiting, slot);

	if (list)
		return list;
	list = calloc(1, sizeof(*list));
	if (!list)
		return NULL;
	list->slot = slot;
	list->end = &list->first;
	list->next = waiting->lists;
	waiting->lists = list;
	return list;
}

static struct waiting_frame *copy_of(const struct net_frame *frame, uint64_t now)
{
	struct waiting_frame *copy = malloc(sizeof(*copy) + frame->size);

	if (!copy)
		return NULL;
	net_frame_keep(&copy->frame, &copy->rest, copy->bytes, frame);
	copy->next = NULL;
	copy->since = now;
	return copy;
}

bool waiting_put(struct waiting *waiting, uint32_t slot, uint32_t vlan, bool tagged,
		 const struct net_frame *frame, uint64_t now)
{
	struct waiting_list *list;
	struct waiting_frame *copy;

	if (waiting->count >= WAITING_ALL)
		return false;
	list = find_or_add(waiting, slot);
	if (!list || list->count >= WAITING_FRAMES || list->bytes + frame->size > WAITING_BYTES)
		return false;
	copy = copy_of(frame, now);
	if (!copy)
		return false;
	copy->vlan = vlan;
	copy->tagged = tagged;
	*list->end = copy;
	list->end = &copy->next;
	list->count++;
	list->bytes += frame->size;
	waiting->count++;
	return true;
}

void waiting_drop(struct waiting *waiting, struct waiting_list *list)
{
	struct waiting_frame *first = list->first;

	list->first = first->next;
	if (!list->first)
		list->end = &list->first;
	list->count--;
	list->bytes -= first->frame.size;
	waiting->count--;
	free(first);
}

void waiting_tidy(struct waiting *waiting)
{
	struct waiting_list **at = &waiting->lists, *list;

	while ((list = *at)) {
		if (list->first) {
			at = &list->next;
			continue;
		}
		*at = list->next;
		free(list);
	}
}

void waiting_destroy(struct waiting *waiting)
{
	for (struct waiting_list *list = waiting->lists; list; list = list->next)
		while (list->first)
			waiting_drop(waiting, list);
	waiting_tidy(waiting);
}

/* See lane.h. */
#include "net/switch/lane.h"

#include <stdlib.h>
#include <string.h>

#include "net/frame/copy.h"

struct lane *lane_new(struct net_port *port, enum net_way way)
{
	struct lane *lane = calloc(1, sizeof(*lane));

	if (!lane)
		return NULL;
	lane->port = port;
	lane->way = way;
	pthread_mutex_init(&lane->lock, NULL);
	return lane;
}

void lane_free(struct lane *lane)
{
	if (!lane)
		return;
	while (lane->count)
		free(lane->heap[--lane->count]);
	free(lane->heap);
	pthread_mutex_destroy(&lane->lock);
	free(lane);
}

void lane_begin(struct lane *lane, const struct net_impairment *settings, uint64_t seed)
{
	pthread_mutex_lock(&lane->lock);
	if (memcmp(&lane->impair.settings, settings, sizeof(*settings)))
		impair_begin(&lane->impair, settings, seed);
	lane->open = false;
	pthread_mutex_unlock(&lane->lock);
}

void lane_open(struct lane *lane)
{
	const struct net_impairment none = { 0 };

	pthread_mutex_lock(&lane->lock);
	impair_begin(&lane->impair, &none, 0);
	lane->open = true;
	pthread_mutex_unlock(&lane->lock);
}

/* --- the heap; lock held --- */

static bool is_before(const struct lane_frame *one, const struct lane_frame *other)
{
	return one->time != other->time ? one->time < other->time : one->order < other->order;
}

static void sift_up(struct lane *lane, size_t at)
{
	struct lane_frame *frame = lane->heap[at];

	for (; at && is_before(frame, lane->heap[(at - 1) / 2]); at = (at - 1) / 2)
		lane->heap[at] = lane->heap[(at - 1) / 2];
	lane->heap[at] = frame;
}

static void sift_down(struct lane *lane, size_t at)
{
	struct lane_frame *frame = lane->heap[at];
	size_t child;

	while ((child = 2 * at + 1) < lane->count) {
		if (child + 1 < lane->count && is_before(lane->heap[child + 1], lane->heap[child]))
			child++;
		if (!is_before(lane->heap[child], frame))
			break;
		lane->heap[at] = lane->heap[child];
		at = child;
	}
	lane->heap[at] = frame;
}

/* One more fits the heap; false: no memory. */
static bool make_room(struct lane *lane)
{
	size_t room = lane->room ? lane->room * 2 : 64;
	struct lane_frame **heap;

	if (lane->count < lane->room)
		return true;
	heap = realloc(lane->heap, room * sizeof(*heap));
	if (!heap)
		return false;
	lane->heap = heap;
	lane->room = room;
	return true;
}

static uint64_t next_due(const struct lane *lane)
{
	if (!lane->count)
		return LANE_NEVER;
	return lane->open || lane->heap[0]->time < lane->hold ? lane->hold : lane->heap[0]->time;
}

/* Holds a copy; NULL: there is no room for it. */
static struct lane_frame *hold_copy(struct lane *lane, const struct net_frame *frame,
				    uint32_t from, uint64_t time)
{
	size_t limit = lane->impair.settings.limit ? lane->impair.settings.limit :
						     NET_LIMIT_STANDARD;
	struct lane_frame *copy;

	if (lane->count >= limit || lane->bytes + frame->size > LANE_BYTES || !make_room(lane))
		return NULL;
	copy = malloc(sizeof(*copy) + frame->size);
	if (!copy)
		return NULL;
	net_frame_keep(&copy->frame, &copy->rest, copy->bytes, frame);
	copy->time = time;
	copy->order = lane->orders++;
	copy->from = from;
	lane->heap[lane->count] = copy;
	lane->bytes += frame->size;
	sift_up(lane, lane->count++);
	return copy;
}

/* The first one out of the heap. */
static struct lane_frame *remove_first(struct lane *lane)
{
	struct lane_frame *first = lane->heap[0];

	lane->bytes -= first->frame.size;
	lane->heap[0] = lane->heap[--lane->count];
	if (lane->count)
		sift_down(lane, 0);
	return first;
}

/* --- frames --- */

/* One copy: true if it goes on at once, and then is not held. */
static bool offer_copy(struct lane *lane, const struct net_frame *frame, uint32_t from,
		       uint64_t now, const struct impair_copy *copy, bool *held)
{
	struct lane_frame *kept;

	/* Behind what is due and has not gone on. */
	if (copy->time <= now && !copy->corrupt &&
	    (!lane->count || lane->heap[0]->time > now))
		return true;
	kept = hold_copy(lane, frame, from, copy->time > now ? copy->time : now);
	if (!kept) {
		lane->done.over_limit++;
		impair_refuse(&lane->impair, copy);
		return false;
	}
	*held = true;
	lane->done.delayed += copy->time > now;
	if (copy->corrupt) {
		kept->bytes[copy->bit / 8] ^= (uint8_t)(1u << copy->bit % 8);
		lane->done.corrupted++;
	}
	return false;
}

unsigned lane_offer(struct lane *lane, const struct net_frame *frame, uint32_t from, uint64_t now,
		    enum net_verdict *verdict, uint64_t *due)
{
	struct impair_fate fate;
	unsigned at_once = 0;
	bool held = false;
	uint64_t before;

	pthread_mutex_lock(&lane->lock);
	before = next_due(lane);
	/* A tag says where a frame may go, and is no part of what is lost on a line. */
	impair_draw(&lane->impair, frame->size, net_frame_header(frame), now, &fate);
	for (unsigned i = 0; i < fate.count; i++)
		at_once += offer_copy(lane, frame, from, now, &fate.copies[i], &held);
	lane->done.lost += !fate.count;
	lane->done.duplicated += fate.count > 1;
	lane->done.reordered += fate.reordered;
	if (!fate.count)
		*verdict = NET_DROP_LOST;
	else if (!at_once && !held)
		*verdict = NET_DROP_LIMIT;
	*due = next_due(lane);
	pthread_mutex_unlock(&lane->lock);
	if (*due >= before)
		*due = LANE_NEVER;
	return at_once;
}

bool lane_keep(struct lane *lane, const struct net_frame *frame, uint32_t from, uint64_t now,
	       uint64_t *due)
{
	bool kept;

	pthread_mutex_lock(&lane->lock);
	kept = hold_copy(lane, frame, from, now) != NULL;
	*due = next_due(lane);
	pthread_mutex_unlock(&lane->lock);
	return kept;
}

struct lane_frame *lane_take(struct lane *lane, uint64_t now)
{
	struct lane_frame *frame = NULL;

	pthread_mutex_lock(&lane->lock);
	if (next_due(lane) <= now)
		frame = remove_first(lane);
	pthread_mutex_unlock(&lane->lock);
	return frame;
}

void lane_put_back(struct lane *lane, struct lane_frame *frame, uint64_t hold)
{
	pthread_mutex_lock(&lane->lock);
	lane->hold = hold;
	if (make_room(lane)) {
		lane->heap[lane->count] = frame;
		lane->bytes += frame->frame.size;
		sift_up(lane, lane->count++);
	} else {
		lane->done.over_limit++;
		free(frame);
	}
	pthread_mutex_unlock(&lane->lock);
}

uint64_t lane_due(struct lane *lane)
{
	uint64_t due;

	pthread_mutex_lock(&lane->lock);
	due = next_due(lane);
	pthread_mutex_unlock(&lane->lock);
	return due;
}

size_t lane_forget(struct lane *lane, uint32_t from)
{
	size_t count = 0, forgotten;

	pthread_mutex_lock(&lane->lock);
	for (size_t i = 0; i < lane->count; i++) {
		struct lane_frame *frame = lane->heap[i];

		if (from != LANE_ALL && frame->from != from) {
			lane->heap[count++] = frame;
			continue;
		}
		lane->bytes -= frame->frame.size;
		free(frame);
	}
	forgotten = lane->count - count;
	lane->count = count;
	for (size_t i = count / 2; i--;)
		sift_down(lane, i);
	pthread_mutex_unlock(&lane->lock);
	return forgotten;
}

void lane_count(struct lane *lane, struct net_impaired *out)
{
	pthread_mutex_lock(&lane->lock);
	*out = lane->done;
	pthread_mutex_unlock(&lane->lock);
}

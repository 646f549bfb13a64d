/* See hold.h. */
#include "net/switch/hold.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/frame/copy.h"

struct hold *hold_new(void)
{
	struct hold *hold = calloc(1, sizeof(*hold));

	if (!hold)
		return NULL;
	hold->end = &hold->first;
	pthread_mutex_init(&hold->lock, NULL);
	return hold;
}

/* Lock held, or nobody else has it any more. */
static struct held_frame *remove_first(struct hold *hold)
{
	struct held_frame *first = hold->first;

	hold->first = first->next;
	if (!hold->first)
		hold->end = &hold->first;
	hold->count--;
	hold->bytes -= first->frame.size;
	hold->stopped = hold->decided = hold->dropped = false;
	return first;
}

void hold_free(struct hold *hold)
{
	if (!hold)
		return;
	while (hold->first)
		free(remove_first(hold));
	filter_free(&hold->filter);
	free(hold->words);
	pthread_mutex_destroy(&hold->lock);
	free(hold);
}

void hold_set(struct hold *hold, struct filter *filter, char *words)
{
	struct filter old;

	pthread_mutex_lock(&hold->lock);
	old = hold->filter;
	hold->filter = filter ? *filter : (struct filter){ 0 };
	free(hold->words);
	hold->words = words;
	hold->stopped = hold->stopped && words;
	pthread_mutex_unlock(&hold->lock);
	filter_free(&old);
}

void hold_give_up(struct hold *hold, struct filter *filter, char **words)
{
	pthread_mutex_lock(&hold->lock);
	*filter = hold->filter;
	*words = hold->words;
	hold->filter = (struct filter){ 0 };
	hold->words = NULL;
	hold->stopped = false;
	pthread_mutex_unlock(&hold->lock);
}

static struct held_frame *copy_of(const struct net_frame *frame)
{
	struct held_frame *copy = malloc(sizeof(*copy) + frame->size);

	if (!copy)
		return NULL;
	net_frame_keep(&copy->frame, &copy->rest, copy->bytes, frame);
	copy->next = NULL;
	copy->since = clock_wall();
	return copy;
}

/* False: there is no room for it. */
static bool append(struct hold *hold, const struct net_frame *frame)
{
	struct held_frame *copy;

	if (hold->first &&
	    (hold->count >= HOLD_FRAMES || hold->bytes + frame->size > HOLD_BYTES))
		return false;
	copy = copy_of(frame);
	if (!copy)
		return false;
	*hold->end = copy;
	hold->end = &copy->next;
	hold->count++;
	hold->bytes += frame->size;
	return true;
}

/* The first one waits for a decision from here on. */
static void stop(struct hold *hold)
{
	hold->stopped = true;
	hold->told = false;
}

static bool matches(struct hold *hold, const struct net_frame *frame)
{
	if (!hold->words)
		return false;
	net_frame_copy(hold->whole, frame, frame->size);
	return filter_match(&hold->filter, hold->whole, frame->size, frame->size);
}

enum hold_fate hold_offer(struct hold *hold, const struct net_frame *frame)
{
	enum hold_fate fate = HOLD_KEEPS;

	pthread_mutex_lock(&hold->lock);
	if (!hold->first)
		fate = matches(hold, frame) ? HOLD_STOPS : HOLD_PASSES;
	if (fate != HOLD_PASSES && !append(hold, frame))
		fate = HOLD_FULL;
	if (fate == HOLD_STOPS)
		stop(hold);
	pthread_mutex_unlock(&hold->lock);
	return fate;
}

/* Lock held. Another one in the place of the first. */
static void replace_first(struct hold *hold, struct held_frame *other)
{
	struct held_frame *first = hold->first;

	other->next = first->next;
	if (!other->next)
		hold->end = &other->next;
	hold->bytes += other->frame.size - (size_t)first->frame.size;
	hold->first = other;
	free(first);
}

int hold_decide(struct hold *hold, bool drop, const struct net_frame *frame)
{
	struct held_frame *other = frame ? copy_of(frame) : NULL;
	int error = 0;

	if (frame && !other)
		return -ENOMEM;
	pthread_mutex_lock(&hold->lock);
	if (!hold->first)
		error = -ENOENT;
	else if (!hold->stopped)
		error = -EALREADY;
	if (!error) {
		hold->stopped = false;
		hold->decided = true;
		hold->dropped = drop;
	}
	if (!error && other) {
		replace_first(hold, other);
		other = NULL;
	}
	pthread_mutex_unlock(&hold->lock);
	free(other);
	return error;
}

struct held_frame *hold_take(struct hold *hold, bool *dropped)
{
	struct held_frame *taken = NULL;

	pthread_mutex_lock(&hold->lock);
	if (hold->first && !hold->decided && !hold->stopped &&
	    matches(hold, &hold->first->frame))
		stop(hold);
	if (hold->first && !hold->stopped) {
		*dropped = hold->dropped;
		taken = remove_first(hold);
	}
	pthread_mutex_unlock(&hold->lock);
	return taken;
}

enum hold_state hold_state(struct hold *hold)
{
	enum hold_state state;

	pthread_mutex_lock(&hold->lock);
	state = !hold->first ? HOLD_EMPTY : hold->stopped ? HOLD_STOPPED : HOLD_READY;
	pthread_mutex_unlock(&hold->lock);
	return state;
}

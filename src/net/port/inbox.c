/* Frames for a port of the uplink thread; see inbox.h for who may call what. */
#include "net/port/inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

#define QUEUE_BYTES (1024u * 1024)
#define FRAME_COST_MIN 1024u /* however small: a frame costs the uplink thread time */

static struct inbox_frame *frame_at(const struct frame_store *store, size_t at)
{
	return (void *)(store->bytes + at);
}

/* Bytes that a frame of this size has in the queue. */
static uint32_t stored_size(uint32_t size)
{
	return (uint32_t)align_up(sizeof(struct inbox_frame) + size, 8);
}

/* Under the lock. True, with the senders' bits in gone, if some are to be forgotten. */
static bool take_gone(struct inbox *inbox, uint64_t gone[NET_PORTS_MAX / 64])
{
	if (!inbox->some_gone)
		return false;
	memcpy(gone, inbox->gone, sizeof(inbox->gone));
	memset(inbox->gone, 0, sizeof(inbox->gone));
	inbox->some_gone = false;
	return true;
}

static void forget_senders(const struct inbox *inbox, const uint64_t gone[NET_PORTS_MAX / 64])
{
	for (uint32_t word = 0; word < NET_PORTS_MAX / 64; word++)
		for (uint64_t bits = gone[word]; bits; bits &= bits - 1)
			inbox->ops->forget(inbox->owner,
					   word * 64 + (uint32_t)__builtin_ctzll(bits));
}

static void take_frames(const struct inbox *inbox, const struct frame_store *work)
{
	size_t at = 0;

	inbox->ops->begin(inbox->owner);
	for (unsigned i = 0; i < work->count; i++) {
		const struct inbox_frame *frame = frame_at(work, at);

		if (frame->from != INBOX_GONE)
			inbox->ops->take(inbox->owner, frame);
		at += stored_size(frame->size);
	}
	inbox->ops->end(inbox->owner);
}

/* Takes all that is queued. */
static void take_queue(void *arg)
{
	struct inbox *inbox = arg;
	uint64_t gone[NET_PORTS_MAX / 64];
	struct frame_store work;
	bool some_gone;

	atomic_store(&inbox->woken, false);
	pthread_mutex_lock(&inbox->lock);
	/* inbox_open() posts the task when there is one, and so does inbox_hold(). */
	if (!inbox->net_port || inbox->held) {
		pthread_mutex_unlock(&inbox->lock);
		return;
	}
	work = inbox->queue;
	inbox->queue = inbox->work;
	inbox->work = work;
	if (work.count)
		share_clear(&inbox->share);
	some_gone = take_gone(inbox, gone);
	pthread_mutex_unlock(&inbox->lock);
	if (some_gone)
		forget_senders(inbox, gone);
	if (work.count)
		take_frames(inbox, &work);
	inbox->work.used = 0;
	inbox->work.count = 0;
}

int inbox_init(struct inbox *inbox, struct loop *loop, const struct inbox_ops *ops, void *owner)
{
	*inbox = (struct inbox){ .ops = ops, .owner = owner, .loop = loop };
	pthread_mutex_init(&inbox->lock, NULL);
	share_init(&inbox->share, QUEUE_BYTES);
	inbox->task.run = take_queue;
	inbox->task.arg = inbox;
	/* Beyond malloc's mmap threshold: pages cost memory once frames have used them. */
	inbox->queue.bytes = malloc(QUEUE_BYTES);
	inbox->work.bytes = malloc(QUEUE_BYTES);
	return inbox->queue.bytes && inbox->work.bytes ? 0 : -ENOMEM;
}

void inbox_destroy(struct inbox *inbox)
{
	free(inbox->queue.bytes);
	free(inbox->work.bytes);
	pthread_mutex_destroy(&inbox->lock);
}

/*
 * Appends a copy to the queue. Whether it may enter is decided on the copy: the
 * guest may be changing the original. NET_FORWARD, or why it was refused. The
 * caller holds the lock.
 */
static enum net_verdict store_frame(struct inbox *inbox, uint32_t from,
				    const struct net_frame *frame)
{
	struct frame_store *store = &inbox->queue;
	uint32_t cost = stored_size(frame->size);
	struct inbox_frame *copy = frame_at(store, store->used);
	enum net_verdict verdict;

	if (frame->size > NET_FRAME_MAX || frame->head_size > frame->size)
		return NET_DROP_LONG;
	if (cost < FRAME_COST_MIN)
		cost = FRAME_COST_MIN;
	verdict = share_take(&inbox->share, from, cost);
	if (verdict != NET_FORWARD)
		return verdict;
	copy->size = net_frame_copy(copy->data, frame, frame->size);
	copy->from = (uint16_t)from;
	verdict = inbox->ops->admit(inbox->owner, copy);
	if (verdict != NET_FORWARD) {
		share_give(&inbox->share, from, cost);
		return verdict;
	}
	store->used += stored_size(copy->size);
	store->count++;
	return NET_FORWARD;
}

unsigned inbox_deliver(void *backend, uint32_t from, const struct net_frame *const *frames,
		       unsigned count, enum net_verdict *verdicts)
{
	struct inbox *inbox = backend;
	unsigned taken = count, stored = 0;
	bool locked = false;

	for (unsigned i = 0; i < count; i++) {
		enum net_verdict verdict;

		if (!inbox->ops->wants(inbox->owner, frames[i]))
			continue;
		if (!locked)
			pthread_mutex_lock(&inbox->lock);
		locked = true;
		verdict = store_frame(inbox, from, frames[i]);
		if (verdict == NET_FORWARD) {
			stored++;
		} else {
			verdicts[i] = verdict;
			taken--;
		}
	}
	if (locked)
		pthread_mutex_unlock(&inbox->lock);
	if (stored)
		atomic_store(&inbox->stored, true);
	return taken;
}

static void wake(struct inbox *inbox)
{
	if (!atomic_exchange(&inbox->woken, true))
		loop_post(inbox->loop, &inbox->task);
}

void inbox_flush(void *backend)
{
	struct inbox *inbox = backend;

	if (atomic_exchange(&inbox->stored, false))
		wake(inbox);
}

/* A frame that is still queued must not be taken for one of the slot's next port. */
void inbox_greet_sender(void *backend, uint32_t from, const struct net_port_config *config)
{
	struct inbox *inbox = backend;

	if (inbox->ops->greet)
		inbox->ops->greet(inbox->owner, from, config);
}

void inbox_forget_sender(void *backend, uint32_t from)
{
	struct inbox *inbox = backend;
	size_t at = 0;

	if (!inbox->ops->forget)
		return;
	pthread_mutex_lock(&inbox->lock);
	for (unsigned i = 0; i < inbox->queue.count; i++) {
		struct inbox_frame *frame = frame_at(&inbox->queue, at);

		if (frame->from == from)
			frame->from = INBOX_GONE;
		at += stored_size(frame->size);
	}
	inbox->gone[from / 64] |= 1ull << from % 64;
	inbox->some_gone = true;
	pthread_mutex_unlock(&inbox->lock);
	wake(inbox);
}

static void set_port(struct inbox *inbox, struct net_port *net_port)
{
	pthread_mutex_lock(&inbox->lock);
	inbox->net_port = net_port;
	pthread_mutex_unlock(&inbox->lock);
}

void inbox_open(struct inbox *inbox, struct net_port *net_port)
{
	set_port(inbox, net_port);
	loop_post(inbox->loop, &inbox->task);
}

void inbox_hold(struct inbox *inbox, bool held)
{
	if (inbox->held && !held)
		loop_post(inbox->loop, &inbox->task);
	inbox->held = held;
}

void inbox_close(struct inbox *inbox)
{
	set_port(inbox, NULL);
}

void inbox_forget(struct inbox *inbox)
{
	loop_unpost(inbox->loop, &inbox->task);
}

struct net_port *inbox_port(struct inbox *inbox)
{
	struct net_port *net_port;

	pthread_mutex_lock(&inbox->lock);
	net_port = inbox->net_port;
	pthread_mutex_unlock(&inbox->lock);
	return net_port;
}

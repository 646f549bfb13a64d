/*
 * The producer's side of a capture: the sending port's thread, which never
 * waits here. See capture_private.h.
 */
#include "net/capture_private.h"

#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "net/offload.h"

#define PREFETCH 512 /* bytes ahead */

static void hand_over(struct capture_hub *hub, struct chunk *chunk)
{
	struct chunk *head = atomic_load_explicit(&hub->full, memory_order_relaxed);

	do
		chunk->next = head;
	while (!atomic_compare_exchange_weak_explicit(&hub->full, &head, chunk,
						      memory_order_release, memory_order_relaxed));
	if (atomic_fetch_add_explicit(&hub->full_count, 1, memory_order_relaxed) + 1 == FULL_WAKE)
		capture_hub_wake(hub);
}

static struct chunk *new_chunk(struct capture_tap *tap, uint64_t now)
{
	struct chunk *chunk = capture_pool_take(tap->hub);

	if (chunk) {
		chunk->next = NULL;
		chunk->tap = tap;
		chunk->sequence = tap->sequence++;
		chunk->used = 0;
		chunk->read = 0;
		/* Released after the chunk before it was handed over. */
		atomic_store_explicit(&tap->since, now, memory_order_release);
	}
	return chunk;
}

/* The first captured bytes of the frame; the number copied, less if the frame has less. */
static uint32_t copy_bytes(uint8_t *to, const struct net_frame *frame, uint32_t captured)
{
	uint32_t at = frame->head_size < captured ? frame->head_size : captured;

	net_head_copy(to, frame->head, at);
	for (uint32_t i = 0; at < captured && i < frame->rest_count && i < NET_REST_MAX; i++) {
		uint32_t size = captured - at;

		if (frame->rest[i].iov_len < size)
			size = (uint32_t)frame->rest[i].iov_len;
		memcpy(to + at, frame->rest[i].iov_base, size);
		at += size;
	}
	return at;
}

static uint32_t bytes_wanted(const struct net_frame *frame, uint32_t snap)
{
	return frame->size < snap ? frame->size : snap;
}

/* Writes a record at at, of which captured bytes are wanted; returns its end. */
static uint8_t *append(uint8_t *at, const struct net_frame *frame, uint32_t captured, uint64_t now,
		       enum net_verdict verdict, uint32_t to)
{
	struct record *record = (struct record *)(void *)at;
	uint8_t *data = at + sizeof(*record);

	/* The writer read these lines last, so they are in another CPU's cache. */
	__builtin_prefetch(at + PREFETCH, 1);
	__builtin_prefetch(at + PREFETCH + 64, 1);
	captured = copy_bytes(data, frame, captured);
	/* A finished checksum can be told only by who has the whole frame. */
	if ((frame->offload.flags & NET_OFFLOAD_NEEDS_CSUM) && captured == frame->size)
		checksum_finish(data, captured, frame->offload.csum_start,
				frame->offload.csum_offset);
	record->time = now;
	record->to = to;
	record->size = frame->size;
	record->captured = captured;
	record->verdict = verdict;
	return data + align_up(captured, 8);
}

/*
 * Appends to chunk (or to new ones, if it is NULL or full) until it meets a
 * frame that no chunk can be had for. Returns the chunk that is open then.
 */
static struct chunk *append_all(struct capture_tap *tap, struct chunk *chunk,
				const struct net_frame *frames, unsigned count,
				const enum net_verdict *verdicts, const uint32_t *to, uint64_t now,
				uint32_t snap)
{
	uint8_t *at = chunk ? chunk->data + chunk->used : NULL;
	uint8_t *end = chunk ? chunk->data + CHUNK_ROOM : NULL;

	for (unsigned i = 0; i < count; i++) {
		uint32_t captured = bytes_wanted(&frames[i], snap);
		size_t need = sizeof(struct record) + align_up(captured, 8);

		if (need > (size_t)(end - at)) {
			if (chunk) {
				chunk->used = (uint32_t)(at - chunk->data);
				hand_over(tap->hub, chunk);
			}
			chunk = new_chunk(tap, now);
			if (!chunk) {
				capture_tap_lose(tap, count - i);
				return NULL;
			}
			at = chunk->data;
			end = at + CHUNK_ROOM;
		}
		at = append(at, &frames[i], captured, now, verdicts[i], to[i]);
	}
	if (chunk)
		chunk->used = (uint32_t)(at - chunk->data);
	return chunk;
}

void capture_tap_record(struct capture_tap *tap, const struct net_frame *frames, unsigned count,
			const enum net_verdict *verdicts, const uint32_t *to)
{
	uint32_t snap = atomic_load_explicit(&tap->snap, memory_order_relaxed);
	struct chunk *before = atomic_exchange_explicit(&tap->open, CHUNK_BUSY,
							memory_order_seq_cst);
	struct chunk *chunk = before;

	/*
	 * The clock is read after the mark is seen, so that a writer that finds
	 * no mark knows that no record older than its own clock will follow.
	 */
	if (snap == SNAP_STALLED)
		capture_tap_lose(tap, count);
	else if (snap)
		chunk = append_all(tap, before, frames, count, verdicts, to, clock_monotonic(),
				   snap);
	if (chunk == before) {
		atomic_store_explicit(&tap->open, chunk, memory_order_release);
		return;
	}
	/* The writer sees the chunk, or this thread sees that it sleeps. */
	atomic_exchange_explicit(&tap->open, chunk, memory_order_seq_cst);
	if (atomic_load_explicit(&tap->hub->asleep, memory_order_seq_cst) &&
	    atomic_exchange_explicit(&tap->hub->asleep, false, memory_order_seq_cst))
		capture_hub_wake(tap->hub);
}

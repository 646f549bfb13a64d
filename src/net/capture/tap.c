/*
 * The producer's side of a capture: the sending port's thread, which never
 * waits here. See capture_private.h.
 */
#include "net/capture/capture_private.h"

#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "net/frame/checksum.h"

#define PREFETCH 1024 /* bytes ahead */

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
		chunk->read = (struct place){ .at = 0 };
		/* Released after the chunk before it was handed over. */
		atomic_store_explicit(&tap->since, now, memory_order_release);
	}
	return chunk;
}

/* A frame that is wanted beyond its head, or whose checksum has to be finished. */
static __attribute__((noinline)) uint32_t copy_long(uint8_t *to, const struct net_frame *frame,
						    uint32_t captured)
{
	captured = net_frame_copy(to, frame, captured);
	/* A finished checksum can be told only by who has the whole frame. */
	if ((frame->offload.flags & NET_OFFLOAD_NEEDS_CSUM) && captured == frame->size)
		checksum_finish(to, captured, frame->offload.csum_start,
				frame->offload.csum_offset);
	return captured;
}

/* Writes a record at at, of which captured bytes are wanted; returns its end. */
static inline uint8_t *append(uint8_t *at, const struct net_frame *frame, uint32_t captured,
			      uint32_t stamp)
{
	struct record *record = (struct record *)(void *)at;

	/* The writer read that line last, so another CPU has it; to write takes it back. */
	__asm__ volatile("prefetchw %0" : : "m"(at[PREFETCH]));
	at += sizeof(*record);
	if (captured <= frame->head_size && !(frame->offload.flags & NET_OFFLOAD_NEEDS_CSUM))
		net_head_copy(at, frame->head, captured);
	else
		captured = copy_long(at, frame, captured);
	*record = (struct record){ .size = frame->size, .captured = captured, .stamp = stamp };
	return at + align_up(captured, 8);
}

/* The counter last: a frame is rather too early than in the next burst's time. */
static void read_clock(struct recording *recording)
{
	recording->time = clock_monotonic();
	if (recording->stamp)
		recording->stamp = stamp_read();
}

static inline bool may_match(const struct recording *recording, uint64_t bits,
			     const struct net_frame *frame, struct filter_memo *memo)
{
	const struct filter *filter =
		atomic_load_explicit(&recording->tap->hub->filters[__builtin_ctzll(bits)],
				     memory_order_acquire);

	return filter_may_match(filter, frame->head, frame->head_size, frame->size, memo);
}

/* Whether a capture may want the frame, as far as its head tells. */
static bool is_taken(struct recording *recording, const struct net_frame *frame)
{
	uint64_t bits = recording->filters;
	bool taken = may_match(recording, bits, frame, &recording->memo);

	while (!taken && (bits &= bits - 1)) {
		struct filter_memo none = { .known = false };

		taken = may_match(recording, bits, frame, &none);
	}
	return taken;
}

/* What a frame is stamped with; SNAP_STAMPS: too much, for a run that began long ago. */
static uint32_t next_stamp(struct recording *recording, bool begins)
{
	uint64_t stamp;

	if (!recording->stamp)
		return 0;
	stamp = (stamp_read() - recording->stamp) >> STAMP_SHIFT;
	if (__builtin_expect(stamp <= STAMP_MAX, 1))
		return (uint32_t)stamp;
	if (!begins)
		return SNAP_STAMPS;
	read_clock(recording);
	return 0;
}

/*
 * As many of the frames as have the verdict of the first and as there is room for, and as follow
 * each other closely enough for their stamps; without those that no filter takes. How many it is
 * done with.
 */
static unsigned append_run(struct recording *recording, const struct net_frame *frames,
			   unsigned count, const enum net_verdict *verdicts, uint32_t to)
{
	struct run *run = (struct run *)(void *)recording->at;
	size_t room = (size_t)(recording->end - recording->at);
	const enum net_verdict verdict = *verdicts;
	const uint32_t snap = recording->snap;
	uint8_t *at, *end = recording->end;
	unsigned i, recorded = 0;

	if (room < sizeof(*run))
		return 0;
	at = (uint8_t *)(run + 1);
	for (i = 0; i < count && verdicts[i] == verdict; i++) {
		uint32_t captured = frames[i].size < snap ? frames[i].size : snap, stamp;

		if (recording->filters && !is_taken(recording, &frames[i])) {
			recording->passed_over++;
			continue;
		}
		if (sizeof(struct record) + align_up(captured, 8) > (size_t)(end - at))
			break;
		stamp = next_stamp(recording, !recorded);
		if (stamp == SNAP_STAMPS)
			break;
		at = append(at, &frames[i], captured, stamp);
		recorded++;
	}
	if (!recorded)
		return i;
	*run = (struct run){ .time = recording->time, .to = to, .verdict = (uint16_t)verdict,
			     .count = (uint16_t)recorded };
	recording->at = at;
	return i;
}

static bool next_chunk(struct recording *recording)
{
	struct chunk *chunk = recording->chunk;

	if (chunk) {
		chunk->used = (uint32_t)(recording->at - chunk->data);
		hand_over(recording->tap->hub, chunk);
	}
	recording->chunk = chunk = new_chunk(recording->tap, recording->began);
	if (!chunk)
		return false;
	recording->at = chunk->data;
	recording->end = chunk->data + CHUNK_ROOM;
	return true;
}

static void take_open(struct recording *recording)
{
	struct chunk *chunk = atomic_exchange_explicit(&recording->tap->open, CHUNK_BUSY,
						       memory_order_seq_cst);

	/*
	 * The clock is read after the mark is seen, so that a writer that finds
	 * no mark knows that no record older than its own clock will follow.
	 */
	read_clock(recording);
	recording->began = recording->time;
	recording->begun = true;
	/* One that the writer gave back although there is another since: it is full enough. */
	if (chunk && chunk->sequence + 1 != recording->tap->sequence) {
		hand_over(recording->tap->hub, chunk);
		chunk = NULL;
	}
	recording->before = recording->chunk = chunk;
	recording->at = chunk ? chunk->data + chunk->used : NULL;
	recording->end = chunk ? chunk->data + CHUNK_ROOM : NULL;
}

void capture_tap_begin(struct recording *recording, struct capture_tap *tap, uint32_t snap)
{
	recording->tap = tap;
	recording->flags = snap & (SNAP_PORTS | SNAP_SOME);
	recording->snap = snap & SNAP_LENGTH;
	recording->stamp = snap & SNAP_STAMPS;
	recording->others = 0;
	recording->begun = false;
	recording->filters = 0;
	recording->passed_over = 0;
	recording->memo.known = false;
	if (recording->flags)
		return;
	take_open(recording);
	/* Behind the mark, which keeps them. */
	recording->filters = atomic_load_explicit(&tap->filters, memory_order_seq_cst);
}

/* The captures that name the receiver of frames, or any of a flood, and not their sender. */
static uint64_t wanted_by_others(const struct capture_tap *tap, enum net_verdict verdict,
				 const struct capture_tap *to)
{
	if (verdict == NET_FLOOD)
		return atomic_load_explicit(&tap->flooded, memory_order_relaxed);
	return to ? atomic_load_explicit(&to->named, memory_order_relaxed) &
			    ~atomic_load_explicit(&tap->all, memory_order_relaxed) : 0;
}

static void lose(const struct recording *recording, unsigned count)
{
	if (!(recording->flags & SNAP_SOME))
		counter_add(&recording->tap->lost, count);
	for (uint64_t bits = recording->others; bits; bits &= bits - 1)
		counter_add_shared(&recording->tap->hub->missed[__builtin_ctzll(bits)], count);
}

/* Whether frames are to be recorded, when that depends on their receiver; else they are counted. */
static bool begin_run(struct recording *recording, unsigned count, enum net_verdict verdict,
		      const struct capture_tap *to)
{
	recording->others = wanted_by_others(recording->tap, verdict, to);
	if (!recording->others && recording->flags & SNAP_SOME)
		return false;
	if (!recording->snap)
		lose(recording, count);
	else if (!recording->begun)
		take_open(recording);
	return recording->snap;
}

void capture_tap_append(struct recording *recording, const struct net_frame *frames,
			unsigned count, const enum net_verdict *verdicts,
			const struct capture_tap *to)
{
	uint32_t id = to ? to->id : 0;

	if (recording->flags && !begin_run(recording, count, *verdicts, to))
		return;
	while (count) {
		unsigned done = 0;

		if (recording->chunk)
			done = append_run(recording, frames, count, verdicts, id);
		if (!done && !next_chunk(recording)) {
			lose(recording, count);
			return;
		}
		frames += done;
		verdicts += done;
		count -= done;
	}
}

void capture_tap_end(struct recording *recording)
{
	struct capture_tap *tap = recording->tap;
	struct chunk *chunk = recording->chunk;

	if (!recording->begun)
		return;
	if (recording->passed_over)
		counter_add(&tap->passed_over, recording->passed_over);
	if (chunk)
		chunk->used = (uint32_t)(recording->at - chunk->data);
	if (chunk == recording->before) {
		atomic_store_explicit(&tap->open, chunk, memory_order_release);
		return;
	}
	/* The writer sees the chunk, or this thread sees that it sleeps. */
	atomic_exchange_explicit(&tap->open, chunk, memory_order_seq_cst);
	if (atomic_load_explicit(&tap->hub->asleep, memory_order_seq_cst) &&
	    atomic_exchange_explicit(&tap->hub->asleep, false, memory_order_seq_cst))
		capture_hub_wake(tap->hub);
}

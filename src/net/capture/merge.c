/*
 * What ports have recorded, in the order of time, to the captures that want it. The writer's
 * thread. See capture_private.h.
 */
#include "net/capture/writer.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

#define NO_END UINT32_MAX

static const struct record *record_at(const struct chunk *chunk, uint32_t at)
{
	return (const struct record *)(const void *)(chunk->data + at);
}

static uint32_t record_size(const struct record *record)
{
	return (uint32_t)(sizeof(*record) + align_up(record->captured, 8));
}

static uint64_t time_of(const struct writer *w, const struct run *run, const struct record *record)
{
	return run->time + stamp_ns(w->unit, record->stamp);
}

/* The time of the record at a place that is not a chunk's end; behind the head of its run. */
static uint64_t time_at(const struct writer *w, const struct chunk *chunk, struct place *place)
{
	if (!place->left) {
		memcpy(&place->run, chunk->data + place->at, sizeof(place->run));
		place->at += (uint32_t)sizeof(place->run);
		place->left = place->run.count;
	}
	return time_of(w, &place->run, record_at(chunk, place->at));
}

/* How many records of the run from a place on are not behind limit, nor at end or behind it. */
static unsigned count_until(const struct writer *w, const struct chunk *chunk,
			    const struct place *place, uint64_t limit, uint32_t end)
{
	uint32_t at = place->at;
	unsigned count = 0;

	if (place->run.time + stamp_ns(w->unit, STAMP_MAX) <= limit && end == NO_END)
		return place->left;
	for (; count < place->left && at < end; count++) {
		const struct record *record = record_at(chunk, at);

		if (time_of(w, &place->run, record) > limit)
			break;
		at += record_size(record);
	}
	return count;
}

/* The tap's first chunk with something in it, or NULL. Gives read ones back. */
static struct chunk *first_chunk(struct writer *w, struct capture_tap *tap)
{
	struct chunk *chunk;

	while ((chunk = tap->first) && chunk->read.at == chunk->used) {
		/* A batch points into it. */
		for (uint32_t i = 0; i < w->capture_count; i++)
			if (w->captures[i]->records)
				capture_sink_flush_batch(w->captures[i]);
		tap->first = chunk->next;
		capture_put_away(w, chunk);
	}
	return chunk;
}

static void add_target(struct writer *w, struct capture *capture, const struct capture_tap *tap)
{
	struct target target = { .capture = capture };

	target.interface = capture_sink_interface(capture, tap);
	target.received = target.interface == NO_INTERFACE;
	if (!target.received || capture->bit)
		w->targets[w->target_count++] = target;
}

/* The captures that want what comes from a tap. */
static void find_targets(struct writer *w, const struct capture_tap *tap)
{
	w->target_count = 0;
	for (uint32_t i = 0; i < w->capture_count; i++)
		if (w->captures[i]->state == CAPTURE_RUNNING)
			add_target(w, w->captures[i], tap);
}

/* The interface of the first port that the capture names on the tap's switch. */
static uint32_t flood_interface(const struct writer *w, struct capture *capture,
				const struct capture_tap *tap)
{
	for (char **name = capture->ports; *name; name++)
		for (uint32_t i = 0; i < w->tap_count; i++)
			if (capture_names_port(*name, w->taps[i]) &&
			    !strcmp(w->taps[i]->switch_name, tap->switch_name))
				return capture_sink_interface(capture, w->taps[i]);
	return NO_INTERFACE;
}

/* Where in the target's capture a run belongs, or NO_INTERFACE: not there. */
static uint32_t interface_of(const struct writer *w, struct target *target,
			     const struct capture_tap *tap, const struct run *run,
			     const struct capture_tap *to)
{
	if (run->time < target->capture->start)
		return NO_INTERFACE;
	if (!target->received)
		return target->interface;
	if (run->verdict != NET_FLOOD)
		return to ? capture_sink_interface(target->capture, to) : NO_INTERFACE;
	if (!target->flood_known) {
		target->flood = flood_interface(w, target->capture, tap);
		target->flood_known = true;
	}
	return target->flood;
}

/* Writes count records of a run, which differ from out, from offset at on. */
static void write_records(const struct writer *w, const struct target *target, uint32_t interface,
			  struct capture_record *out, const struct chunk *chunk,
			  const struct place *place, unsigned count)
{
	uint32_t at = place->at;

	for (unsigned i = 0; i < count && target->capture->state == CAPTURE_RUNNING; i++) {
		const struct record *record = record_at(chunk, at);

		out->time_ns = time_of(w, &place->run, record) + (uint64_t)w->wall;
		out->size = record->size;
		out->captured = record->captured;
		out->data = (const uint8_t *)(record + 1);
		at += record_size(record);
		capture_sink_put_record(target->capture, interface, target->received, out);
	}
}

/* The tap of the one receiver that was found, or NULL; it may be gone, and its id be another's. */
static const struct capture_tap *receiver(const struct writer *w, const struct run *run)
{
	const struct capture_tap *to = run->to < w->id_count ? w->by_id[run->to] : NULL;

	return to && to->born <= run->time ? to : NULL;
}

static void skip(const struct chunk *chunk, struct place *place, unsigned count)
{
	place->left -= count;
	while (count--)
		place->at += record_size(record_at(chunk, place->at));
}

/* Writes records from a place on, up to limit and to end, to each capture that wants them. */
static void write_part(struct writer *w, const struct chunk *chunk, struct place *place,
		       uint64_t limit, uint32_t end)
{
	const struct capture_tap *to = receiver(w, &place->run);
	unsigned count = count_until(w, chunk, place, limit, end);
	struct capture_record out = {
		.port = chunk->tap->name,
		.to = to && place->run.verdict == NET_FORWARD ? to->name : NULL,
		.verdict = place->run.verdict,
	};

	for (uint32_t i = 0; i < w->target_count; i++) {
		struct target *target = &w->targets[i];
		uint32_t interface = interface_of(w, target, chunk->tap, &place->run, to);

		if (interface != NO_INTERFACE)
			write_records(w, target, interface, &out, chunk, place, count);
	}
	skip(chunk, place, count);
}

static void sift_down(struct writer *w, uint32_t at)
{
	struct waiting moved = w->heap[at];

	for (uint32_t child; (child = 2 * at + 1) < w->heap_count; at = child) {
		if (child + 1 < w->heap_count && w->heap[child + 1].time < w->heap[child].time)
			child++;
		if (moved.time <= w->heap[child].time)
			break;
		w->heap[at] = w->heap[child];
	}
	w->heap[at] = moved;
}

/* Writes a tap's records up to limit; returns the time of the next, or UINT64_MAX. */
static uint64_t write_tap(struct writer *w, struct capture_tap *tap, uint64_t limit)
{
	struct chunk *chunk;

	find_targets(w, tap);
	while ((chunk = first_chunk(w, tap)))
		while (chunk->read.at < chunk->used) {
			uint64_t time = time_at(w, chunk, &chunk->read);

			if (time > limit)
				return time;
			write_part(w, chunk, &chunk->read, limit, NO_END);
		}
	return UINT64_MAX;
}

/* Writes all runs up to the horizon, in the order of time. */
void capture_merge(struct writer *w)
{
	w->heap_count = 0;
	for (uint32_t i = 0; i < w->tap_count; i++) {
		struct chunk *chunk = first_chunk(w, w->taps[i]);

		if (chunk)
			w->heap[w->heap_count++] = (struct waiting){
				time_at(w, chunk, &chunk->read), w->taps[i] };
	}
	for (uint32_t i = w->heap_count / 2; i-- > 0;)
		sift_down(w, i);
	while (w->heap_count && w->heap[0].time <= w->horizon) {
		uint64_t limit = w->horizon;

		for (uint32_t child = 1; child <= 2 && child < w->heap_count; child++)
			if (w->heap[child].time < limit)
				limit = w->heap[child].time;
		w->heap[0].time = write_tap(w, w->heap[0].tap, limit);
		if (w->heap[0].time == UINT64_MAX)
			w->heap[0] = w->heap[--w->heap_count];
		if (w->heap_count)
			sift_down(w, 0);
	}
}

/* --- what is kept --- */

/* A chunk, of which what is from place to where it has been read is to be written. */
struct cursor {
	uint64_t time; /* of the record there */
	const struct chunk *chunk;
	struct place place;
};

struct cursors {
	struct cursor *list;
	uint32_t count, room;
	uint64_t bytes; /* in the chunks */
};

static void add_cursor(const struct writer *w, struct cursors *cursors, const struct chunk *chunk)
{
	struct cursor cursor = { .chunk = chunk };

	if (chunk->read.at <= sizeof(struct run)) /* or in front of the first record */
		return;
	cursors->bytes += chunk->read.at;
	cursor.time = time_at(w, chunk, &cursor.place);
	if (cursors->count < cursors->room)
		cursors->list[cursors->count] = cursor;
	cursors->count++;
}

/* All that is there of taps that the capture may want, in no order. */
static void find_cursors(const struct writer *w, const struct capture *capture,
			 struct cursors *cursors)
{
	struct capture_hub *hub = w->hub;

	cursors->count = 0;
	cursors->bytes = 0;
	pthread_mutex_lock(&hub->lock);
	for (const struct past *past = hub->pasts; past; past = past->next) {
		if (!capture_has_switch(capture, past->switch_name))
			continue;
		for (const struct chunk *chunk = past->first; chunk; chunk = chunk->next)
			add_cursor(w, cursors, chunk);
	}
	for (uint32_t i = 0; i < w->tap_count; i++) {
		const struct capture_tap *tap = w->taps[i];

		if (!capture_has_switch(capture, tap->switch_name))
			continue;
		if (tap->lent)
			add_cursor(w, cursors, tap->lent);
		for (const struct chunk *chunk = tap->first; chunk; chunk = chunk->next)
			add_cursor(w, cursors, chunk);
	}
	pthread_mutex_unlock(&hub->lock);
}

/* A burst may be in two chunks, with one time. */
static bool is_before(const struct cursor *one, const struct cursor *other)
{
	if (one->time != other->time)
		return one->time < other->time;
	return (int32_t)(one->chunk->sequence - other->chunk->sequence) < 0;
}

static void sift_cursor(struct cursors *cursors, uint32_t at)
{
	struct cursor moved = cursors->list[at];

	for (uint32_t child; (child = 2 * at + 1) < cursors->count; at = child) {
		if (child + 1 < cursors->count &&
		    is_before(&cursors->list[child + 1], &cursors->list[child]))
			child++;
		if (!is_before(&cursors->list[child], &moved))
			break;
		cursors->list[at] = cursors->list[child];
	}
	cursors->list[at] = moved;
}

/* Writes the first cursor's runs up to the next one's time, and puts it in its place. */
static void write_first(struct writer *w, struct capture *capture, struct cursors *cursors)
{
	struct cursor *first = cursors->list;
	const uint32_t end = first->chunk->read.at;
	uint64_t limit = UINT64_MAX;

	for (uint32_t child = 1; child <= 2 && child < cursors->count; child++)
		if (cursors->list[child].time < limit)
			limit = cursors->list[child].time;
	w->target_count = 0;
	add_target(w, capture, first->chunk->tap);
	while (first->place.at < end) {
		write_part(w, first->chunk, &first->place, limit, end);
		if (first->place.at < end)
			first->time = time_at(w, first->chunk, &first->place);
		if (first->time > limit)
			break;
	}
	if (first->place.at >= end)
		*first = cursors->list[--cursors->count];
	if (cursors->count)
		sift_cursor(cursors, 0);
}

void capture_replay(struct writer *w, struct capture *capture)
{
	struct cursors cursors = { .list = NULL };

	find_cursors(w, capture, &cursors);
	cursors.room = cursors.count;
	cursors.list = malloc(cursors.room * sizeof(*cursors.list));
	if (!cursors.list)
		return;
	find_cursors(w, capture, &cursors);
	/* A port may have come meanwhile, and with it more of what the capture names. */
	if (cursors.count > cursors.room)
		cursors.count = cursors.room;
	capture_sink_widen(capture, cursors.bytes);
	for (uint32_t i = cursors.count / 2; i-- > 0;)
		sift_cursor(&cursors, i);
	while (cursors.count)
		write_first(w, capture, &cursors);
	capture_sink_flush(capture);
	free(cursors.list);
}

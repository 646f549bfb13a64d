/*
 * What ports have recorded, in the order of time, to the captures that want it. The writer's
 * thread. See capture_private.h.
 */
#include "net/capture/writer.h"

#include <string.h>

#include "base/checked.h"

/* The tap's first run, or NULL. Gives read chunks back. */
static struct run *first_run(struct writer *w, struct capture_tap *tap)
{
	struct chunk *chunk;

	while ((chunk = tap->first) && chunk->read == chunk->used) {
		/* A batch points into it. */
		for (uint32_t i = 0; i < w->capture_count; i++)
			if (w->captures[i]->records)
				capture_sink_flush_batch(w->captures[i]);
		tap->first = chunk->next;
		capture_pool_give(w->hub, chunk);
	}
	return chunk ? (struct run *)(void *)(chunk->data + chunk->read) : NULL;
}

/* The captures that want what comes from a tap. */
static void find_targets(struct writer *w, const struct capture_tap *tap)
{
	w->target_count = 0;
	for (uint32_t i = 0; i < w->capture_count; i++) {
		struct capture *capture = w->captures[i];
		struct target target = { .capture = capture };

		if (capture->state != CAPTURE_RUNNING)
			continue;
		target.interface = capture_sink_interface(capture, tap);
		target.received = target.interface == NO_INTERFACE;
		if (!target.received || capture->bit)
			w->targets[w->target_count++] = target;
	}
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

/* Writes the count records at at, which differ from out; returns their end. */
static const uint8_t *write_records(const struct target *target, uint32_t interface,
				    struct capture_record *out, const uint8_t *at,
				    unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct record *record = (const struct record *)(const void *)at;

		at = (const uint8_t *)(record + 1);
		out->size = record->size;
		out->captured = record->captured;
		out->data = at;
		at += align_up(record->captured, 8);
		if (target && target->capture->state == CAPTURE_RUNNING)
			capture_sink_put_record(target->capture, interface, target->received, out);
	}
	return at;
}

/* Writes a run to each capture that wants it; returns its size. */
static size_t write_run(struct writer *w, const struct capture_tap *tap, const struct run *run)
{
	const struct capture_tap *to = run->to < w->id_count ? w->by_id[run->to] : NULL;
	const uint8_t *data = (const uint8_t *)(run + 1), *end = NULL;
	struct capture_record out = {
		.time_ns = run->time + (uint64_t)w->wall,
		.port = tap->name,
		.to = to && run->verdict == NET_FORWARD ? to->name : NULL,
		.verdict = run->verdict,
	};

	for (uint32_t i = 0; i < w->target_count; i++) {
		struct target *target = &w->targets[i];
		uint32_t interface = interface_of(w, target, tap, run, to);

		if (interface != NO_INTERFACE)
			end = write_records(target, interface, &out, data, run->count);
	}
	if (!end)
		end = write_records(NULL, NO_INTERFACE, &out, data, run->count);
	return (size_t)(end - (const uint8_t *)run);
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

/* Writes a tap's runs up to limit; returns the time of the next, or UINT64_MAX. */
static uint64_t write_tap(struct writer *w, struct capture_tap *tap, uint64_t limit)
{
	struct run *run;

	find_targets(w, tap);
	while ((run = first_run(w, tap))) {
		struct chunk *chunk = tap->first;

		while (chunk->read < chunk->used) {
			run = (struct run *)(void *)(chunk->data + chunk->read);
			if (run->time > limit)
				return run->time;
			chunk->read += (uint32_t)write_run(w, tap, run);
		}
	}
	return UINT64_MAX;
}

/* Writes all runs up to the horizon, in the order of time. */
void capture_merge(struct writer *w)
{
	w->heap_count = 0;
	for (uint32_t i = 0; i < w->tap_count; i++) {
		struct run *run = first_run(w, w->taps[i]);

		if (run)
			w->heap[w->heap_count++] = (struct waiting){ run->time, w->taps[i] };
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

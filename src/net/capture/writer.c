/*
 * The capture writer's thread: collects chunks, merges their records by time,
 * and feeds the captures. See capture_private.h.
 *
 * It holds the hub's lock only to copy lists. With nothing recorded it sleeps
 * without a timer until a producer or a command wakes it; but while a capture
 * is stalled it looks every 8 ms what has been lost.
 */
#include "net/capture/capture_private.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/clock.h"

#define PASS_INTERVAL (50 * NS_PER_MS)
#define QUIET_INTERVAL (8 * NS_PER_MS) /* while no chunk is filled: readers are served at once */
#define DRAIN_INTERVAL (1 * NS_PER_MS) /* while a stopped capture waits for its last records */
#define BUSY_TRIES 400		      /* a burst is recorded in less, unless its thread is preempted */
#define DRAIN_STALL (250 * NS_PER_MS) /* a stopped capture's reader takes nothing */
#define DRAIN_MAX (2 * NS_PER_S)
#define CLOCK_STEP NS_PER_MS /* a larger change of the wall clock's offset is a step */

struct waiting {
	uint64_t time; /* of the tap's first run */
	struct capture_tap *tap;
};

/* A capture that wants what a port sends, or only what of it reaches ports that it names. */
struct target {
	struct capture *capture;
	uint32_t interface; /* of what the port sends, or NO_INTERFACE */
	bool received;	    /* only what reaches ports that it names, by their interfaces */
	bool flood_known;   /* the next is known */
	uint32_t flood;	    /* of what is flooded, or NO_INTERFACE */
};

struct writer {
	struct capture_hub *hub;
	bool quit;
	bool idle;	  /* the last pass found nothing and left nothing */
	bool busy;	  /* it found full chunks */
	bool draining;	  /* a stopped capture is not done yet */
	uint64_t horizon;      /* no older record can come any more */
	int64_t wall;	       /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	/* Copies of the hub's lists, made at the start of a pass. */
	struct capture_tap **taps;
	struct capture_tap **by_id;
	struct capture **captures;
	struct waiting *heap;
	struct pollfd *polls;
	struct target *targets;
	uint32_t tap_count, tap_room, id_count, id_room, capture_count, capture_room;
	uint32_t heap_count, target_count;
};

/* array: the address of a pointer to elements of that size. */
static bool grow(void *array, uint32_t *room, uint32_t need, size_t size)
{
	void *before, *more;

	if (need <= *room)
		return true;
	need = (uint32_t)align_up(need, 64);
	memcpy(&before, array, sizeof(before));
	more = realloc(before, need * size);
	if (!more)
		return false;
	memcpy(array, &more, sizeof(more));
	*room = need;
	return true;
}

static bool grow_known(struct capture *capture, uint32_t need)
{
	uint32_t before = capture->known_room;

	if (!grow(&capture->known, &capture->known_room, need, sizeof(*capture->known)))
		return false;
	if (capture->known_room > before)
		memset(capture->known + before, 0,
		       (capture->known_room - before) * sizeof(*capture->known));
	return true;
}

static bool grow_lists(struct writer *w, uint32_t captures)
{
	uint32_t room = w->tap_room;

	if (!grow(&w->heap, &room, w->hub->tap_count, sizeof(*w->heap)) ||
	    !grow(&w->taps, &w->tap_room, w->hub->tap_count, sizeof(struct capture_tap *)) ||
	    !grow(&w->by_id, &w->id_room, w->hub->id_room, sizeof(struct capture_tap *)))
		return false;
	room = w->capture_room;
	if (!grow(&w->targets, &room, captures + 1, sizeof(*w->targets)))
		return false;
	room = w->capture_room;
	return grow(&w->polls, &room, captures + 1, sizeof(*w->polls)) &&
	       grow(&w->captures, &w->capture_room, captures + 1, sizeof(struct capture *));
}

/* Copies the lists. False: no memory, nothing was changed. */
static bool copy_lists(struct writer *w)
{
	struct capture_hub *hub = w->hub;
	uint32_t captures = 0;
	bool enough;

	pthread_mutex_lock(&hub->lock);
	for (struct capture *c = hub->captures; c; c = c->next)
		captures++;
	enough = grow_lists(w, captures);
	if (enough) {
		w->quit = hub->quit;
		w->tap_count = w->capture_count = 0;
		for (struct capture_tap *tap = hub->taps; tap; tap = tap->next)
			w->taps[w->tap_count++] = tap;
		w->id_count = hub->id_room;
		if (w->id_count)
			memcpy(w->by_id, hub->by_id, w->id_count * sizeof(*w->by_id));
		for (struct capture *c = hub->captures; c; c = c->next)
			if (!c->done)
				w->captures[w->capture_count++] = c;
	}
	pthread_mutex_unlock(&hub->lock);
	for (uint32_t i = 0; enough && i < w->capture_count; i++)
		enough = grow_known(w->captures[i], w->id_count);
	return enough;
}

static void begin_captures(struct writer *w)
{
	for (uint32_t i = 0; i < w->capture_count; i++) {
		struct capture *capture = w->captures[i];

		if (capture->state != CAPTURE_NEW)
			continue;
		capture->state = CAPTURE_RUNNING;
		capture_sink_put_section(capture);
		for (uint32_t id = 0; id < w->id_count; id++)
			if (w->by_id[id] && capture_wants(capture, w->by_id[id]))
				capture_sink_put_interface(capture, w->by_id[id]);
	}
}

/* Follows steps of the wall clock; else the two differ by a constant. */
static void read_clocks(struct writer *w)
{
	for (int left = 4; left-- > 0;) {
		uint64_t before = clock_monotonic(), wall = clock_wall();
		uint64_t after = clock_monotonic();
		int64_t offset = (int64_t)(wall - (before + (after - before) / 2));
		int64_t change = offset - w->wall;

		w->horizon = after;
		if (after - before > CLOCK_STEP / 10 && (w->wall || left))
			continue; /* this thread was held up in between */
		if (change > (int64_t)CLOCK_STEP || change < -(int64_t)CLOCK_STEP)
			w->wall = offset;
		return;
	}
}

/* Chunks of one tap are kept in the order in which they were begun. */
static void enqueue(struct chunk *chunk)
{
	struct chunk **at = &chunk->tap->first;

	while (*at && (int32_t)((*at)->sequence - chunk->sequence) < 0)
		at = &(*at)->next;
	chunk->next = *at;
	*at = chunk;
}

/* The tap's open chunk, or NULL; CHUNK_BUSY: its thread does not get on with it. */
static struct chunk *take_open(struct capture_tap *tap)
{
	struct chunk *chunk = NULL;

	for (int tries = 0; tries < BUSY_TRIES; tries++) {
		chunk = atomic_load_explicit(&tap->open, memory_order_seq_cst);
		if (!chunk)
			return NULL;
		if (chunk != CHUNK_BUSY &&
		    atomic_compare_exchange_strong_explicit(&tap->open, &chunk, NULL,
							    memory_order_seq_cst,
							    memory_order_acquire))
			return chunk;
		__builtin_ia32_pause();
	}
	return CHUNK_BUSY;
}

static bool take_chunks(struct writer *w)
{
	struct capture_hub *hub = w->hub;
	struct chunk *full, *next;
	uint32_t count = 0;
	bool any = false;

	for (uint32_t i = 0; i < w->tap_count; i++) {
		struct capture_tap *tap = w->taps[i];
		struct chunk *chunk = take_open(tap);
		uint64_t since;

		if (!chunk)
			continue;
		any = true;
		if (chunk != CHUNK_BUSY) {
			enqueue(chunk);
			continue;
		}
		/* Nothing in the chunk that could not be had is older than this. */
		since = atomic_load_explicit(&tap->since, memory_order_acquire);
		if (since < w->horizon)
			w->horizon = since;
	}
	full = atomic_exchange_explicit(&hub->full, NULL, memory_order_acquire);
	for (; full; full = next, count++) {
		next = full->next;
		enqueue(full);
	}
	atomic_fetch_sub_explicit(&hub->full_count, count, memory_order_relaxed);
	w->busy = count;
	return any || count;
}

static void report_missed(const struct writer *w, struct capture *capture)
{
	uint64_t missed;

	if (!capture->bit || capture->state != CAPTURE_RUNNING)
		return;
	missed = counter_get(&w->hub->missed[__builtin_ctzll(capture->bit)]);
	if (missed != capture->missed_seen &&
	    capture_sink_missed(capture, missed - capture->missed_seen))
		capture->missed_seen = missed;
}

static void report_losses(struct writer *w)
{
	for (uint32_t i = 0; i < w->tap_count; i++) {
		struct capture_tap *tap = w->taps[i];
		uint64_t lost = counter_get(&tap->lost);

		if (lost == tap->lost_seen)
			continue;
		for (uint32_t c = 0; c < w->capture_count; c++)
			if (w->captures[c]->state == CAPTURE_RUNNING)
				capture_sink_lost(w->captures[c], tap, lost - tap->lost_seen);
		tap->lost_seen = lost;
	}
	for (uint32_t i = 0; i < w->capture_count; i++)
		report_missed(w, w->captures[i]);
}

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
static void merge(struct writer *w)
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

/* Brings captures that were stopped to their end. Returns whether one is still draining. */
static bool finish_captures(struct writer *w)
{
	uint64_t now = clock_monotonic();
	struct capture_hub *hub = w->hub;
	bool draining = false;

	for (uint32_t i = 0; i < w->capture_count; i++) {
		struct capture *capture = w->captures[i];
		size_t start = capture->sink.start;
		uint64_t stop_time;

		pthread_mutex_lock(&hub->lock);
		stop_time = capture->stopping ? capture->stop_time : UINT64_MAX;
		pthread_mutex_unlock(&hub->lock);
		if (stop_time == UINT64_MAX)
			continue;
		if (capture->state == CAPTURE_RUNNING) {
			if (w->horizon < stop_time) {
				draining = true;
				continue;
			}
			capture->state = CAPTURE_DRAINING;
			capture->progress = now;
			capture->deadline = now + DRAIN_MAX;
			capture_sink_put_statistics(capture, capture->start + (uint64_t)w->wall,
						    stop_time + (uint64_t)w->wall);
		}
		capture_sink_flush(capture);
		if (capture->sink.start != start)
			capture->progress = now;
		if (capture->state == CAPTURE_DRAINING &&
		    capture->sink.start < capture->sink.end && now < capture->deadline &&
		    now - capture->progress < DRAIN_STALL) {
			draining = true;
			continue;
		}
		pthread_mutex_lock(&hub->lock);
		capture->done = true;
		pthread_cond_broadcast(&hub->changed);
		pthread_mutex_unlock(&hub->lock);
		w->captures[i--] = w->captures[--w->capture_count];
	}
	return draining;
}

/* Frees taps whose ports are gone and whose records have all been written. */
static void free_retired(struct writer *w)
{
	struct capture_hub *hub = w->hub;
	struct capture_tap *gone = NULL;

	pthread_mutex_lock(&hub->lock);
	for (struct capture_tap **at = &hub->taps; *at;) {
		struct capture_tap *tap = *at;

		if (!tap->retired || tap->retired > w->horizon || tap->first ||
		    atomic_load_explicit(&tap->open, memory_order_relaxed)) {
			at = &tap->next;
			continue;
		}
		*at = tap->next;
		hub->by_id[tap->id] = NULL;
		hub->tap_count--;
		tap->next = gone;
		gone = tap;
	}
	pthread_mutex_unlock(&hub->lock);
	while (gone) {
		struct capture_tap *next = gone->next;

		for (uint32_t i = 0; i < w->capture_count; i++)
			if (gone->id < w->captures[i]->known_room)
				w->captures[i]->known[gone->id] = 0;
		free(gone);
		gone = next;
	}
}

static void pass(struct writer *w)
{
	bool any, had_captures = w->capture_count, stalled = false;

	/* Before the lists, so that nothing older comes from a tap that is not in them. */
	read_clocks(w);
	if (!copy_lists(w))
		return; /* what is recorded meanwhile waits, or is lost and counted */
	report_losses(w);
	begin_captures(w);
	any = take_chunks(w);
	for (uint32_t i = 0; i < w->capture_count; i++)
		capture_names_put(w->captures[i]);
	merge(w);
	for (uint32_t i = 0; i < w->capture_count; i++)
		capture_sink_flush(w->captures[i]);
	w->draining = finish_captures(w);
	free_retired(w);
	for (uint32_t i = 0; i < w->capture_count; i++)
		stalled = stalled || w->captures[i]->stalled;
	w->idle = !any && !w->heap_count && !w->draining && !stalled;
	if (had_captures && !w->capture_count)
		capture_pool_trim(w->hub);
}

/* Whether nothing can come without waking this thread. */
static bool fall_asleep(struct writer *w)
{
	struct capture_hub *hub = w->hub;
	bool nothing = true;

	atomic_store_explicit(&hub->asleep, true, memory_order_seq_cst);
	pthread_mutex_lock(&hub->lock);
	for (struct capture_tap *tap = hub->taps; tap && nothing; tap = tap->next)
		nothing = !atomic_load_explicit(&tap->open, memory_order_seq_cst);
	pthread_mutex_unlock(&hub->lock);
	if (!nothing)
		atomic_store_explicit(&hub->asleep, false, memory_order_seq_cst);
	return nothing;
}

/* Waits for a command, many full chunks, a reader or the next pass; true: time for a pass. */
static bool wait_for_work(struct writer *w, uint64_t last_pass)
{
	uint64_t next = last_pass + (w->draining ? DRAIN_INTERVAL :
				     w->busy ? PASS_INTERVAL : QUIET_INTERVAL), count;
	bool asleep = w->idle && fall_asleep(w);
	uint64_t now = clock_monotonic();
	int timeout = next > now ? (int)((next - now + NS_PER_MS - 1) / NS_PER_MS) : 0;
	nfds_t polls = 1;

	w->polls[0] = (struct pollfd){ .fd = w->hub->wake_fd, .events = POLLIN };
	for (uint32_t i = 0; i < w->capture_count; i++) {
		const struct capture *c = w->captures[i];
		bool stream = !c->records && !c->sink.regular && c->state != CAPTURE_OVER;

		w->polls[polls++] = (struct pollfd){
			.fd = stream ? c->sink.fd : -1,
			.events = c->sink.start < c->sink.end ? POLLOUT : 0,
		};
	}
	poll(w->polls, polls, asleep ? -1 : timeout);
	if (asleep)
		atomic_store_explicit(&w->hub->asleep, false, memory_order_seq_cst);
	for (nfds_t i = 1; i < polls; i++)
		if (w->polls[i].fd >= 0 && w->polls[i].revents)
			capture_sink_ready(w->captures[i - 1],
					   w->polls[i].revents & (POLLERR | POLLHUP));
	if (w->polls[0].revents && read(w->hub->wake_fd, &count, sizeof(count)) > 0)
		return true;
	return !asleep && clock_monotonic() >= next;
}

void *capture_writer_run(void *arg)
{
	struct writer w = { .hub = arg };

	w.polls = calloc(1, sizeof(*w.polls));
	while (w.polls && !w.quit) {
		uint64_t start = clock_monotonic();

		pass(&w);
		while (!w.quit && !wait_for_work(&w, start))
			;
	}
	free(w.taps);
	free(w.by_id);
	free(w.captures);
	free(w.heap);
	free(w.targets);
	free(w.polls);
	return NULL;
}

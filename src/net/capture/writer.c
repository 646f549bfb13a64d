/*
 * The capture writer's thread: collects chunks, merges their records by time,
 * and feeds the captures. See capture_private.h,
 * and past.c for what is kept.
 *
 * It holds the hub's lock only to copy lists. With nothing recorded it sleeps
 * without a timer until a producer or a command wakes it; but while a capture
 * is stalled it looks every 8 ms what has been lost.
 */
#include "net/capture/writer.h"

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
		for (struct capture_tap *tap = hub->taps; tap; tap = tap->next) {
			w->taps[w->tap_count++] = tap;
			tap->left = tap->retired;
		}
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

/* Those with or without a past. */
static void begin_captures(struct writer *w, bool past)
{
	for (uint32_t i = 0; i < w->capture_count; i++) {
		struct capture *capture = w->captures[i];

		if (capture->state != CAPTURE_NEW || !capture->past_ns == past)
			continue;
		capture->state = CAPTURE_RUNNING;
		capture_sink_put_section(capture);
		for (uint32_t id = 0; id < w->id_count; id++)
			if (w->by_id[id] && (past || !w->by_id[id]->left) &&
			    capture_wants(capture, w->by_id[id]))
				capture_sink_put_interface(capture, w->by_id[id]);
		capture_names_put(capture);
		if (past)
			capture_replay(w, capture);
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

	if (chunk->tap->lent == chunk)
		chunk->tap->lent = NULL;
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
		struct chunk *chunk;
		uint64_t since;

		/* What nobody captures stays where it is until it is full. */
		if (!w->collecting && !tap->left)
			continue;
		chunk = take_open(tap);
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

/* Tells running captures of what has come to a tap's counter since. */
static void report(const struct writer *w, struct capture_tap *tap, const struct counter *counter,
		   uint64_t *seen,
		   void (*tell)(struct capture *capture, const struct capture_tap *tap,
				uint64_t count))
{
	uint64_t now = counter_get(counter);

	if (now == *seen)
		return;
	for (uint32_t i = 0; i < w->capture_count; i++)
		if (w->captures[i]->state == CAPTURE_RUNNING)
			tell(w->captures[i], tap, now - *seen);
	*seen = now;
}

static void report_losses(struct writer *w)
{
	for (uint32_t i = 0; i < w->tap_count; i++) {
		struct capture_tap *tap = w->taps[i];

		report(w, tap, &tap->lost, &tap->lost_seen, capture_sink_lost);
		report(w, tap, &tap->passed_over, &tap->passed_over_seen,
		       capture_sink_passed_over);
	}
	for (uint32_t i = 0; i < w->capture_count; i++)
		report_missed(w, w->captures[i]);
}

/* A past is much at once, and its reader may be far away. */
static unsigned patience(const struct capture *capture)
{
	return capture->past_ns ? 20 : 1;
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
		/* One that is over has a filter, too, which a port's thread may be running. */
		if (capture->state != CAPTURE_DRAINING && w->horizon < stop_time) {
			draining = true;
			continue;
		}
		if (capture->state == CAPTURE_RUNNING) {
			capture->state = CAPTURE_DRAINING;
			capture->progress = now;
			capture->deadline = now + DRAIN_MAX * patience(capture);
			capture_sink_put_statistics(capture, capture->start + (uint64_t)w->wall,
						    stop_time + (uint64_t)w->wall);
		}
		capture_sink_flush(capture);
		if (capture->sink.start != start)
			capture->progress = now;
		if (capture->state == CAPTURE_DRAINING &&
		    capture->sink.start < capture->sink.end && now < capture->deadline &&
		    now - capture->progress < DRAIN_STALL * patience(capture)) {
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
		    atomic_load_explicit(&tap->open, memory_order_relaxed) ||
		    capture_past_holds(w, tap)) {
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

/* The last capture has ended. */
static void calm(struct capture_hub *hub)
{
	const struct capture *capture;

	capture_pool_trim(hub);
	pthread_mutex_lock(&hub->lock);
	for (capture = hub->captures; capture && capture->done; capture = capture->next)
		;
	if (!capture)
		capture_pool_advise(hub, false);
	pthread_mutex_unlock(&hub->lock);
}

static void pass(struct writer *w)
{
	bool any, had_captures = w->capture_count, stalled = false;

	/* Before the lists, so that nothing older comes from a tap that is not in them. */
	read_clocks(w);
	if (!copy_lists(w))
		return; /* what is recorded meanwhile waits, or is lost and counted */
	w->collecting = w->capture_count;
	begin_captures(w, false);
	report_losses(w);
	any = take_chunks(w);
	for (uint32_t i = 0; i < w->capture_count; i++)
		capture_names_put(w->captures[i]);
	if (w->capture_count)
		capture_merge(w);
	else
		capture_put_all_away(w);
	begin_captures(w, true);
	for (uint32_t i = 0; i < w->capture_count; i++)
		capture_sink_flush(w->captures[i]);
	w->draining = finish_captures(w);
	capture_past_tidy(w);
	free_retired(w);
	for (uint32_t i = 0; i < w->capture_count; i++)
		stalled = stalled || w->captures[i]->stalled;
	w->idle = !any && !w->heap_count && !w->draining && !stalled;
	if (had_captures && !w->capture_count)
		calm(w->hub);
}

/* Whether nothing can come without waking this thread. */
static bool fall_asleep(struct writer *w)
{
	struct capture_hub *hub = w->hub;
	bool nothing = true;

	if (!w->collecting)
		return true; /* several full chunks do */
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
	int timeout;
	nfds_t polls = 1;

	if (asleep)
		next = w->expiry;
	timeout = next == UINT64_MAX ? -1 :
		  next > now ? (int)((next - now + NS_PER_MS - 1) / NS_PER_MS) : 0;

	w->polls[0] = (struct pollfd){ .fd = w->hub->wake_fd, .events = POLLIN };
	for (uint32_t i = 0; i < w->capture_count; i++) {
		const struct capture *c = w->captures[i];
		bool stream = !c->records && !c->sink.regular && c->state != CAPTURE_OVER;

		w->polls[polls++] = (struct pollfd){
			.fd = stream ? c->sink.fd : -1,
			.events = c->sink.start < c->sink.end ? POLLOUT : 0,
		};
	}
	poll(w->polls, polls, timeout);
	if (asleep)
		atomic_store_explicit(&w->hub->asleep, false, memory_order_seq_cst);
	for (nfds_t i = 1; i < polls; i++)
		if (w->polls[i].fd >= 0 && w->polls[i].revents)
			capture_sink_ready(w->captures[i - 1],
					   w->polls[i].revents & (POLLERR | POLLHUP));
	if (w->polls[0].revents && read(w->hub->wake_fd, &count, sizeof(count)) > 0)
		return true;
	return clock_monotonic() >= next;
}

void *capture_writer_run(void *arg)
{
	struct writer w = { .hub = arg };

	if (w.hub->stamps)
		w.unit = stamp_unit();
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

/*
 * The meeting point of switches, taps, captures and the writer. Any thread but the
 * writer's; nothing here is on a frame's way.
 */
#include "net/capture/capture_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

int capture_hub_new(struct capture_hub **out, struct cause *cause)
{
	struct capture_hub *hub = aligned_alloc(64, sizeof(*hub));

	if (!hub)
		return cause_errno(cause, ENOMEM, "capture");
	memset(hub, 0, sizeof(*hub));
	hub->stamps = stamp_usable();
	pthread_mutex_init(&hub->lock, NULL);
	pthread_cond_init(&hub->changed, NULL);
	hub->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (hub->wake_fd < 0) {
		int error = errno;

		capture_hub_free(hub);
		return cause_errno(cause, error, "capture: event descriptor");
	}
	*out = hub;
	return 0;
}

void capture_hub_free(struct capture_hub *hub)
{
	if (!hub)
		return;
	if (hub->started) {
		pthread_mutex_lock(&hub->lock);
		hub->quit = true;
		pthread_mutex_unlock(&hub->lock);
		capture_hub_wake(hub);
		thread_join(&hub->thread);
	}
	while (hub->pasts) {
		struct past *next = hub->pasts->next;

		free(hub->pasts);
		hub->pasts = next;
	}
	while (hub->taps) { /* of ports removed since the writer's last pass */
		struct capture_tap *next = hub->taps->next;

		free(hub->taps);
		hub->taps = next;
	}
	capture_pool_unmap(hub);
	free(hub->names);
	if (hub->wake_fd >= 0)
		close(hub->wake_fd);
	free(hub->by_id);
	pthread_cond_destroy(&hub->changed);
	pthread_mutex_destroy(&hub->lock);
	free(hub);
}

void capture_hub_wake(struct capture_hub *hub)
{
	const uint64_t one = 1;

	/* It can fail only when the count is full, and then the writer is awake. */
	if (write(hub->wake_fd, &one, sizeof(one)) < 0)
		return;
}

int capture_hub_watch(struct capture_hub *hub)
{
	hub->watched = true;
	return hub->wake_fd;
}

int capture_hub_serve(struct capture_hub *hub, struct cause *cause)
{
	int error;

	pthread_mutex_lock(&hub->lock);
	error = capture_hub_start(hub, cause);
	pthread_mutex_unlock(&hub->lock);
	return error;
}

void capture_hub_add_switch(struct capture_hub *hub, struct capture_switch *sw, const char *name)
{
	sw->name = name;
	pthread_mutex_lock(&hub->lock);
	sw->next = hub->switches;
	hub->switches = sw;
	pthread_mutex_unlock(&hub->lock);
}

void capture_hub_remove_switch(struct capture_hub *hub, struct capture_switch *sw)
{
	struct capture_switch **at = &hub->switches;
	struct past *past;

	pthread_mutex_lock(&hub->lock);
	while (*at && *at != sw)
		at = &(*at)->next;
	past = *at ? capture_past_find(hub, sw->name) : NULL;
	if (past)
		past->gone = true;
	if (*at)
		*at = sw->next;
	pthread_mutex_unlock(&hub->lock);
	if (past)
		capture_hub_wake(hub);
}

bool capture_names_port(const char *name, const struct capture_tap *tap)
{
	size_t size = strlen(name);

	return !strcmp(name, tap->name) ||
	       (size && name[size - 1] == '/' && !strncmp(name, tap->name, size));
}

bool capture_hub_knows(struct capture_hub *hub, const char *name)
{
	bool found = false;

	pthread_mutex_lock(&hub->lock);
	for (struct capture_switch *sw = hub->switches; sw && !found; sw = sw->next)
		found = !strcmp(sw->name, name);
	for (struct capture_tap *tap = hub->taps; tap && !found; tap = tap->next)
		found = !tap->retired && capture_names_port(name, tap);
	pthread_mutex_unlock(&hub->lock);
	return found;
}

bool capture_wants(const struct capture *capture, const struct capture_tap *tap)
{
	if (!capture->ports)
		return true;
	for (char **name = capture->ports; *name; name++)
		if (capture_names_port(*name, tap) || !strcmp(*name, tap->switch_name))
			return true;
	return false;
}

bool capture_has_switch(const struct capture *capture, const char *switch_name)
{
	if (!capture->ports)
		return true;
	for (char **name = capture->ports; *name; name++)
		if (!strcmp(*name, switch_name))
			return true;
	for (const struct capture_tap *tap = capture->hub->taps; tap; tap = tap->next)
		if (!strcmp(tap->switch_name, switch_name) && capture_wants(capture, tap))
			return true;
	return false;
}

static bool names(const struct capture *capture, const struct capture_tap *tap)
{
	for (char **name = capture->ports; *name; name++)
		if (capture_names_port(*name, tap))
			return true;
	return false;
}

static void want(struct capture_tap *tap, const struct capture *capture)
{
	struct tap_wants *wants = &tap->wants;

	wants->stalled = wants->stalled && capture->stalled;
	wants->stamps = tap->hub->stamps;
	wants->filters |= capture->filter_bit;
	wants->unfiltered = wants->unfiltered || !capture->filter_bit;
	if (capture->snap > wants->snap)
		wants->snap = capture->snap;
	/* What filters look at is more than what is kept. */
	if (capture->filter.insns && wants->snap < NET_HEAD_MAX)
		wants->snap = NET_HEAD_MAX;
}

/* What the other ports of the switch send to one that the capture names. */
static void want_received(struct capture_hub *hub, const struct capture_tap *to,
			  const struct capture *capture)
{
	for (struct capture_tap *tap = hub->taps; tap; tap = tap->next) {
		if (tap->retired || strcmp(tap->switch_name, to->switch_name) != 0 ||
		    capture_wants(capture, tap))
			continue;
		want(tap, capture);
		tap->wants.ports = true;
		tap->wants.flooded |= capture->bit;
	}
}

static void add_wants(struct capture_hub *hub, const struct capture *capture)
{
	for (struct capture_tap *tap = hub->taps; tap; tap = tap->next) {
		if (tap->retired || !capture_wants(capture, tap))
			continue;
		want(tap, capture);
		tap->wants.wanted = true;
		tap->wants.all |= capture->bit;
		if (!capture->bit || !names(capture, tap))
			continue;
		tap->wants.named |= capture->bit;
		want_received(hub, tap, capture);
	}
}

static void publish(struct capture_tap *tap)
{
	const struct tap_wants *wants = &tap->wants;
	uint32_t snap = wants->snap;

	if (wants->ports)
		snap = (wants->stalled ? 0 : snap) | SNAP_PORTS | (wants->wanted ? 0 : SNAP_SOME);
	else if (snap && wants->stalled)
		snap = SNAP_STALLED;
	if (snap && snap != SNAP_STALLED && wants->stamps)
		snap |= SNAP_STAMPS;
	atomic_store_explicit(&tap->all, wants->all, memory_order_relaxed);
	atomic_store_explicit(&tap->flooded, wants->flooded, memory_order_relaxed);
	atomic_store_explicit(&tap->named, wants->named, memory_order_relaxed);
	/* Of what is received by ports that are named the writer counts what filters leave out. */
	atomic_store_explicit(&tap->filters,
			      wants->unfiltered || wants->ports ? 0 : wants->filters,
			      memory_order_seq_cst);
	/* With it the producer sees the pool, which came with the first capture. */
	atomic_store_explicit(&tap->snap, snap, memory_order_release);
}

/* A past takes what comes. */
static void want_pasts(struct capture_hub *hub)
{
	for (struct capture_tap *tap = hub->taps; tap; tap = tap->next) {
		if (tap->retired || !tap->past)
			continue;
		tap->wants.wanted = tap->wants.unfiltered = true;
		tap->wants.stalled = false;
		tap->wants.snap = tap->past->config.snap;
	}
}

void capture_hub_update_taps(struct capture_hub *hub)
{
	for (struct capture_tap *tap = hub->taps; tap; tap = tap->next)
		tap->wants = (struct tap_wants){ .stalled = true };
	want_pasts(hub);
	for (struct capture *c = hub->captures; c; c = c->next)
		if (!c->stopping && !c->over)
			add_wants(hub, c);
	for (struct capture_tap *tap = hub->taps; tap; tap = tap->next)
		publish(tap);
}

/* The lowest that is free, or 0. */
static uint64_t take_number(uint64_t *numbers)
{
	uint64_t bit = ~*numbers & (*numbers + 1);

	*numbers |= bit;
	return bit;
}

uint64_t capture_hub_take_bit(struct capture_hub *hub)
{
	uint64_t bit;

	pthread_mutex_lock(&hub->lock);
	bit = take_number(&hub->numbers);
	pthread_mutex_unlock(&hub->lock);
	return bit;
}

uint64_t capture_hub_take_filter(struct capture_hub *hub, const struct filter *filter)
{
	uint64_t bit;

	pthread_mutex_lock(&hub->lock);
	bit = take_number(&hub->filter_numbers);
	if (bit)
		atomic_store_explicit(&hub->filters[__builtin_ctzll(bit)], filter,
				      memory_order_release);
	pthread_mutex_unlock(&hub->lock);
	return bit;
}

void capture_hub_give_filter(struct capture_hub *hub, uint64_t bit)
{
	pthread_mutex_lock(&hub->lock);
	hub->filter_numbers &= ~bit;
	pthread_mutex_unlock(&hub->lock);
}

void capture_hub_give_bit(struct capture_hub *hub, uint64_t bit)
{
	pthread_mutex_lock(&hub->lock);
	hub->numbers &= ~bit;
	pthread_mutex_unlock(&hub->lock);
}

/* Under the lock: the lowest free id from 1, or 0: no memory. */
static uint32_t take_id(struct capture_hub *hub, struct capture_tap *tap)
{
	struct capture_tap **more;
	uint32_t id = 1;

	while (id < hub->id_room && hub->by_id[id])
		id++;
	if (id >= hub->id_room) {
		more = realloc(hub->by_id, (id + 64) * sizeof(*more));
		if (!more)
			return 0;
		memset(more + hub->id_room, 0, (id + 64 - hub->id_room) * sizeof(*more));
		hub->by_id = more;
		hub->id_room = id + 64;
	}
	hub->by_id[id] = tap;
	return id;
}

struct capture_tap *capture_tap_new(struct capture_hub *hub, const char *name,
				    const char *switch_name, const uint8_t *mac)
{
	struct capture_tap *tap = aligned_alloc(64, sizeof(*tap));

	if (!tap)
		return NULL;
	memset(tap, 0, sizeof(*tap));
	tap->hub = hub;
	memcpy(tap->mac, mac, sizeof(tap->mac));
	snprintf(tap->name, sizeof(tap->name), "%s", name);
	snprintf(tap->switch_name, sizeof(tap->switch_name), "%s", switch_name);
	pthread_mutex_lock(&hub->lock);
	tap->id = take_id(hub, tap);
	tap->born = clock_monotonic();
	tap->past = capture_past_find(hub, switch_name);
	if (tap->id) {
		tap->next = hub->taps;
		hub->taps = tap;
		hub->tap_count++;
		capture_hub_update_taps(hub);
	}
	pthread_mutex_unlock(&hub->lock);
	if (!tap->id) {
		free(tap);
		return NULL;
	}
	return tap;
}

void capture_tap_remove(struct capture_tap *tap)
{
	struct capture_hub *hub = tap->hub;
	bool unread;

	pthread_mutex_lock(&hub->lock);
	unread = hub->started || tap->sequence;
	tap->retired = clock_monotonic();
	capture_hub_update_taps(hub);
	if (!unread) {
		struct capture_tap **at = &hub->taps;

		while (*at != tap)
			at = &(*at)->next;
		*at = tap->next;
		hub->tap_count--;
		hub->by_id[tap->id] = NULL;
	}
	pthread_mutex_unlock(&hub->lock);
	/* Records of it may be on their way; the writer frees it after the last. */
	if (unread)
		capture_hub_wake(hub);
	else
		free(tap);
}

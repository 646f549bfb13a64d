/*
 * What switches keep of what passed them. Chunks that have been read, or that nobody wants to
 * read, stay as they are, without a copy, until their switch has too many or they are too old;
 * one with much room left goes back to its port, which goes on filling it. While there is no
 * capture the writer only takes full chunks, and an open one stays with its port.
 *
 * Whoever records knows nothing of this. Keeping and ending it: any thread; the rest is the
 * writer's.
 */
#include "net/capture/writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"

#define PAGE 4096u
#define LEND_MAX (CHUNK_ROOM / 4 * 3) /* a chunk with more in it is not filled further */
#define SPARE_CHUNKS 16u	      /* kept beyond those that the bytes fill: some are not full */

/* --- any thread --- */

static uint32_t chunks_of(const struct past_config *config)
{
	return (uint32_t)(config->bytes / CHUNK_SIZE) + SPARE_CHUNKS;
}

int capture_hub_keep(struct capture_hub *hub, const char *switch_name,
		     const struct past_config *config, struct cause *cause)
{
	struct past *past = calloc(1, sizeof(*past));
	int error = 0;

	if (!past)
		return cause_errno(cause, ENOMEM, "the past");
	snprintf(past->switch_name, sizeof(past->switch_name), "%s", switch_name);
	past->config = *config;
	past->end = &past->first;
	pthread_mutex_lock(&hub->lock);
	if (hub->past_chunks + chunks_of(config) > PAST_CHUNKS)
		error = cause_set(cause, ENOSPC, "other switches keep so much of their past that "
				  "there is no room for that of another");
	else
		error = hub->watched ? capture_hub_map(hub, cause) : capture_hub_start(hub, cause);
	if (!error) {
		past->next = hub->pasts;
		hub->pasts = past;
		hub->past_chunks += chunks_of(config);
	}
	pthread_mutex_unlock(&hub->lock);
	if (error)
		free(past);
	return error;
}

struct past *capture_past_find(const struct capture_hub *hub, const char *switch_name)
{
	struct past *past = hub->pasts;

	while (past && (past->gone || strcmp(past->switch_name, switch_name) != 0))
		past = past->next;
	return past;
}

bool capture_past_any(const struct capture *capture)
{
	for (const struct past *past = capture->hub->pasts; past; past = past->next)
		if (!past->gone && capture_has_switch(capture, past->switch_name))
			return true;
	return false;
}

/* --- the writer --- */

static uint64_t cost_of(const struct chunk *chunk)
{
	return align_up(sizeof(*chunk) + chunk->used, PAGE);
}

static void give_oldest(struct writer *w, struct past *past)
{
	struct chunk *chunk = past->first;

	past->first = chunk->next;
	if (!past->first)
		past->end = &past->first;
	past->bytes -= cost_of(chunk);
	past->chunks--;
	chunk->tap->kept--;
	capture_pool_give(w->hub, chunk);
}

static void keep(struct writer *w, struct past *past, struct chunk *chunk)
{
	chunk->kept = w->horizon;
	chunk->next = NULL;
	*past->end = chunk;
	past->end = &chunk->next;
	past->bytes += cost_of(chunk);
	past->chunks++;
	chunk->tap->kept++;
	while (past->bytes > past->config.bytes || past->chunks > chunks_of(&past->config))
		give_oldest(w, past);
}

/* Whether the port has it again. */
static bool lend(struct writer *w, struct capture_tap *tap, struct chunk *chunk)
{
	struct chunk *none = NULL;

	if (tap->left || tap->first || chunk->used > LEND_MAX)
		return false;
	/* What its thread adds is not older. Where that has begun another, this is too early at
	   most, and the writer waits for one that is busy. */
	atomic_store_explicit(&tap->since, w->horizon, memory_order_release);
	if (!atomic_compare_exchange_strong_explicit(&tap->open, &none, chunk,
						     memory_order_seq_cst, memory_order_relaxed))
		return false;
	tap->lent = chunk;
	return true;
}

void capture_put_away(struct writer *w, struct chunk *chunk)
{
	struct capture_tap *tap = chunk->tap;

	if (!tap->past)
		capture_pool_give(w->hub, chunk);
	else if (!lend(w, tap, chunk))
		keep(w, tap->past, chunk);
}

void capture_put_all_away(struct writer *w)
{
	for (uint32_t i = 0; i < w->tap_count; i++) {
		struct capture_tap *tap = w->taps[i];
		struct chunk *chunk;

		while ((chunk = tap->first)) {
			tap->first = chunk->next;
			chunk->read = (struct place){ .at = chunk->used };
			capture_put_away(w, chunk);
		}
	}
}

/* Under the lock: its switch is gone; no port of it records. */
static void end_past(struct writer *w, struct past *past)
{
	while (past->first)
		give_oldest(w, past);
	for (struct capture_tap *tap = w->hub->taps; tap; tap = tap->next)
		if (tap->past == past)
			tap->past = NULL;
	w->hub->past_chunks -= chunks_of(&past->config);
	free(past);
}

static void forget_old(struct writer *w, struct past *past)
{
	uint64_t ns = past->config.seconds * NS_PER_S;
	bool any = false;

	while (past->first && past->first->kept + ns < w->horizon) {
		give_oldest(w, past);
		any = true;
	}
	if (past->first && past->first->kept + ns < w->expiry)
		w->expiry = past->first->kept + ns;
	if (any && !w->capture_count)
		capture_pool_trim(w->hub);
}

void capture_past_tidy(struct writer *w)
{
	struct capture_hub *hub = w->hub;

	w->expiry = UINT64_MAX;
	pthread_mutex_lock(&hub->lock);
	for (struct past **at = &hub->pasts; *at;) {
		struct past *past = *at;

		if (past->gone) {
			*at = past->next;
			end_past(w, past);
			continue;
		}
		forget_old(w, past);
		at = &past->next;
	}
	pthread_mutex_unlock(&hub->lock);
}

bool capture_past_holds(struct writer *w, const struct capture_tap *tap)
{
	uint64_t until = tap->past ? tap->retired + tap->past->config.seconds * NS_PER_S : 0;

	if (tap->kept)
		return true;
	if (until <= w->horizon)
		return false;
	if (until < w->expiry)
		w->expiry = until;
	return true;
}

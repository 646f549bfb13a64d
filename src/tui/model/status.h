/*
 * What the status line says: a place for each kind of thing, in the order of their
 * rank. What has a lower rank hides none of a higher one, and a state stays until
 * it ends. Pure; screen thread only.
 */
#ifndef TUI_MODEL_STATUS_H
#define TUI_MODEL_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/model/messages.h"

enum status_rank {
	STATUS_REFUSAL,	 /* what somebody asked for failed: until a key, or until it succeeds */
	STATUS_SHUTDOWN, /* the deck is shutting down: a state */
	STATUS_HELD,	 /* guests are paused for a breakpoint: a state */
	STATUS_CAPTURE,	 /* packets are written to a file: a state */
	STATUS_TROUBLE,	 /* of a guest, by itself: until a key, or until the guest is well */
	STATUS_ANSWER,	 /* what came of a key: for a while */
	STATUS_POWER,	 /* a guest's power button was pressed: a state, for a while */
	STATUS_EVENT,	 /* for a while */
	STATUS_COUNT
};

struct status_entry {
	char *text; /* NULL: there is nothing of this rank */
	char kind[128];
	enum severity severity;
	uint64_t until; /* CLOCK_MONOTONIC, ns; 0: time does not end it */
	bool seen;
};

struct status {
	struct status_entry entries[STATUS_COUNT]; /* all zero: nothing is said */
};

void status_destroy(struct status *status);

/*
 * Says text (copied), in place of what that rank said; kind is the request or the guest that
 * it is about, or "". now: CLOCK_MONOTONIC, ns.
 */
void status_put(struct status *status, enum status_rank rank, enum severity severity,
		const char *kind, const char *text, uint64_t now);

void status_take(struct status *status, enum status_rank rank); /* it has ended */

/* Takes it off if it is of that kind; whether it did. */
bool status_settle(struct status *status, enum status_rank rank, const char *kind);

/* Takes off what text begins with, which says it itself. */
void status_replace(struct status *status, const char *text);

/* A key was pressed: ends what was seen and lasts till then; whether there was such a thing. */
bool status_key(struct status *status);

void status_hush(struct status *status); /* takes all off but states */

/* Whether a rank says just this, of that kind. */
bool status_says(const struct status *status, enum status_rank rank, const char *kind,
		 const char *text);

/* The first ones, at most count of them, by rank. Returns how many; they count as seen. */
size_t status_pick(struct status *status, const struct status_entry **shown, size_t count);

/* What came of a key, be it refused or done, which counts as seen; false: nothing is to be said. */
bool status_pick_answer(struct status *status, const struct status_entry **shown);

/* Whether a key ends an entry. */
bool status_ends_by_key(const struct status *status, const struct status_entry *entry);

/* Whether what begins it is in no other message. */
bool status_is_news(enum status_rank rank);

/* Whether an entry is a state, which stands lowest. */
bool status_is_state(const struct status *status, const struct status_entry *entry);

/* Takes off what has had its time; returns when the next one has, or 0. */
uint64_t status_expire(struct status *status, uint64_t now);

#endif

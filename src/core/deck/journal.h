/*
 * The journal: events of the deck and its guests, told to listeners. The newest
 * of the deck's own sentences are kept for those to come. Deck thread.
 */
#ifndef CORE_DECK_JOURNAL_H
#define CORE_DECK_JOURNAL_H

#include <stdint.h>

struct guest;

enum deck_event_kind { DECK_EVENT_STATE, DECK_EVENT_LOG, DECK_EVENT_PROFILES };

/*
 * Something happened; strings are valid during the call. A DECK_EVENT_PROFILES with
 * a guest: that guest is about to be freed, every pointer to it must be dropped
 * during the call. Without one: the profiles were read again.
 */
struct deck_event {
	uint64_t time_ns;	 /* CLOCK_REALTIME */
	const struct guest *guest; /* or NULL */
	enum deck_event_kind kind;
	const char *text; /* a sentence, or "" */
};

struct deck_listener {
	void (*event)(void *arg, const struct deck_event *event);
	void *arg;
	struct deck_listener *next;
};

#define JOURNAL_NOTICES_MAX 32 /* log events without a guest that are kept */

/* All zero: ready for use. */
struct journal {
	struct deck_listener *listeners;
	char *notices[JOURNAL_NOTICES_MAX];
	uint64_t notice_times[JOURNAL_NOTICES_MAX];
	unsigned notice_count;
};

void journal_destroy(struct journal *journal);

/* An event of now, of a guest or (NULL) the deck. */
void journal_emit(struct journal *journal, const struct guest *guest, enum deck_event_kind kind,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The listener is embedded in its owner; it hears at once what was kept. */
void journal_listen(struct journal *journal, struct deck_listener *listener);
void journal_unlisten(struct journal *journal, struct deck_listener *listener);

#endif

/*
 * The journal: events of the deck and its guests, told to listeners. The newest
 * are kept for those to come. Deck thread.
 */
#ifndef CORE_DECK_JOURNAL_H
#define CORE_DECK_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "control/names.h"
#include "control/states.h"

struct guest;

enum deck_event_kind {
	DECK_EVENT_STATE,
	DECK_EVENT_LOG,
	DECK_EVENT_PROFILES,
	DECK_EVENT_ADDRESSES, /* some guest has another address by DHCP; without a guest */
	DECK_EVENT_ENDING, /* the deck waits for its guests to end */
};

/*
 * Something happened; strings are valid during the call. A DECK_EVENT_PROFILES with
 * a guest: that guest is about to be freed, every pointer to it must be dropped
 * during the call. Without one: the profiles were read again.
 */
struct deck_event {
	uint64_t time_ns;	   /* CLOCK_REALTIME */
	const struct guest *guest; /* or NULL; of one that was kept, always */
	const char *name;	   /* the guest's; NULL: it is of the deck */
	enum deck_event_kind kind;
	enum guest_state state; /* the guest's, of a DECK_EVENT_STATE */
	const char *text;	/* a sentence, or "" */
};

struct deck_listener {
	void (*event)(void *arg, const struct deck_event *event);
	void *arg;
	struct deck_listener *next;
};

#define JOURNAL_KEPT 500 /* events for a person, the newest */
#define JOURNAL_SENTENCE (NAME_SIZE + CAUSE_SIZE + 32) /* bytes of the longest one */

struct journal_entry {
	uint64_t time_ns;
	char name[NAME_SIZE]; /* "": of the deck */
	enum deck_event_kind kind;
	enum guest_state state;
	char *text;
};

/* All zero: ready for use, but for events of guests. */
struct journal {
	void (*describe)(struct deck_event *event); /* sets name and state of its guest */
	struct deck_listener *listeners;
	struct journal_entry kept[JOURNAL_KEPT]; /* event n is at n % JOURNAL_KEPT */
	uint64_t count;				 /* ever kept */
};

void journal_destroy(struct journal *journal);

/* An event of now, of a guest or (NULL) the deck. */
void journal_emit(struct journal *journal, const struct guest *guest, enum deck_event_kind kind,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The listener is embedded in its owner. */
void journal_listen(struct journal *journal, struct deck_listener *listener);
void journal_unlisten(struct journal *journal, struct deck_listener *listener);

/* Tells one, which need not listen, what was kept, oldest first. */
void journal_replay(const struct journal *journal, const struct deck_listener *listener);

/* "web: stopped: reason", as a log has it; false: it is nothing for a log. */
bool journal_sentence(const struct deck_event *event, char *out, size_t size);

#endif

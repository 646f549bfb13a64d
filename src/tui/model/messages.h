/* What has happened, for a person: the newest messages are kept. Screen thread only. */
#ifndef TUI_MODEL_MESSAGES_H
#define TUI_MODEL_MESSAGES_H

#include <stddef.h>
#include <stdint.h>

enum severity { SEVERITY_EVENT, SEVERITY_GOOD, SEVERITY_WARNING, SEVERITY_ERROR };

struct message {
	uint64_t time; /* ns since the epoch */
	enum severity severity;
	char *guest; /* or NULL */
	char *text;
};

#define MESSAGES_KEPT 500
#define MESSAGE_SENTENCE 2304 /* bytes of the longest one, with its guest */

struct messages {
	struct message ring[MESSAGES_KEPT]; /* message n is at n % MESSAGES_KEPT */
	uint64_t count;			    /* ever added */
};

void messages_destroy(struct messages *messages);

/* Adds a message; guest may be NULL, time 0: now. Texts are copied and cut at 2000 bytes. */
void messages_add(struct messages *messages, enum severity severity, uint64_t time,
		  const char *guest, const char *text);

/*
 * Adds what came of a key, unless an event has told it just now, which gets its words where they
 * say more. Returns the message that tells it.
 */
const struct message *messages_answer(struct messages *messages, enum severity severity,
				      const char *guest, const char *text);

/* Number of the oldest that is kept; equal to count: there is none. */
uint64_t messages_first(const struct messages *messages);

/* Number n, from messages_first() to count - 1. */
const struct message *messages_at(const struct messages *messages, uint64_t n);
const struct message *messages_last(const struct messages *messages); /* or NULL */

/* What stands between its guest and its text: ": ", " ", or "" without a guest. */
const char *message_joint(const struct message *message);

/* The sentence with its guest: "web is paused", "web: the disk is full". */
void message_sentence(const struct message *message, char *out, size_t size);

#endif

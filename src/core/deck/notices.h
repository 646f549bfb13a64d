/*
 * Sentences for the journal from threads other than the deck's, on their way to
 * it. What is too much at once is counted, and said.
 */
#ifndef CORE_DECK_NOTICES_H
#define CORE_DECK_NOTICES_H

#include <pthread.h>

#include "base/loop.h"
#include "core/deck/journal.h"

#define NOTICES_MAX 16
#define NOTICE_SIZE 512 /* bytes of one, with the zero; it is cut */

struct notices {
	struct loop *loop;
	struct journal *journal;
	struct loop_task task;
	pthread_mutex_t lock; /* guards what follows */
	char texts[NOTICES_MAX][NOTICE_SIZE];
	unsigned count, lost;
};

/* journal and loop are the deck thread's, and stay as long. */
void notices_init(struct notices *notices, struct loop *loop, struct journal *journal);

/* Nobody calls notices_add() any more, and the loop runs no more. */
void notices_destroy(struct notices *notices);

/* struct notices *. Any thread. */
void notices_add(void *arg, const char *text);

#endif

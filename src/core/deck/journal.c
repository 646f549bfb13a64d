/* Telling what happened. Deck thread. */
#include "core/deck/journal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cause.h"
#include "base/clock.h"

void journal_destroy(struct journal *journal)
{
	for (unsigned i = 0; i < journal->notice_count; i++)
		free(journal->notices[i]);
}

/* The newest log events are kept: what start-up had to say is seen by who attaches later. */
static void keep_notice(struct journal *journal, uint64_t time_ns, const char *text)
{
	if (journal->notice_count == JOURNAL_NOTICES_MAX) {
		free(journal->notices[0]);
		journal->notice_count--;
		memmove(journal->notices, journal->notices + 1,
			sizeof(journal->notices[0]) * journal->notice_count);
		memmove(journal->notice_times, journal->notice_times + 1,
			sizeof(journal->notice_times[0]) * journal->notice_count);
	}
	journal->notices[journal->notice_count] = strdup(text);
	journal->notice_times[journal->notice_count] = time_ns;
	if (journal->notices[journal->notice_count])
		journal->notice_count++;
}

void journal_emit(struct journal *journal, const struct guest *guest, enum deck_event_kind kind,
		  const char *format, ...)
{
	struct deck_event event = { .time_ns = clock_wall(), .guest = guest, .kind = kind };
	struct deck_listener *listener, *next;
	char text[CAUSE_SIZE];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	event.text = text;
	if (kind == DECK_EVENT_LOG && !guest)
		keep_notice(journal, event.time_ns, text);
	for (listener = journal->listeners; listener; listener = next) {
		next = listener->next;
		listener->event(listener->arg, &event);
	}
}

void journal_listen(struct journal *journal, struct deck_listener *listener)
{
	listener->next = journal->listeners;
	journal->listeners = listener;
	for (unsigned i = 0; i < journal->notice_count; i++) {
		struct deck_event event = { .time_ns = journal->notice_times[i],
					    .kind = DECK_EVENT_LOG,
					    .text = journal->notices[i] };

		listener->event(listener->arg, &event);
	}
}

void journal_unlisten(struct journal *journal, struct deck_listener *listener)
{
	struct deck_listener **at;

	for (at = &journal->listeners; *at && *at != listener; at = &(*at)->next)
		;
	if (*at)
		*at = listener->next;
}

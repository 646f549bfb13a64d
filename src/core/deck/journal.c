/* Telling what happened. Deck thread. */
#include "core/deck/journal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cause.h"
#include "base/clock.h"
#include "base/sentence.h"

void journal_destroy(struct journal *journal)
{
	for (unsigned i = 0; i < JOURNAL_KEPT; i++)
		free(journal->kept[i].text);
}

static void keep(struct journal *journal, const struct deck_event *event)
{
	struct journal_entry *entry = &journal->kept[journal->count % JOURNAL_KEPT];
	char *text = strdup(event->text);

	if (!text)
		return;
	free(entry->text);
	*entry = (struct journal_entry){ .time_ns = event->time_ns, .kind = event->kind,
					 .state = event->state, .text = text };
	snprintf(entry->name, sizeof(entry->name), "%s", event->name ? event->name : "");
	journal->count++;
}

/* For a person, and not only a hint that a list has changed. */
static bool is_news(enum deck_event_kind kind)
{
	return kind != DECK_EVENT_PROFILES && kind != DECK_EVENT_ADDRESSES;
}

void journal_emit(struct journal *journal, const struct guest *guest, enum deck_event_kind kind,
		  const char *format, ...)
{
	struct deck_event event = { .time_ns = clock_wall(), .guest = guest, .kind = kind };
	struct deck_listener *listener, *next;
	char text[CAUSE_SIZE];
	va_list ap;

	va_start(ap, format);
	sentence_format(text, sizeof(text), format, ap);
	va_end(ap);
	event.text = text;
	if (guest)
		journal->describe(&event);
	if (is_news(kind))
		keep(journal, &event);
	for (listener = journal->listeners; listener; listener = next) {
		next = listener->next;
		listener->event(listener->arg, &event);
	}
}

void journal_listen(struct journal *journal, struct deck_listener *listener)
{
	listener->next = journal->listeners;
	journal->listeners = listener;
}

void journal_unlisten(struct journal *journal, struct deck_listener *listener)
{
	struct deck_listener **at;

	for (at = &journal->listeners; *at && *at != listener; at = &(*at)->next)
		;
	if (*at)
		*at = listener->next;
}

void journal_replay(const struct journal *journal, const struct deck_listener *listener)
{
	uint64_t n = journal->count > JOURNAL_KEPT ? journal->count - JOURNAL_KEPT : 0;

	for (; n < journal->count; n++) {
		const struct journal_entry *entry = &journal->kept[n % JOURNAL_KEPT];
		struct deck_event event = { .time_ns = entry->time_ns, .kind = entry->kind,
					    .name = *entry->name ? entry->name : NULL,
					    .state = entry->state, .text = entry->text };

		listener->event(listener->arg, &event);
	}
}

bool journal_sentence(const struct deck_event *event, char *out, size_t size)
{
	const char *name = event->name ? event->name : "", *joint = event->name ? ": " : "";

	if (!is_news(event->kind))
		return false;
	if (event->kind == DECK_EVENT_STATE)
		snprintf(out, size, "%s%s%s%s%s", name, joint, guest_state_name(event->state),
			 *event->text ? ": " : "", event->text);
	else
		snprintf(out, size, "%s%s%s", name, joint, event->text);
	return true;
}

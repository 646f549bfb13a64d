/* See status.h. */
#include "tui/model/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define WHILE (12 * NS_PER_S)

#define SHUTDOWN (30 * NS_PER_S) /* a guest's, as far as somebody waits for it */

/* What ends each of them besides its owner. */
static const struct {
	bool state, key;
	bool told; /* a state that begins with another message */
	uint64_t lasts;
} rules[STATUS_COUNT] = {
	[STATUS_REFUSAL] = { .key = true },
	[STATUS_SHUTDOWN] = { .state = true },
	[STATUS_HELD] = { .state = true, .told = true },
	[STATUS_CAPTURE] = { .state = true },
	[STATUS_TROUBLE] = { .key = true },
	[STATUS_ANSWER] = { .lasts = WHILE },
	[STATUS_POWER] = { .state = true, .told = true, .lasts = SHUTDOWN },
	[STATUS_EVENT] = { .lasts = WHILE },
};

void status_take(struct status *status, enum status_rank rank)
{
	free(status->entries[rank].text);
	memset(&status->entries[rank], 0, sizeof(status->entries[rank]));
}

void status_destroy(struct status *status)
{
	for (unsigned i = 0; i < STATUS_COUNT; i++)
		status_take(status, i);
}

void status_put(struct status *status, enum status_rank rank, enum severity severity,
		const char *kind, const char *text, uint64_t now)
{
	struct status_entry *entry = &status->entries[rank];

	free(entry->text);
	entry->text = strdup(text);
	snprintf(entry->kind, sizeof(entry->kind), "%s", kind);
	entry->severity = severity;
	entry->until = rules[rank].lasts ? now + rules[rank].lasts : 0;
	entry->seen = false;
}

bool status_settle(struct status *status, enum status_rank rank, const char *kind)
{
	if (!status->entries[rank].text || strcmp(status->entries[rank].kind, kind) != 0)
		return false;
	status_take(status, rank);
	return true;
}

void status_replace(struct status *status, const char *text)
{
	for (unsigned i = 0; i < STATUS_COUNT; i++) {
		const char *said = status->entries[i].text;

		if (!rules[i].state && said && strncmp(text, said, strlen(said)) == 0)
			status_take(status, i);
	}
}

bool status_key(struct status *status)
{
	bool ended = false;

	for (unsigned i = 0; i < STATUS_COUNT; i++)
		if (rules[i].key && status->entries[i].seen) {
			status_take(status, i);
			ended = true;
		}
	return ended;
}

void status_hush(struct status *status)
{
	for (unsigned i = 0; i < STATUS_COUNT; i++)
		if (!rules[i].state)
			status_take(status, i);
}

bool status_says(const struct status *status, enum status_rank rank, const char *kind,
		 const char *text)
{
	const struct status_entry *entry = &status->entries[rank];

	return entry->text && strcmp(entry->kind, kind) == 0 && strcmp(entry->text, text) == 0;
}

size_t status_pick(struct status *status, const struct status_entry **shown, size_t count)
{
	size_t n = 0;

	for (unsigned i = 0; i < STATUS_COUNT && n < count; i++)
		if (status->entries[i].text) {
			status->entries[i].seen = true;
			shown[n++] = &status->entries[i];
		}
	return n;
}

bool status_pick_answer(struct status *status, const struct status_entry **shown)
{
	struct status_entry *entry = &status->entries[STATUS_REFUSAL];

	if (!entry->text)
		entry = &status->entries[STATUS_ANSWER];
	if (!entry->text)
		return false;
	entry->seen = true;
	*shown = entry;
	return true;
}

bool status_ends_by_key(const struct status *status, const struct status_entry *entry)
{
	return rules[entry - status->entries].key;
}

bool status_is_news(enum status_rank rank)
{
	return !rules[rank].told;
}

bool status_is_state(const struct status *status, const struct status_entry *entry)
{
	return rules[entry - status->entries].state;
}

uint64_t status_expire(struct status *status, uint64_t now)
{
	uint64_t next = 0;

	for (unsigned i = 0; i < STATUS_COUNT; i++) {
		uint64_t until = status->entries[i].until;

		if (until && until <= now)
			status_take(status, i);
		else if (until && (!next || until < next))
			next = until;
	}
	return next;
}

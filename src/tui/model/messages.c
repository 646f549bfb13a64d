/* What has happened. Screen thread. */
#include "tui/model/messages.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define TEXT_KEPT 2000		 /* bytes of a message */
#define TOLD_FOR (5 * NS_PER_S) /* an answer is no news beside an event of that age */

void messages_destroy(struct messages *messages)
{
	for (size_t i = 0; i < MESSAGES_KEPT; i++) {
		free(messages->ring[i].guest);
		free(messages->ring[i].text);
	}
	memset(messages, 0, sizeof(*messages));
}

void messages_add(struct messages *messages, enum severity severity, uint64_t time,
		  const char *guest, const char *text)
{
	struct message *message = &messages->ring[messages->count % MESSAGES_KEPT];

	free(message->guest);
	free(message->text);
	message->time = time ? time : clock_wall();
	message->severity = severity;
	message->guest = guest && *guest ? strndup(guest, 100) : NULL;
	message->text = strndup(text, TEXT_KEPT);
	messages->count++;
}

static const char *or_none(const char *text)
{
	return text ? text : "";
}

/* Whether one of the texts begins with the other, or has it in itself. */
static bool is_same(const char *told, const char *text)
{
	return *told && (strncmp(text, told, strlen(told)) == 0 || strstr(told, text));
}

/* The newest that says the same; NULL: none that is new itself does. */
static struct message *find_told(struct messages *messages, const char *guest, const char *text)
{
	uint64_t since = clock_wall() - TOLD_FOR;

	for (uint64_t n = messages->count; n > messages_first(messages); n--) {
		struct message *message = &messages->ring[(n - 1) % MESSAGES_KEPT];

		if (message->time < since)
			break;
		if (strcmp(or_none(message->guest), or_none(guest)) == 0 &&
		    is_same(or_none(message->text), text))
			return message;
	}
	return NULL;
}

const struct message *messages_answer(struct messages *messages, enum severity severity,
				      const char *guest, const char *text)
{
	struct message *told = find_told(messages, guest, text);
	char *more;

	if (!told) {
		messages_add(messages, severity, 0, guest, text);
		return messages_last(messages);
	}
	told->severity = severity > told->severity ? severity : told->severity;
	more = strlen(text) > strlen(told->text) ? strndup(text, TEXT_KEPT) : NULL;
	if (more) {
		free(told->text);
		told->text = more;
	}
	return told;
}

uint64_t messages_first(const struct messages *messages)
{
	return messages->count > MESSAGES_KEPT ? messages->count - MESSAGES_KEPT : 0;
}

const struct message *messages_at(const struct messages *messages, uint64_t n)
{
	return &messages->ring[n % MESSAGES_KEPT];
}

const struct message *messages_last(const struct messages *messages)
{
	return messages->count ? messages_at(messages, messages->count - 1) : NULL;
}

const char *message_joint(const struct message *message)
{
	if (!message->guest)
		return "";
	return message->text && strncmp(message->text, "is ", 3) == 0 ? " " : ": ";
}

void message_sentence(const struct message *message, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", message->guest ? message->guest : "",
		 message_joint(message), message->text ? message->text : "");
}

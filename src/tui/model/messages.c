/* What has happened. Screen thread. */
#include "tui/model/messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

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
	message->text = strndup(text, 2000);
	messages->count++;
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

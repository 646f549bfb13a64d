/* See typing.h. */
#include "control/typing.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "control/message_text.h"

#define PIECE_MAX 64 /* bytes in one request; more than a keyboard takes */
#define SEQUENCE_MAX 16 /* the longest one that is kept together */
#define SETTLE (30 * NS_PER_MS) /* what is not whole by then never will be */
#define RETRY_FIRST (2 * NS_PER_MS)
#define RETRY_LAST (64 * NS_PER_MS)
#define ESC '\033'

static void send_some(struct typing *typing, size_t size);

/* Whether a text that begins with an escape character could go on as the sequence of a key. */
static bool is_open(const char *text, size_t size)
{
	if (size == 1)
		return true;
	if (text[1] == 'O' || (text[1] == '[' && size == 3 && text[2] == '['))
		return size < 3 || text[1] == '[';
	if (text[1] != '[')
		return false;
	for (size_t i = 2; i < size; i++)
		if (text[i] < 0x20 || text[i] > 0x3f)
			return false;
	return true;
}

/* The bytes that end in no such sequence. */
static size_t whole(const char *text, size_t size)
{
	size_t at = size, kept = size < SEQUENCE_MAX ? 0 : size - SEQUENCE_MAX;

	while (at > kept && text[at - 1] != ESC)
		at--;
	return at > kept && is_open(text + at - 1, size - at + 1) ? at - 1 : size;
}

/* What one request may have: whole sequences, as far as there are some. */
static size_t piece(const struct typing *typing)
{
	size_t size = typing->size < PIECE_MAX ? typing->size : PIECE_MAX;
	size_t good = whole(typing->text, size);

	return good || typing->size < PIECE_MAX ? good : size;
}

static void go_on(struct typing *typing)
{
	size_t size = piece(typing);

	if (typing->asked || !typing->size)
		return;
	if (size)
		send_some(typing, size);
	else
		loop_timer_set(typing->loop, &typing->again, SETTLE);
}

static void forget(struct typing *typing, size_t size)
{
	typing->size -= size;
	memmove(typing->text, typing->text + size, typing->size);
}

static void tell(struct typing *typing)
{
	if (typing->changed)
		typing->changed(typing->arg);
}

static void wait_for_guest(struct typing *typing)
{
	loop_timer_set(typing->loop, &typing->again, typing->delay);
	if (typing->delay < RETRY_LAST)
		typing->delay *= 2;
}

/* A guest that is down takes nothing: what is typed then is lost, as on a wire. */
static void answered(void *arg, json_t *result, const struct client_error *error)
{
	struct typing *typing = arg;
	json_int_t taken = json_integer_value(json_object_get(result, "taken"));

	typing->asked = false;
	if (error || taken < 0 || (size_t)taken > typing->size) {
		forget(typing, typing->size);
		return;
	}
	forget(typing, (size_t)taken);
	if (!taken) {
		wait_for_guest(typing);
		return;
	}
	typing->delay = RETRY_FIRST;
	if (typing->lost) {
		typing->lost = 0;
		tell(typing);
	}
	if (typing->size)
		wait_for_guest(typing);
}

static void send_some(struct typing *typing, size_t size)
{
	char text[PIECE_MAX + 1];

	memcpy(text, typing->text, size);
	text[size] = '\0';
	typing->asked = client_call(typing->client, "screen.type",
				    json_pack("{s:o, s:o}", "guest", message_text(typing->guest),
					      "text", message_text(text)), answered, typing) == 0;
	if (!typing->asked)
		forget(typing, typing->size);
}

/* Time to try again, or what is not whole stays so. */
static void again(void *arg)
{
	struct typing *typing = arg;
	size_t size = piece(typing);

	if (!typing->asked && typing->size)
		send_some(typing, size ? size : typing->size);
}

void typing_begin(struct typing *typing)
{
	typing->delay = RETRY_FIRST;
	typing->again = (struct loop_timer){ .fire = again, .arg = typing };
}

void typing_add(struct typing *typing, const char *text, size_t size)
{
	size_t lost = typing->lost;

	for (size_t i = 0; i < size; i++) {
		if (text[i] <= '\0')
			continue;
		if (typing->size < TYPING_MAX)
			typing->text[typing->size++] = text[i];
		else
			typing->lost++;
	}
	if (typing->lost != lost)
		tell(typing);
	go_on(typing);
}

void typing_end(struct typing *typing)
{
	loop_timer_cancel(typing->loop, &typing->again);
	typing->size = typing->lost = 0;
	typing->delay = RETRY_FIRST;
}

bool sysrq_spell(char out[SYSRQ_TEXT], const char *key)
{
	if (key[0] <= ' ' || key[0] > '~' || key[1])
		return false;
	/* Alt and PrintScreen: kitty's keyboard protocol, "Functional key definitions". */
	snprintf(out, SYSRQ_TEXT, "\033[57361;3u%s", key);
	return true;
}

/* Frames that ports hold. Screen thread. */
#include "tui/ui/held.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/message_text.h"
#include "tui/model/json.h"

static void listed(void *arg, json_t *result, const struct client_error *error)
{
	struct tui_deck *deck = arg;

	deck->held_asked = false;
	if (!error)
		netmodel_breaks(&deck->network, result);
	if (deck->held_again)
		held_ask(deck);
	tui_dirty(deck->tui);
}

void held_ask(struct tui_deck *deck)
{
	deck->held_again = deck->held_asked;
	if (!deck->held_asked)
		deck->held_asked = tui_call(deck, "port.held", NULL, listed, deck);
}

/* How many guests are paused for a breakpoint; *port: the one of the first of them. */
static size_t count_paused(const struct tui_deck *deck, const char **port)
{
	size_t count = 0;

	for (size_t i = 0; i < deck->model.guest_count; i++) {
		const struct tui_guest *guest = deck->model.guests[i];
		const char *held = json_text(guest->json, "held");

		if (!*held)
			continue;
		if (count++ == 0)
			*port = held;
	}
	return count;
}

/* "p passes it, d drops it", where the view has keys for that, or which one shows it. */
static void say_keys(const struct tui *tui, char *out, size_t size)
{
	const char *pass = keys_label(tui->keys, tui->top->ops, COMMAND_PASS, NULL);
	const char *drop = keys_label(tui->keys, tui->top->ops, COMMAND_DROP, NULL);

	if (*pass)
		snprintf(out, size, "%s passes it%s%s%s", pass, *drop ? ", " : "", drop,
			 *drop ? " drops it" : "");
	else
		snprintf(out, size, "%s shows it",
			 keys_label(tui->keys, NULL, COMMAND_OPEN, "network"));
}

void held_check(struct tui_deck *deck)
{
	const char *port = NULL, *guests = "guests are";
	size_t count = count_paused(deck, &port);
	char text[512], keys[64];

	if (!count) {
		if (netmodel_holds(&deck->network))
			held_ask(deck);
		tui_state_ended(deck->tui, STATUS_HELD);
		return;
	}
	if (count == 1)
		guests = "guest is";
	say_keys(deck->tui, keys, sizeof(keys));
	snprintf(text, sizeof(text), "Frame held at %s, %zu %s paused: %s.", port, count, guests,
		 keys);
	if (status_says(&deck->tui->status, STATUS_HELD, "", text))
		return;
	tui_state(deck->tui, STATUS_HELD, "%s", text);
	held_ask(deck);
}

/* --- orders --- */

static void broken(void *arg, json_t *result, const struct client_error *error)
{
	struct tui_deck *deck = arg;

	(void)result;
	if (error)
		tui_fail(deck->tui, error);
	held_ask(deck);
}

void held_break(struct tui_deck *deck, const char *port, const char *filter)
{
	tui_call(deck, "port.break",
		 json_pack("{s:o, s:o}", "port", message_text(port), "filter",
			   message_text(*filter ? filter : NULL)), broken, deck);
}

static char *hex_text(const uint8_t *data, size_t size)
{
	char *text = malloc(2 * size + 1);

	for (size_t i = 0; text && i < size; i++)
		snprintf(text + 2 * i, 3, "%02x", data[i]);
	return text;
}

void held_decide(struct tui_deck *deck, const char *port, uint64_t since, bool pass,
		 const uint8_t *data, size_t size)
{
	char *text = data ? hex_text(data, size) : NULL;
	json_t *params;

	for (size_t i = 0; i < deck->network.break_count; i++) {
		struct break_row *row = &deck->network.breaks[i];

		if (strcmp(row->port, port) != 0 || !row->holds || row->decided ||
		    row->since != since)
			continue;
		/* A second key is about the next frame, which has to be seen first. */
		row->decided = true;
		params = json_pack("{s:o, s:o}", "port", message_text(port), "decision",
				   message_text(pass ? "pass" : "drop"));
		if (text)
			json_object_set_new(params, "data", message_text(text));
		tui_call(deck, "port.decide", params, broken, deck);
		free(text);
		return;
	}
	free(text);
	tui_say(deck->tui, SEVERITY_WARNING, NULL, "That frame has gone on meanwhile.");
}

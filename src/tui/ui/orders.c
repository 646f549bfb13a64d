/* Orders to a guest, and leaving the screen. Screen thread. */
#include "tui/ui/orders.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"

/* What is particular about an order. */
struct order {
	const char *method;
	const char *paused; /* the order that its key gives to a paused guest, or NULL: the same */
	const char *question; /* asked first, about %s; or NULL */
	struct choice choices[2];
};

#define LOSES " It loses what it has not written to its disks yet."

static const struct order orders[] = {
	{ .method = "guest.pause", .paused = "guest.resume" },
	{ .method = "guest.off", .question = "Force %s off?" LOSES,
	  .choices = { { 'y', "force it off" }, { 0, "let it run" } } },
	{ .method = "guest.reset", .question = "Reset %s?" LOSES,
	  .choices = { { 'y', "reset it" }, { 0, "let it run" } } },
};

static const struct order *find(const char *method)
{
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		if (strcmp(orders[i].method, method) == 0)
			return &orders[i];
	return NULL;
}

static void give(struct tui_deck *deck, const char *method, const char *guest)
{
	tui_call(deck, method, json_pack("{s:s}", "guest", guest), NULL, NULL);
}

static void confirmed(void *arg, int choice, const char *text)
{
	struct tui_deck *deck = arg;

	(void)text;
	if (choice)
		give(deck, deck->tui->asked->method, deck->tui->asked_guest);
}

void order_give(struct tui_deck *deck, const char *name, const char *method)
{
	const struct tui_guest *guest = tui_guest(deck, name);
	const struct order *order = find(method);
	struct tui *tui = deck->tui;

	if (!guest)
		return;
	if (order && order->question) {
		tui->asked = order;
		snprintf(tui->asked_guest, sizeof(tui->asked_guest), "%s", name);
		prompt_ask(&tui->prompt, order->choices, confirmed, deck, order->question, name);
		return;
	}
	if (order && order->paused && guest->state == GUEST_PAUSED)
		method = order->paused;
	give(deck, method, name);
}

static void quit_reply(void *arg, json_t *result, const struct client_error *error)
{
	struct tui_deck *deck = arg;

	(void)result;
	if (!error || !error->code)
		return;
	deck->quitting = false;
	tui_fail(deck->tui, error);
}

static void quit_send(struct tui_deck *deck, const char *mode)
{
	deck->quitting = true;
	tui_call(deck, "deck.quit", json_pack("{s:s}", "mode", mode), quit_reply, deck);
}

/* Which guests are still alive, as a sentence. */
static void quit_progress(struct tui_deck *deck)
{
	char names[256] = "";
	size_t n = 0, alive = 0;

	for (size_t i = 0; i < deck->model.guest_count; i++) {
		const struct tui_guest *guest = deck->model.guests[i];

		if (!guest_state_in(guest->state, GUEST_ALIVE))
			continue;
		if (++alive <= 4 && n < sizeof(names))
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s",
					      alive > 1 ? ", " : "", guest->name);
	}
	tui_say(deck->tui, SEVERITY_WARNING, NULL,
		"Shutting down: waiting for %s%s. After 30 seconds they are forced off; %s asks "
		"whether to do so now.", names, alive > 4 ? " and others" : "",
		keys_label(deck->tui->keys, NULL, COMMAND_QUIT, NULL));
}

void quit_shutdown(struct tui_deck *deck)
{
	deck->tui->prompt.active = false;
	if (deck->quitting) {
		quit_send(deck, "off");
		return;
	}
	quit_send(deck, "shutdown");
	quit_progress(deck);
	quit_check(deck);
}

static void quit_answer(void *arg, int choice, const char *text)
{
	struct tui_deck *deck = arg;

	(void)text;
	if (choice == 'l')
		tui_finish(deck->tui, TUI_LEAVE);
	else if (choice == 's')
		quit_shutdown(deck);
	else if (choice == 'f')
		quit_send(deck, "off");
}

void quit_ask(struct tui_deck *deck)
{
	static const struct choice still[] = { { 'f', "force them off now" }, { 0, "wait" } };
	static const struct choice one[] = { { 'l', "leave it running" }, { 's', "shut it down" },
					     { 0, "stay" } };
	static const struct choice many[] = { { 'l', "leave them running" },
					      { 's', "shut them down" }, { 0, "stay" } };
	size_t alive = model_alive(&deck->model);
	struct tui *tui = deck->tui;

	if (deck->quitting)
		prompt_ask(&tui->prompt, still, quit_answer, deck,
			   "Guests are still shutting down.");
	else if (!deck->model.guests_known)
		tui_finish(tui, TUI_LEAVE);
	else if (alive == 0)
		tui_finish(tui, TUI_QUIT);
	else
		prompt_ask(&tui->prompt, alive == 1 ? one : many, quit_answer, deck,
			   "%zu guest%s running.", alive, alive == 1 ? " is" : "s are");
}

void quit_check(struct tui_deck *deck)
{
	if (deck->quitting && deck->model.guests_known && model_alive(&deck->model) == 0)
		tui_finish(deck->tui, TUI_QUIT);
}

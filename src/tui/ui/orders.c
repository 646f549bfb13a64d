/* Orders to a guest, and leaving the screen. Screen thread. */
#include "tui/ui/orders.h"

#include <stdio.h>

#include "tui/ui/edit.h"

static void order(struct tui_deck *deck, const char *method, const char *guest)
{
	tui_call(deck, method, json_pack("{s:s}", "guest", guest), NULL, NULL);
}

/* The question keeps the guest that it was asked about. */
static const char *asked_guest(struct tui_deck *deck)
{
	return deck->tui->asked_guest;
}

static void ask_about(struct tui_deck *deck, const char *guest)
{
	snprintf(deck->tui->asked_guest, sizeof(deck->tui->asked_guest), "%s", guest);
}

static void off_answer(void *arg, int choice, const char *text)
{
	struct tui_deck *deck = arg;

	(void)text;
	if (choice == 'y')
		order(deck, "guest.off", asked_guest(deck));
}

static void reset_answer(void *arg, int choice, const char *text)
{
	struct tui_deck *deck = arg;

	(void)text;
	if (choice == 'y')
		order(deck, "guest.reset", asked_guest(deck));
}

static void pause_or_resume(struct tui_deck *deck, const struct tui_guest *guest)
{
	order(deck, guest->state == GUEST_PAUSED ? "guest.resume" : "guest.pause", guest->name);
}

void order_command(struct tui_deck *deck, const char *name, enum command command)
{
	const struct tui_guest *guest;

	if (command < COMMAND_START)
		return;
	guest = tui_guest(deck, name);
	if (!guest)
		return;
	switch (command) {
	case COMMAND_START:
		order(deck, "guest.start", name);
		break;
	case COMMAND_POWER:
		order(deck, "guest.stop", name);
		break;
	case COMMAND_PAUSE:
		pause_or_resume(deck, guest);
		break;
	case COMMAND_OFF:
		ask_about(deck, name);
		prompt_ask(&deck->tui->prompt, "y", off_answer, deck,
			   "Force %s off? It loses what it has not written to its disks yet. "
			   "y: force it off, any other key: let it run", name);
		break;
	case COMMAND_RESET:
		ask_about(deck, name);
		prompt_ask(&deck->tui->prompt, "y", reset_answer, deck,
			   "Reset %s? It loses what it has not written to its disks yet. "
			   "y: reset it, any other key: let it run", name);
		break;
	case COMMAND_EDIT:
		editor_start(deck, name);
		break;
	default:
		break;
	}
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
		"Shutting down: waiting for %s%s. After 30 seconds they are forced off; q asks "
		"whether to do so now.", names, alive > 4 ? " and others" : "");
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
	size_t alive = model_alive(&deck->model);

	if (deck->quitting) {
		prompt_ask(&deck->tui->prompt, "f", quit_answer, deck,
			   "Guests are still shutting down. f: force them off now, any other key: "
			   "wait");
		return;
	}
	if (!deck->model.guests_known) {
		tui_finish(deck->tui, TUI_LEAVE);
		return;
	}
	if (alive == 0) {
		tui_finish(deck->tui, TUI_QUIT);
		return;
	}
	prompt_ask(&deck->tui->prompt, "ls", quit_answer, deck,
		   "%zu guest%s running. l: leave %s running, s: shut %s down, any other key: stay",
		   alive, alive == 1 ? " is" : "s are", alive == 1 ? "it" : "them",
		   alive == 1 ? "it" : "them");
}

void quit_check(struct tui_deck *deck)
{
	if (deck->quitting && deck->model.guests_known && model_alive(&deck->model) == 0)
		tui_finish(deck->tui, TUI_QUIT);
}

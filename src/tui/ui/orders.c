/* Orders to a guest, and leaving the screen. Screen thread. */
#include "tui/ui/orders.h"

#include <stdio.h>

#include "tui/ui/edit.h"

static void order(struct tui *tui, const char *method, const char *guest)
{
	tui_call(tui, method, json_pack("{s:s}", "guest", guest), NULL);
}

/* The question keeps the guest that it was asked about. */
static const char *asked_guest(struct tui *tui)
{
	return tui->asked_guest;
}

static void ask_about(struct tui *tui, const char *guest)
{
	snprintf(tui->asked_guest, sizeof(tui->asked_guest), "%s", guest);
}

static void off_answer(struct tui *tui, int choice, const char *text)
{
	(void)text;
	if (choice == 'y')
		order(tui, "guest.off", asked_guest(tui));
}

static void reset_answer(struct tui *tui, int choice, const char *text)
{
	(void)text;
	if (choice == 'y')
		order(tui, "guest.reset", asked_guest(tui));
}

static void pause_or_resume(struct tui *tui, const struct tui_guest *guest)
{
	order(tui, guest->state == GUEST_PAUSED ? "guest.resume" : "guest.pause", guest->name);
}

const struct tui_guest *order_guest(struct tui *tui, const char *name)
{
	const struct tui_guest *guest = model_find(&tui->model, name);

	if (!guest)
		tui_say(tui, SEVERITY_WARNING, NULL, "No guest is selected.");
	return guest;
}

void order_command(struct tui *tui, const char *name, enum command command)
{
	const struct tui_guest *guest;

	if (command < COMMAND_START)
		return;
	guest = order_guest(tui, name);
	if (!guest)
		return;
	switch (command) {
	case COMMAND_START:
		order(tui, "guest.start", name);
		break;
	case COMMAND_POWER:
		order(tui, "guest.stop", name);
		break;
	case COMMAND_PAUSE:
		pause_or_resume(tui, guest);
		break;
	case COMMAND_OFF:
		ask_about(tui, name);
		prompt_ask(&tui->prompt, "y", off_answer,
			   "Force %s off? It loses what it has not written to its disks yet. "
			   "y: force it off, any other key: let it run", name);
		break;
	case COMMAND_RESET:
		ask_about(tui, name);
		prompt_ask(&tui->prompt, "y", reset_answer,
			   "Reset %s? It loses what it has not written to its disks yet. "
			   "y: reset it, any other key: let it run", name);
		break;
	case COMMAND_EDIT:
		editor_start(tui, name);
		break;
	default:
		break;
	}
}

static void quit_reply(void *arg, json_t *result, const struct client_error *error)
{
	struct tui *tui = arg;

	(void)result;
	if (!error || !error->code)
		return;
	tui->quitting = false;
	tui_fail(tui, error);
}

static void quit_send(struct tui *tui, const char *mode)
{
	tui->quitting = true;
	tui_call(tui, "deck.quit", json_pack("{s:s}", "mode", mode), quit_reply);
}

/* Which guests are still alive, as a sentence. */
static void quit_progress(struct tui *tui)
{
	char names[256] = "";
	size_t n = 0, alive = 0;

	for (size_t i = 0; i < tui->model.guest_count; i++) {
		const struct tui_guest *guest = tui->model.guests[i];

		if (!guest_state_in(guest->state, GUEST_ALIVE))
			continue;
		if (++alive <= 4 && n < sizeof(names))
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s",
					      alive > 1 ? ", " : "", guest->name);
	}
	tui_say(tui, SEVERITY_WARNING, NULL,
		"Shutting down: waiting for %s%s. After 30 seconds they are forced off; q asks "
		"whether to do so now.", names, alive > 4 ? " and others" : "");
}

void quit_shutdown(struct tui *tui)
{
	tui->prompt.active = false;
	if (tui->quitting) {
		quit_send(tui, "off");
		return;
	}
	quit_send(tui, "shutdown");
	quit_progress(tui);
	quit_check(tui);
}

static void quit_answer(struct tui *tui, int choice, const char *text)
{
	(void)text;
	if (choice == 'l')
		tui_finish(tui, TUI_LEAVE);
	else if (choice == 's')
		quit_shutdown(tui);
	else if (choice == 'f')
		quit_send(tui, "off");
}

void quit_ask(struct tui *tui)
{
	size_t alive = model_alive(&tui->model);

	if (tui->quitting) {
		prompt_ask(&tui->prompt, "f", quit_answer,
			   "Guests are still shutting down. f: force them off now, any other key: "
			   "wait");
		return;
	}
	if (!tui->model.guests_known) {
		tui_finish(tui, TUI_LEAVE);
		return;
	}
	if (alive == 0) {
		tui_finish(tui, TUI_QUIT);
		return;
	}
	prompt_ask(&tui->prompt, "ls", quit_answer,
		   "%zu guest%s running. l: leave %s running, s: shut %s down, any other key: stay",
		   alive, alive == 1 ? " is" : "s are", alive == 1 ? "it" : "them",
		   alive == 1 ? "it" : "them");
}

void quit_check(struct tui *tui)
{
	if (tui->quitting && tui->model.guests_known && model_alive(&tui->model) == 0)
		tui_finish(tui, TUI_QUIT);
}

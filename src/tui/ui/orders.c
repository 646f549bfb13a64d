/* Orders to a guest, and leaving the screen. Screen thread. */
#include "tui/ui/orders.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/sentence.h"
#include "control/message_text.h"
#include "control/methods.h"
#include "tui/model/json.h"

#define NAMED_MOST 4 /* guests in a sentence */
#define NAMES_SIZE 256
#define SHUTDOWN_NS (30 * NS_PER_S)

static void give(struct tui_deck *deck, const struct method *method, const char *guest)
{
	tui_ordered(deck->tui, guest);
	tui_call(deck, method->name, json_pack("{s:o}", "guest", message_text(guest)), NULL, NULL);
}

static void confirmed(void *arg, int choice, const char *text)
{
	struct tui_deck *deck = arg;

	(void)text;
	if (choice)
		give(deck, deck->tui->asked, deck->tui->asked_guest);
}

/* What a reset does beside that: a profile that has changed is applied, or cannot be. */
static void profile_part(const struct tui_guest *guest, char out[200])
{
	const char *pending = json_text(guest->json, "pending");

	*out = '\0';
	if (*pending)
		snprintf(out, 200, ", and gets its profile's new %s", pending);
	else if (json_array_size(json_object_get(guest->json, "mistakes")))
		snprintf(out, 200, ", and keeps its old profile, as the new one has mistakes");
}

/* "force it off": "Force web off? It loses ..." */
static void ask(struct tui_deck *deck, const struct method *method, const char *guest)
{
	const char *what = method->order->confirm, *it = strstr(what, " it");
	const struct tui_guest *shown = tui_guest(deck, guest);
	bool paused = shown && shown->state == GUEST_PAUSED;
	struct tui *tui = deck->tui;
	char profile[200] = "";

	if (method == &method_table[METHOD_GUEST_RESET])
		profile_part(shown, profile);
	tui->asked = method;
	snprintf(tui->asked_guest, sizeof(tui->asked_guest), "%s", guest);
	tui->asked_choices[0] = (struct choice){ 'y', what };
	tui->asked_choices[1] = (struct choice){ 0, paused ? "leave it paused" : "let it run" };
	prompt_ask(&tui->prompt, tui->asked_choices, confirmed, deck,
		   "%c%.*s %s%s?%s%s%s",
		   toupper((unsigned char)*what), (int)(it - what) - 1, what + 1, guest,
		   it + strlen(" it"), method->order->loses ?
		   " It loses what it has not written to its disks yet" : "", profile,
		   method->order->loses ? "." : "");
}

/* The order that is meant: its counterpart where that alone is legal. */
static const struct method *fitting(const struct method *method, enum guest_state state)
{
	const struct method *other = method->order->counterpart ?
		&method_table[method->order->counterpart] : NULL;

	return other && !guest_state_in(state, method->states) &&
	       guest_state_in(state, other->states) ? other : method;
}

/* --- a start of a guest with encrypted disks: their passphrases come first --- */

static void unlock(struct tui_deck *deck, const struct tui_guest *guest, size_t disk);

static void unlocked(void *arg, json_t *result, const struct client_error *error)
{
	struct tui_deck *deck = arg;
	const struct tui_guest *guest = tui_guest(deck, deck->unlocking);

	(void)result;
	deck->unlocking[0] = '\0';
	if (error)
		tui_fail(deck->tui, error);
	else if (guest)
		unlock(deck, guest, deck->unlocking_disk + 1);
}

static void secret_typed(void *arg, int choice, const char *text)
{
	struct tui_deck *deck = arg;
	const struct tui *tui = deck->tui;

	(void)choice;
	if (!text)
		return;
	/* Other questions may come before the answer. */
	snprintf(deck->unlocking, sizeof(deck->unlocking), "%s", tui->asked_guest);
	deck->unlocking_disk = tui->asked_disk;
	if (!tui_call(deck, "guest.unlock",
		      json_pack("{s:o, s:o, s:o}", "guest", message_text(tui->asked_guest),
				"device", message_text(tui->asked_device),
				"secret", message_text(text)), unlocked, deck))
		deck->unlocking[0] = '\0';
}

/* The first one from there on whose passphrase is missing; *disk is its place. Or NULL. */
static const json_t *find_locked(const json_t *disks, size_t *disk)
{
	const json_t *row;

	for (; (row = json_array_get(disks, *disk)); ++*disk)
		if (json_is_true(json_object_get(row, "locked")))
			return row;
	return NULL;
}

static void ask_for_secret(struct tui_deck *deck, const char *guest, const json_t *row, size_t disk)
{
	struct tui *tui = deck->tui;

	snprintf(tui->asked_guest, sizeof(tui->asked_guest), "%s", guest);
	tui->asked_disk = disk;
	snprintf(tui->asked_device, sizeof(tui->asked_device), "%s", json_text(row, "name"));
	prompt_secret(&tui->prompt, secret_typed, deck, "%s: passphrase of %s, %.400s:", guest,
		      tui->asked_device, json_text(row, "path"));
}

/* Where nothing can be asked the start says what it lacks. */
static void shown(void *arg, json_t *result, const struct client_error *error)
{
	struct tui_deck *deck = arg;
	size_t disk = deck->unlocking_disk;
	const json_t *row = find_locked(json_object_get(result, "disks"), &disk);
	char guest[sizeof(deck->unlocking)];

	memcpy(guest, deck->unlocking, sizeof(guest));
	deck->unlocking[0] = '\0';
	if (error)
		tui_fail(deck->tui, error);
	else if (row && !deck->tui->prompt.active)
		ask_for_secret(deck, guest, row, disk);
	else
		give(deck, &method_table[METHOD_GUEST_START], guest);
}

/*
 * Disks before that one are unlocked; when all are, it starts. Which images are there the deck
 * looks at when the guest is shown.
 */
static void unlock(struct tui_deck *deck, const struct tui_guest *guest, size_t disk)
{
	size_t first = disk;

	if (strcmp(deck->unlocking, guest->name) == 0)
		return;
	if (*deck->unlocking || !find_locked(json_object_get(guest->json, "disks"), &first)) {
		give(deck, &method_table[METHOD_GUEST_START], guest->name);
		return;
	}
	snprintf(deck->unlocking, sizeof(deck->unlocking), "%s", guest->name);
	deck->unlocking_disk = disk;
	if (!tui_call(deck, "guest.show", json_pack("{s:o}", "guest", message_text(guest->name)),
		      shown, deck))
		deck->unlocking[0] = '\0';
}

/* On the way to its next start or not: the deck knows. */
enum guest_state order_state(const struct tui_guest *guest)
{
	return guest->state == GUEST_STOPPING && guest->restarts ? GUEST_RUNNING : guest->state;
}

void order_give(struct tui_deck *deck, const char *name, const char *order)
{
	const struct tui_guest *guest = tui_guest(deck, name);
	const struct method *method = method_find(order);
	struct cause cause;

	if (!guest)
		return;
	method = fitting(method, guest->state);
	/* What is dangerous is neither asked of nor given to a guest that is not there for it. */
	if (method->order->confirm &&
	    method_check_state(method, name, order_state(guest), &cause) < 0)
		tui_say(deck->tui, SEVERITY_ERROR, NULL, "%s", cause.text);
	else if (method->order->confirm)
		ask(deck, method, name);
	else if (method == &method_table[METHOD_GUEST_START])
		unlock(deck, guest, 0);
	else
		give(deck, method, name);
}

/* "db, web", of guests that are asked for: at most four of them. Returns how many there are. */
static size_t name_guests(const struct tui_deck *deck, bool (*asked)(const struct tui_guest *guest),
			  char *out, size_t size)
{
	size_t count = 0;

	*out = '\0';
	for (size_t i = 0; i < deck->model.guest_count; i++) {
		const struct tui_guest *guest = deck->model.guests[i];

		if (asked(guest) && ++count <= NAMED_MOST)
			sentence_add(out, size, strlen(out), "%s%s", count > 1 ? ", " : "",
				     guest->name);
	}
	if (count > NAMED_MOST)
		sentence_add(out, size, strlen(out), " and others");
	return count;
}

static bool is_alive(const struct tui_guest *guest)
{
	return guest_state_in(guest->state, GUEST_ALIVE);
}

static bool is_pressed(const struct tui_guest *guest)
{
	uint64_t pressed = json_count(guest->json, "pressed"), now = clock_wall();

	return is_alive(guest) && pressed && now - pressed < SHUTDOWN_NS;
}

/* Which guests are still alive, as a sentence. */
static void quit_progress(struct tui_deck *deck)
{
	char names[NAMES_SIZE];
	size_t alive = name_guests(deck, is_alive, names, sizeof(names));

	if (deck->forcing) {
		tui_state(deck->tui, STATUS_SHUTDOWN, "Forcing %s off.", alive ? names : "its guests");
		return;
	}
	tui_state(deck->tui, STATUS_SHUTDOWN,
		  "Shutting down: waiting for %s. After 30 seconds %s forced off; %s asks "
		  "whether to do so now.", alive ? names : "its guests",
		  alive == 1 ? "it is" : "they are",
		  keys_label(deck->tui->keys, NULL, COMMAND_QUIT, NULL));
}

static void quit_reply(void *arg, json_t *result, const struct client_error *error)
{
	struct tui_deck *deck = arg;

	(void)result;
	if (!error || !error->code)
		return;
	deck->quitting = deck->forcing = false;
	tui_state_ended(deck->tui, STATUS_SHUTDOWN);
	tui_fail(deck->tui, error);
}

static void quit_send(struct tui_deck *deck, const char *mode)
{
	deck->quitting = true;
	deck->forcing = strcmp(mode, "off") == 0;
	tui_call(deck, "deck.quit", json_pack("{s:o}", "mode", message_text(mode)), quit_reply, deck);
	quit_check(deck);
}

static void quit_shutdown(struct tui_deck *deck)
{
	deck->tui->prompt.active = false;
	quit_send(deck, deck->quitting ? "off" : "shutdown");
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

/* "2 guests are running, 1 is paused." */
static void ask_to_leave(struct tui_deck *deck, size_t running, size_t paused)
{
	static const char *const leave[][2] = {
		{ "leave it running", "leave it paused" },
		{ "leave them running", "leave them paused" },
	};
	bool many = running + paused > 1, mixed = running && paused;
	struct tui *tui = deck->tui;
	char text[96];

	tui->asked_choices[0] = (struct choice){ 'l', mixed ? "leave them as they are" :
							      leave[many][!running] };
	tui->asked_choices[1] = (struct choice){ 's', many ? "shut them down" : "shut it down" };
	tui->asked_choices[2] = (struct choice){ 0, "stay" };
	if (mixed)
		snprintf(text, sizeof(text), "%zu guest%s running, %zu %s paused", running,
			 running > 1 ? "s are" : " is", paused, paused > 1 ? "are" : "is");
	else
		snprintf(text, sizeof(text), "%zu guest%s %s", running + paused,
			 many ? "s are" : " is", running ? "running" : "paused");
	prompt_ask(&tui->prompt, tui->asked_choices, quit_answer, deck, "%s.", text);
}

void quit_ask(struct tui_deck *deck)
{
	static const struct choice still[] = { { 'f', "force them off now" }, { 0, "wait" } };
	size_t paused = model_count(&deck->model, GUEST_IN(GUEST_PAUSED));
	size_t alive = model_count(&deck->model, GUEST_ALIVE);
	struct tui *tui = deck->tui;

	if (deck->config->read_only)
		tui_finish(tui, TUI_LEAVE);
	else if (deck->quitting || deck->ending)
		prompt_ask(&tui->prompt, still, quit_answer, deck,
			   "Guests are still shutting down.");
	else if (!deck->model.guests_known)
		tui_finish(tui, TUI_LEAVE);
	else if (alive == 0)
		tui_finish(tui, TUI_QUIT);
	else
		ask_to_leave(deck, alive - paused, paused);
}

void quit_ask_off(struct tui_deck *deck)
{
	static const struct choice choices[] = { { 'f', "force them off" }, { 0, "let them run" } };
	char names[NAMES_SIZE];

	if (name_guests(deck, is_alive, names, sizeof(names)))
		prompt_ask(&deck->tui->prompt, choices, quit_answer, deck, "Force %s off and end the "
			   "deck? What is not written to disks yet is lost.", names);
	else
		quit_send(deck, "off");
}

void quit_check(struct tui_deck *deck)
{
	if (!deck->quitting)
		return;
	if (deck->model.guests_known && !model_count(&deck->model, GUEST_ALIVE))
		tui_finish(deck->tui, TUI_QUIT);
	else
		quit_progress(deck);
}

void power_check(struct tui_deck *deck)
{
	char names[NAMES_SIZE], text[NAMES_SIZE + 32];

	/* All are waited for then. */
	if (deck->ending || deck->quitting || !name_guests(deck, is_pressed, names, sizeof(names))) {
		tui_state_ended(deck->tui, STATUS_POWER);
		return;
	}
	snprintf(text, sizeof(text), "Waiting for %s to shut down.", names);
	if (!status_says(&deck->tui->status, STATUS_POWER, "", text))
		tui_state(deck->tui, STATUS_POWER, "%s", text);
}

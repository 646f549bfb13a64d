/* See profiles.h. */
#include "tui/ui/profiles.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "control/profile_file.h"
#include "tui/model/json.h"

/* The guest that is asked about, if it has a profile; NULL after a message. */
static const struct tui_guest *find(struct tui_deck *deck, const char *name)
{
	const struct tui_guest *guest = tui_guest(deck, name);

	if (!guest)
		return NULL;
	snprintf(deck->tui->asked_guest, sizeof(deck->tui->asked_guest), "%s", guest->name);
	if (*json_text(guest->json, "profile"))
		return guest;
	tui_say(deck->tui, SEVERITY_WARNING, guest->name, "%s is built in, and has no profile.",
		guest->name);
	return NULL;
}

/* The same of one that does not run. */
static const struct tui_guest *find_idle(struct tui_deck *deck, const char *name)
{
	const struct tui_guest *guest = find(deck, name);

	if (!guest || !guest_state_in(guest->state, GUEST_ALIVE))
		return guest;
	tui_say(deck->tui, SEVERITY_WARNING, guest->name, "%s runs; shut it down first.",
		guest->name);
	return NULL;
}

/* The disks that both would write to, of a guest that was copied. */
static void say_shared(struct tui_deck *deck, const struct tui_guest *guest, const char *name)
{
	const json_t *disks = json_object_get(guest->json, "disks");
	char text[600] = "";
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(disks) && n < sizeof(text); i++) {
		const json_t *disk = json_array_get(disks, i);

		if (!json_bool(disk, "readonly") && *json_text(disk, "path"))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? ", " : "",
					      json_text(disk, "path"));
	}
	if (n)
		tui_say(deck->tui, SEVERITY_WARNING, NULL,
			"%s is a copy of %s, and has its disks, which "
			"one guest at a time can use: %s. Edit it to give it others.",
			name, guest->name, text);
	else
		tui_say(deck->tui, SEVERITY_GOOD, NULL, "%s is a copy of %s.", name, guest->name);
}

static void copy_named(void *arg, int choice, const char *name)
{
	struct tui_deck *deck = arg;
	const struct tui_guest *guest = name ? find(deck, deck->tui->asked_guest) : NULL;
	char path[PATH_MAX];
	struct cause cause;

	(void)choice;
	if (!guest)
		return;
	if (profile_file_copy(json_text(guest->json, "profile"), name, path, &cause) < 0)
		tui_say(deck->tui, SEVERITY_ERROR, NULL, "%s", cause.text);
	else
		say_shared(deck, guest, name);
}

void profile_copy(struct tui_deck *deck, const char *name)
{
	const struct tui_guest *guest = find(deck, name);
	char question[128];

	if (!guest)
		return;
	snprintf(question, sizeof(question), "Name of the copy of %.60s:", guest->name);
	prompt_line(&deck->tui->prompt, "", copy_named, deck, question);
}

static void renamed(void *arg, int choice, const char *name)
{
	struct tui_deck *deck = arg;
	const struct tui_guest *guest = name ? find_idle(deck, deck->tui->asked_guest) : NULL;
	char path[PATH_MAX];
	struct cause cause;

	(void)choice;
	if (!guest || strcmp(name, guest->name) == 0)
		return;
	if (profile_file_rename(json_text(guest->json, "profile"), name, path, &cause) < 0)
		tui_say(deck->tui, SEVERITY_ERROR, NULL, "%s", cause.text);
	else
		tui_say(deck->tui, SEVERITY_GOOD, NULL, "%s is called %s now.", guest->name, name);
}

void profile_rename(struct tui_deck *deck, const char *name)
{
	const struct tui_guest *guest = find_idle(deck, name);
	char question[128];

	if (!guest)
		return;
	snprintf(question, sizeof(question), "New name of %.60s:", guest->name);
	prompt_line(&deck->tui->prompt, guest->name, renamed, deck, question);
}

static void deleted(void *arg, int choice, const char *text)
{
	struct tui_deck *deck = arg;
	const struct tui_guest *guest = choice ? find_idle(deck, deck->tui->asked_guest) : NULL;
	struct cause cause;

	(void)text;
	if (!guest)
		return;
	if (profile_file_remove(json_text(guest->json, "profile"), &cause) < 0)
		tui_say(deck->tui, SEVERITY_ERROR, NULL, "%s", cause.text);
	else
		tui_say(deck->tui, SEVERITY_GOOD, NULL,
			"The profile of %s is gone; its disks' images "
			"are where they were.",
			guest->name);
}

void profile_delete(struct tui_deck *deck, const char *name)
{
	static const struct choice choices[] = { { 'y', "delete it" }, { 0, "leave it" } };
	const struct tui_guest *guest = find_idle(deck, name);

	if (guest)
		prompt_ask(&deck->tui->prompt, choices, deleted, deck,
			   "Delete the profile of %.60s? "
			   "The images of its disks stay.",
			   guest->name);
}

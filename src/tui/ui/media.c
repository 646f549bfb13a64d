/*
 * The key for a guest's CD-ROM drive: which one, if there are several; out with its medium or
 * in with another; the path. What the deck refuses unless it is forced is asked again.
 * Screen thread.
 */
#include "tui/ui/media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/paths.h"
#include "control/message_text.h"
#include "control/methods.h"
#include "tui/model/json.h"

#define DRIVES_MAX 9 /* a digit each */

struct media {
	struct tui_deck *deck;
	char guest[128], drive[16];
	char names[DRIVES_MAX][16]; /* of the guest's drives */
	struct choice choices[DRIVES_MAX + 1];
	char typed[PROMPT_TEXT]; /* the path, until it was of use */
	char path[PATH_MAX];	 /* or "": the medium is to come out */
	bool asked;		 /* the deck, which has not answered yet */
};

/* --- what is asked of the deck --- */

static void exchange(struct media *media, bool force);

static void forced(void *arg, int choice, const char *text)
{
	(void)text;
	if (choice)
		exchange(arg, true);
}

static void exchanged(void *arg, json_t *result, const struct client_error *error)
{
	static const struct choice choices[] = { { 'f', "take it all the same" },
						 { 0, "wait for the guest" } };
	struct media *media = arg;
	struct tui *tui = media->deck->tui;

	(void)result;
	media->asked = false;
	if (!error)
		media->typed[0] = '\0';
	else if (!strstr(error->message, "--force") || tui->prompt.active)
		tui_fail(tui, error);
	else
		prompt_ask(&tui->prompt, choices, forced, media, "%s holds the medium of %s, and "
			   "has been asked to let go of it.", media->guest, media->drive);
	tui_dirty(tui);
}

static void exchange(struct media *media, bool force)
{
	json_t *params = json_pack("{s:o, s:o, s:b}", "guest", message_text(media->guest),
				   "device", message_text(media->drive), "force", force);

	if (*media->path)
		json_object_set_new(params, "path", message_text(media->path));
	media->asked = tui_call(media->deck, *media->path ? "guest.insert" : "guest.eject", params,
				exchanged, media);
}

/* --- what is asked of the person --- */

static void path_typed(void *arg, int choice, const char *text)
{
	struct media *media = arg;
	struct cause cause;

	(void)choice;
	if (!text)
		return;
	snprintf(media->typed, sizeof(media->typed), "%s", text);
	if (!*text)
		return;
	if (paths_typed(media->path, text, &cause) < 0)
		tui_say(media->deck->tui, SEVERITY_ERROR, media->guest, "%s", cause.text);
	else
		exchange(media, false);
}

static void ask_path(struct media *media)
{
	char question[256];

	snprintf(question, sizeof(question), "Image for %s of %s:", media->drive, media->guest);
	prompt_line(&media->deck->tui->prompt, media->typed, path_typed, media, question);
}

static void medium_chosen(void *arg, int choice, const char *text)
{
	struct media *media = arg;

	(void)text;
	media->path[0] = '\0';
	if (choice == 'e')
		exchange(media, false);
	else if (choice == 'i')
		ask_path(media);
}

static void ask_medium(struct media *media, const json_t *disk)
{
	static const struct choice choices[] = { { 'e', "take it out" }, { 'i', "put another in" },
						 { 0, "leave it" } };

	snprintf(media->drive, sizeof(media->drive), "%s", json_text(disk, "name"));
	if (*json_text(disk, "path"))
		prompt_ask(&media->deck->tui->prompt, choices, medium_chosen, media,
			   "%s of %s has %.400s.", media->drive, media->guest,
			   json_text(disk, "path"));
	else
		ask_path(media);
}

/* A drive of the guest's, from the first on, or NULL. */
static const json_t *find_drive(const struct tui_guest *guest, size_t number)
{
	const json_t *disk;
	size_t i;

	json_array_foreach(json_object_get(guest->json, "disks"), i, disk)
		if (json_bool(disk, "cdrom") && number-- == 0)
			return disk;
	return NULL;
}

static void drive_chosen(void *arg, int choice, const char *text)
{
	struct media *media = arg;
	const struct tui_guest *guest = choice ? tui_guest(media->deck, media->guest) : NULL;
	const json_t *disk = guest ? find_drive(guest, (size_t)(choice - '1')) : NULL;

	(void)text;
	if (disk)
		ask_medium(media, disk);
}

static void ask_drive(struct media *media, const struct tui_guest *guest)
{
	const json_t *disk;
	unsigned n;

	for (n = 0; n < DRIVES_MAX && (disk = find_drive(guest, n)); n++) {
		snprintf(media->names[n], sizeof(media->names[n]), "%s", json_text(disk, "name"));
		media->choices[n] = (struct choice){ (char)('1' + n), media->names[n] };
	}
	media->choices[n] = (struct choice){ 0, "none" };
	prompt_ask(&media->deck->tui->prompt, media->choices, drive_chosen, media,
		   "Which drive of %s?", media->guest);
}

void media_ask(struct tui_deck *deck, const char *name)
{
	const struct tui_guest *guest = tui_guest(deck, name);
	const struct method *method = &method_table[METHOD_GUEST_INSERT];
	struct tui *tui = deck->tui;
	struct cause cause;

	if (!guest)
		return;
	if (!find_drive(guest, 0)) {
		tui_say(tui, SEVERITY_WARNING, name, "it has no CD-ROM drive; a disk with cdrom=yes "
			"in its profile is one.");
		return;
	}
	if (method_check_state(method, name, guest->state, &cause) < 0) {
		tui_say(tui, SEVERITY_ERROR, NULL, "%s", cause.text);
		return;
	}
	if (!tui->media)
		tui->media = calloc(1, sizeof(*tui->media));
	if (!tui->media) {
		tui_say(tui, SEVERITY_ERROR, name, "There is no memory to ask about its drive.");
		return;
	}
	if (tui->media->asked) {
		tui_say(tui, SEVERITY_WARNING, tui->media->guest, "the deck is still busy with its "
			"drive.");
		return;
	}
	tui->media->deck = deck;
	snprintf(tui->media->guest, sizeof(tui->media->guest), "%s", name);
	if (find_drive(guest, 1))
		ask_drive(tui->media, guest);
	else
		ask_medium(tui->media, find_drive(guest, 0));
}

void media_stop(struct tui *tui)
{
	free(tui->media);
	tui->media = NULL;
}

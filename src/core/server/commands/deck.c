/* The commands of the deck as a whole. Deck thread. */
#include "core/server/commands/commands.h"

#include <config.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/endpoint.h"
#include "control/message.h"
#include "core/deck/check.h"
#include "core/server/aside.h"
#include "core/server/json.h"

static int hello(struct request *request, struct cause *cause)
{
	const char *role = param_string(request, "role");
	char host[256] = "";

	if (param_integer(request, "version", 0) != CONTROL_VERSION)
		return cause_set(cause, EPROTONOSUPPORT, "version: this deck speaks version %d of "
				 "the protocol; use a client of vmdeck " PACKAGE_VERSION,
				 CONTROL_VERSION);
	/* A connection can give up the right to change things, and not take it back. */
	if (role && strcmp(role, "observe") == 0)
		request->peer->role = METHOD_OBSERVE;
	gethostname(host, sizeof(host) - 1);
	request->result = json_pack("{s:i, s:o, s:i, s:o, s:o}", "version", CONTROL_VERSION,
				    "program", message_text(PACKAGE_NAME " " PACKAGE_VERSION),
				    "pid", (int)getpid(), "host", message_text(host),
				    "deck", message_text(deck_name(request->deck)));
	return 0;
}

#define NOTES_MAX 256 /* sentences of one kind of one reading */

struct notes {
	json_t *news, *standing;
};

static bool has(const json_t *array, const json_t *sentence)
{
	const json_t *one;
	size_t i;

	json_array_foreach(array, i, one)
		if (json_equal(one, sentence))
			return true;
	return false;
}

static void add_note(void *arg, const char *sentence, bool stands)
{
	const struct notes *notes = arg;
	json_t *array = stands ? notes->standing : notes->news, *text;

	if (json_array_size(array) == NOTES_MAX)
		return;
	text = message_text(sentence);
	if (!stands || !has(notes->news, text))
		json_array_append(array, text);
	json_decref(text);
}

static int reload(struct request *request, struct cause *cause)
{
	struct notes list = { .news = json_array(), .standing = json_array() };
	const struct deck_notes notes = { .add = add_note, .arg = &list };
	json_int_t count = 0;
	int error = deck_reload(request->deck, &notes, cause);

	if (error < 0) {
		json_decref(list.news);
		json_decref(list.standing);
		return error;
	}
	while (deck_guest(request->deck, (size_t)count))
		count++;
	request->result = json_pack("{s:I, s:o, s:o}", "guests", count, "notes", list.news,
				    "standing", list.standing);
	return 0;
}

static int quit(struct request *request, struct cause *cause)
{
	const char *mode = param_string(request, "mode");
	struct leave *leave = &request->server->leave;
	pid_t client = 0;

	(void)cause;
	if (strcmp(mode, "idle") == 0) {
		endpoint_check_peer(request->peer->fd, &client, NULL);
		request->result = json_pack("{s:b}", "ends", leave_client(leave, client));
		return 0;
	}
	leave_end(leave, strcmp(mode, "off") == 0);
	return 0;
}

/* Reading a file may wait for a disk. */
struct check {
	struct deck_config config;
	struct profile_report report;
	char path[];
};

static void check_work(void *arg)
{
	struct check *check = arg;

	deck_check(&check->config, check->path, &check->report);
}

static int check_finish(void *arg, struct deck *deck, json_t **result, struct cause *cause)
{
	const struct check *check = arg;

	(void)deck;
	(void)cause;
	*result = json_pack("{s:o, s:o}", "mistakes", mistakes_json(&check->report), "warnings",
			    warnings_json(&check->report));
	return 0;
}

static void check_release(void *arg)
{
	struct check *check = arg;

	profile_report_free(&check->report);
	free(check);
}

static int check_profile(struct request *request, struct cause *cause)
{
	static const struct aside_kind kind = { .work = check_work, .finish = check_finish,
						.release = check_release };
	const char *path = param_string(request, "path");
	struct check *check;
	int error;

	if (path[0] != '/')
		return cause_set(cause, EINVAL, "path: '%s' must begin with '/'", path);
	check = calloc(1, sizeof(*check) + strlen(path) + 1);
	if (!check)
		return cause_errno(cause, ENOMEM, "profile.check");
	check->config = *deck_get_config(request->deck);
	strcpy(check->path, path);
	error = aside_begin(request, &kind, check, cause);
	if (error)
		free(check);
	return error;
}

const struct handler deck_commands[] = {
	{ METHOD_HELLO, .run = hello },
	{ METHOD_DECK_RELOAD, .run = reload },
	{ METHOD_DECK_QUIT, .run = quit },
	{ METHOD_PROFILE_CHECK, .run = check_profile },
	HANDLERS_END
};

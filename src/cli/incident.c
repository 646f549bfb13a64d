/*
 * incident: what a deck knows of a guest, as one folder, for whoever looks into it later. What
 * is in it is what other subcommands print; this one has them print into files. The folder has
 * its name when it is whole. Main thread.
 */
#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cause.h"
#include "base/checked.h"
#include "base/paths.h"
#include "base/plain.h"
#include "cli/fail.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "control/message_text.h"

#define WORDS_MAX 12
#define WORD_MAX 4096 /* bytes: of a filter, too */
#define GUEST "" /* stands for the guest's name in the words of a part, */
#define AFTER "after" /* and for how long to go on */

/* The files of a folder, and the command that prints each. */
static const struct part {
	const char *file;
	const char *words[WORDS_MAX];
	bool needed; /* without it there is no incident */
} parts[] = {
	{ "guest.json", { "show", "--json", GUEST }, true },
	{ "events.json", { "events", "--past", "--json", GUEST }, false },
	{ "stats.json", { "stats", "--past", "10m", "--json", GUEST }, false },
	{ "switches.json", { "switches", "--json" }, false },
	{ "packets.pcapng", { "capture", "-q", "-i", GUEST, "--past", "1h", "-s", "0", "-w", "-",
			      AFTER }, false },
};

struct incident {
	struct cli *cli;
	char after[48]; /* "--autostop=duration:10", or "": nothing that comes later */
	char folder[PATH_MAX], name[PATH_MAX]; /* while it is made, and then */
	unsigned left_out;
};

/* The words of a part's command line; returns how many. */
static int make_words(const struct incident *incident, const struct part *part,
		      char words[WORDS_MAX][WORD_MAX])
{
	int count = 0;

	for (unsigned i = 0; i < WORDS_MAX && part->words[i]; i++) {
		const char *word = part->words[i];

		if (!strcmp(word, AFTER) && !*incident->after)
			continue;
		if (!strcmp(word, AFTER))
			word = incident->after;
		else if (!strcmp(word, GUEST))
			word = incident->cli->argv[0];
		snprintf(words[count++], WORD_MAX, "%s", word);
	}
	return count;
}

/* Has a subcommand read its command line and do something, in the place of the one asked for. */
static int do_part(const struct incident *incident, const struct part *part,
		   int (*run)(struct cli *cli))
{
	struct cli *cli = incident->cli;
	struct cli inner = { .hooks = cli->hooks, .commands = cli->commands, .socket = cli->socket,
			     .look = cli->look, .requests = cli->requests };
	char words[WORDS_MAX][WORD_MAX], *argv[WORDS_MAX + 1] = { NULL };
	int count = make_words(incident, part, words), status;

	for (int i = 0; i < count; i++)
		argv[i] = words[i];
	inner.command = command_find(inner.commands, argv[0]);
	status = options_read(&inner, count, argv);
	status = status ? status : run(&inner);
	cli->requests = inner.requests;
	return status;
}

static int print(struct cli *cli)
{
	return output_end(cli->command->run(cli));
}

static int make_requests(struct cli *cli)
{
	return cli->command->requests(cli);
}

/* Has it print into the file. */
static int print_part(const struct incident *incident, const struct part *part, int file)
{
	int before, status = CLI_FAILED;

	fflush(stdout);
	before = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (before < 0)
		return fail("standard output: %s", strerror(errno));
	if (dup2(file, STDOUT_FILENO) == STDOUT_FILENO)
		status = do_part(incident, part, print);
	fflush(stdout);
	dup2(before, STDOUT_FILENO);
	close(before);
	return status;
}

/* --- what is waited for before --- */

/* For a packet of the guest's. */
static int wait_for_packet(const struct incident *incident, const char *filter)
{
	const struct part part = { .words = { "capture", "-q", "-i", GUEST, "-c", "1", "-f", filter,
					      "-w", "-" } };
	int file = open("/dev/null", O_WRONLY | O_CLOEXEC), status;

	if (file < 0)
		return fail("/dev/null: %s", strerror(errno));
	status = print_part(incident, &part, file);
	close(file);
	return status;
}

/* Whether it is the guest's, and its state or a part of what it says is that. */
static bool is_event(const struct incident *incident, const json_t *params, const char *text)
{
	return !strcmp(text_of(params, "guest", ""), incident->cli->argv[0]) &&
	       (!strcmp(text_of(params, "state", ""), text) ||
		strstr(text_of(params, "text", ""), text));
}

static int hear_events(const struct incident *incident, struct link *link, const char *text)
{
	struct cause cause;
	bool found = false;
	json_t *message;
	int error = 0;

	while (!found && (error == 0 || error == -EINTR)) {
		error = link_next(link, &message, -1, &cause);
		if (error)
			continue;
		found = is_event(incident, json_object_get(message, "params"), text);
		json_decref(message);
	}
	return found ? CLI_OK : fail("the deck ended before that: %s", cause.text);
}

/* For an event of the guest's. */
static int wait_for_event(const struct incident *incident, const char *text)
{
	struct link *link = session_open(incident->cli);
	int status = CLI_FAILED;
	json_t *shown, *result;

	if (!link)
		return CLI_FAILED;
	shown = session_call(link, "guest.show",
			     json_pack("{s:o}", "guest", message_text(incident->cli->argv[0])));
	result = shown ? session_call(link, "events.subscribe", NULL) : NULL;
	if (result)
		status = hear_events(incident, link, text);
	json_decref(shown);
	json_decref(result);
	link_free(link);
	return status;
}

static int wait_for_trigger(const struct incident *incident)
{
	const char *event = option_text(incident->cli, "event");
	const char *filter = option_text(incident->cli, "filter");

	if (event && !*event)
		return usage_error(incident->cli->command, "--event needs a text");
	if (event && filter)
		return usage_error(incident->cli->command,
				   "--event and --filter do not go together");
	if (filter && strlen(filter) >= WORD_MAX)
		return usage_error(incident->cli->command, "--filter is longer than %d bytes",
				   WORD_MAX - 1);
	if (event)
		return wait_for_event(incident, event);
	return filter ? wait_for_packet(incident, filter) : CLI_OK;
}

/* --- the folder --- */

/* CLI_OK, or CLI_FAILED after a message. */
static int make_part(const struct incident *incident, const struct part *part)
{
	char path[PATH_MAX + NAME_MAX];
	int file, status;

	snprintf(path, sizeof(path), "%s/%s", incident->folder, part->file);
	file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file < 0)
		return fail("%s: %s", path, strerror(errno));
	status = print_part(incident, part, file);
	close(file);
	if (status)
		unlink(path);
	return status;
}

/* Takes away what there is of one that cannot be made. */
static void remove_parts(const struct incident *incident)
{
	char path[PATH_MAX + NAME_MAX];

	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
		snprintf(path, sizeof(path), "%s/%s", incident->folder, parts[i].file);
		unlink(path);
	}
	rmdir(incident->folder);
}

/* Where it goes: DIR of --to, or a folder of the state folder. */
static int make_folder(struct incident *incident)
{
	const char *to = option_text(incident->cli, "to");
	char state[PATH_MAX], above[PATH_MAX], stamp[32];
	struct cause cause;
	time_t now = time(NULL);
	struct tm tm;
	int n;

	if (!to && paths_state(state, &cause) < 0)
		return fail("%s", cause.text);
	n = to ? snprintf(above, sizeof(above), "%s", to) :
		 snprintf(above, sizeof(above), "%s/incidents", state);
	if (n < 0 || n + NAME_MAX >= PATH_MAX)
		return fail("%s: %s", above, strerror(ENAMETOOLONG));
	if (paths_make(above, &cause) < 0)
		return fail("%s", cause.text);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
	snprintf(incident->name, sizeof(incident->name), "%.*s/%.100s-%s", PATH_MAX - NAME_MAX, above,
		 incident->cli->argv[0], stamp);
	snprintf(incident->folder, sizeof(incident->folder), "%.*s/.%.100s-%s", PATH_MAX - NAME_MAX,
		 above, incident->cli->argv[0], stamp);
	if (mkdir(incident->folder, 0700) < 0)
		return fail("%s: %s", incident->folder, strerror(errno));
	return CLI_OK;
}

static int make_parts(struct incident *incident)
{
	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++)
		if (make_part(incident, &parts[i]) == CLI_OK)
			continue;
		else if (parts[i].needed)
			return CLI_FAILED;
		else
			incident->left_out++;
	if (renameat2(AT_FDCWD, incident->folder, AT_FDCWD, incident->name, RENAME_NOREPLACE) < 0)
		return fail("%s: %s", incident->name, strerror(errno));
	return CLI_OK;
}

static void tell(const struct incident *incident)
{
	json_t *told;

	if (!incident->cli->json) {
		plain_print(stdout, "%s\n", incident->name);
		return;
	}
	told = json_pack("{s:o,s:i}", "path", message_text(incident->name), "left_out",
			 (int)incident->left_out);
	output_json(told);
	json_decref(told);
}

static void begin(struct incident *incident, struct cli *cli)
{
	const struct option_value *after = option_given(cli, "after");

	*incident = (struct incident){ .cli = cli };
	if (after)
		snprintf(incident->after, sizeof(incident->after), "--autostop=duration:%llu",
			 (unsigned long long)after->number);
}

int incident_requests(struct cli *cli)
{
	struct incident incident;
	int status = CLI_OK;

	begin(&incident, cli);
	for (unsigned i = 0; i < ARRAY_SIZE(parts) && !status; i++)
		status = do_part(&incident, &parts[i], make_requests);
	return status;
}

int incident_main(struct cli *cli)
{
	struct incident incident;
	int status;

	begin(&incident, cli);
	if (strchr(cli->argv[0], '/'))
		return usage_error(cli->command, "'%s' is no guest's name", cli->argv[0]);
	status = wait_for_trigger(&incident);
	if (status)
		return status;
	if (make_folder(&incident) != CLI_OK)
		return CLI_FAILED;
	if (make_parts(&incident) != CLI_OK) {
		remove_parts(&incident);
		return CLI_FAILED;
	}
	tell(&incident);
	return incident.left_out ? CLI_FAILED : CLI_OK;
}

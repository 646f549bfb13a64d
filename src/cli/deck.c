/* events, reload, shutdown, check. */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/plain.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "cli/requests.h"
#include "cli/session.h"
#include "control/message_text.h"

static void print_event(const json_t *params)
{
	const char *state = text_of(params, "state", NULL), *kind = text_of(params, "kind", "?");
	const char *colour = state ? state_colour(state) : "", *text = text_of(params, "text", "");
	char time[40];

	/* Without either it is a hint to who keeps a list that it has changed. */
	if (state || *text) {
		plain_print(stdout, "%s  %-12s ", output_time(time, number_of(params, "time")),
			    text_of(params, "guest", "-"));
		output_coloured(colour, state ? state : kind);
		plain_print(stdout, "%s%s\n", *text ? "  " : "", text);
	}
	if (number_of(params, "dropped"))
		printf("(%lld events were lost: this terminal is slow)\n",
		       (long long)number_of(params, "dropped"));
	fflush(stdout);
}

/* Whether it is of a guest that the command line names, where it names any. */
static bool is_wanted(const struct cli *cli, const json_t *params)
{
	const char *guest = text_of(params, "guest", "");

	for (int i = 0; i < cli->argc; i++)
		if (strcmp(cli->argv[i], guest) == 0)
			return true;
	return cli->argc == 0;
}

static void tell_event(const struct cli *cli, json_t *params)
{
	if (!is_wanted(cli, params) && !number_of(params, "dropped"))
		return;
	if (cli->json)
		output_json_line(params);
	else
		print_event(params);
}

static int print_events(struct cli *cli, struct link *link)
{
	struct cause cause;
	json_t *message;
	int error;

	link_set_reader(link, STDOUT_FILENO);
	while ((error = link_next(link, &message, -1, &cause)) == 0 || error == -EINTR) {
		if (error)
			continue;
		tell_event(cli, json_object_get(message, "params"));
		json_decref(message);
		if (ferror(stdout))
			return CLI_OK; /* what was wrong is said at the end */
	}
	return error == -ECONNRESET || error == -EPIPE ? CLI_OK : fail("%s", cause.text);
}

static int print_past(const struct cli *cli, const json_t *result)
{
	json_t *params;
	size_t i;

	json_array_foreach(json_object_get(result, "history"), i, params)
		tell_event(cli, params);
	return CLI_OK;
}

static json_t *subscription(const struct cli *cli)
{
	return cli->values[0].set ? json_pack("{s:b}", "history", 1) : NULL;
}

int events_requests(struct cli *cli)
{
	request_add(cli, METHOD_EVENTS_SUBSCRIBE, subscription(cli));
	return CLI_OK;
}

int events_main(struct cli *cli)
{
	struct link *link = session_open(cli);
	int status = CLI_FAILED;
	json_t *result;

	if (!link)
		return CLI_FAILED;
	result = session_call(link, "events.subscribe", subscription(cli));
	if (result)
		status = cli->values[0].set ? print_past(cli, result) : print_events(cli, link);
	json_decref(result);
	link_free(link);
	return status;
}

static void print_notes(const json_t *result, const char *member)
{
	const json_t *note;
	size_t i;

	json_array_foreach(json_object_get(result, member), i, note)
		plain_print(stdout, "%s\n", json_string_value(note));
}

int reload_main(struct cli *cli)
{
	json_t *result = session_ask(cli, "deck.reload", NULL);
	long long count;

	if (!result)
		return CLI_FAILED;
	if (cli->json) {
		output_json(result);
	} else {
		print_notes(result, "notes");
		print_notes(result, "standing");
		count = (long long)number_of(result, "guests");
		plain_print(stdout, "%lld guest%s\n", count, count == 1 ? "" : "s");
	}
	json_decref(result);
	return CLI_OK;
}

/* The deck closes all its connections when it ends. */
static int wait_end(struct link *link)
{
	struct cause cause;
	json_t *message;
	int error;

	do {
		error = link_next(link, &message, -1, &cause);
		if (error == 0)
			json_decref(message);
	} while (error == 0 || error == -EINTR);
	return error == -ECONNRESET ? CLI_OK : fail("%s", cause.text);
}

static json_t *quit_params(const struct cli *cli)
{
	return json_pack("{s:o}", "mode", message_text(cli->values[0].set ? "off" : "shutdown"));
}

int shutdown_requests(struct cli *cli)
{
	request_add(cli, METHOD_DECK_QUIT, quit_params(cli));
	return CLI_OK;
}

int shutdown_main(struct cli *cli)
{
	struct link *link = session_open(cli);
	int status = CLI_OK;
	json_t *result;

	if (!link)
		return CLI_FAILED;
	result = session_call(link, "deck.quit", quit_params(cli));
	if (!result)
		status = CLI_FAILED;
	else if (cli->values[1].set)
		status = wait_end(link);
	json_decref(result);
	link_free(link);
	return status;
}

/* What check prints with --json. */
struct checking {
	json_t *mistakes, *warnings;
};

static void print_found(void *arg, const char *profile, unsigned line, bool warning,
			const char *text)
{
	struct checking *checking = arg;

	if (checking->mistakes) {
		json_array_append_new(warning ? checking->warnings : checking->mistakes,
				      json_pack("{s:o, s:i, s:o}", "profile", message_text(profile),
						"line", (int)line, "text", message_text(text)));
		return;
	}
	output_mistake(profile, line, warning, text);
}

static int check(const struct cli *cli, const char *path, struct checking *checking)
{
	struct cause cause = { "" };

	if (cli->hooks->check(path, print_found, checking, &cause) == 0)
		return CLI_OK;
	return *cause.text ? fail("%s", cause.text) : CLI_FAILED;
}

int check_main(struct cli *cli)
{
	struct checking checking = { NULL, NULL };
	int status = CLI_OK;

	if (cli->json)
		checking = (struct checking){ json_array(), json_array() };
	for (int i = 0; i < cli->argc; i++)
		status |= check(cli, cli->argv[i], &checking);
	if (cli->argc == 0)
		status = check(cli, NULL, &checking);
	if (checking.mistakes) {
		json_t *object = json_pack("{s:o, s:o}", "mistakes", checking.mistakes,
					   "warnings", checking.warnings);

		output_json(object);
		json_decref(object);
	}
	return status;
}

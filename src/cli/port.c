/* port: what ports of switches are set to; what they stop is in breakpoint.c, more in inject.c. */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/plain.h"
#include "base/suggest.h"
#include "cli/breakpoint.h"
#include "cli/fail.h"
#include "cli/inject.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/requests.h"
#include "cli/session.h"
#include "control/message_text.h"
#include "control/names.h"

/* The words "key=value" as an object, or NULL after a message. */
static json_t *take_words(const struct cli *cli)
{
	json_t *settings = json_object();
	char key[64];

	for (int i = 2; i < cli->argc; i++) {
		const char *word = cli->argv[i], *value = strchr(word, '=');

		if (!value || value == word || value - word >= (int)sizeof(key)) {
			usage_error(cli->command, "'%s': a setting is written key=value", word);
			json_decref(settings);
			return NULL;
		}
		snprintf(key, sizeof(key), "%.*s", (int)(value - word), word);
		json_object_set_new(settings, key, message_text(value + 1));
	}
	return settings;
}

static int set(struct cli *cli)
{
	json_t *settings = take_words(cli);

	if (!settings)
		return CLI_USAGE;
	request_add(cli, METHOD_PORT_SET, json_pack("{s:o, s:o}", "port",
						    message_text(cli->argv[1]), "settings",
						    settings));
	return CLI_OK;
}

static int list(struct cli *cli)
{
	request_add(cli, METHOD_SWITCH_LIST, NULL);
	return CLI_OK;
}

static int held(struct cli *cli)
{
	request_add(cli, METHOD_PORT_HELD, NULL);
	return CLI_OK;
}

/* A port of that name, borrowed from the list of switches; NULL after a message. */
static json_t *find_port(const json_t *switches, const char *name)
{
	struct suggestion suggestion = { .wrong = name };
	json_t *row, *port;
	size_t i, j;

	json_array_foreach((json_t *)switches, i, row) {
		json_array_foreach(json_object_get(row, "ports"), j, port) {
			if (strcmp(text_of(port, "name", ""), name) == 0)
				return port;
			suggest_offer(&suggestion, text_of(port, "name", ""));
		}
	}
	if (suggestion.best)
		fail("port '%s': there is none; did you mean '%s'?", name, suggestion.best);
	else
		fail("port '%s': there is none; 'vmdeck switches' lists them", name);
	return NULL;
}

static void print_settings(const json_t *settings)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)settings, key, value)
		plain_print(stdout, "%s = %s\n", key, json_string_value(value));
}

static int show(struct cli *cli)
{
	json_t *result = session_ask(cli, "switch.list", NULL), *port;

	if (!result)
		return CLI_FAILED;
	port = find_port(json_object_get(result, "switches"), cli->argv[1]);
	if (port && cli->json)
		output_json(port);
	else if (port)
		print_settings(json_object_get(port, "settings"));
	json_decref(result);
	return port ? CLI_OK : CLI_FAILED;
}

static const struct verb {
	const char *name, *takes;
	int words; /* with itself */
	bool more;
	int (*requests)(struct cli *cli);
	int (*run)(struct cli *cli);
} verbs[] = {
	{ "set", "a port and settings: key=value", 3, true, set, requests_ask },
	{ "show", "1 word", 2, false, list, show },
	{ "break", "a port and a filter, or off", 3, false, port_break, requests_ask },
	{ "held", "no word", 1, false, held, port_held },
	{ "pass", "1 word", 2, false, port_pass, requests_ask },
	{ "drop", "1 word", 2, false, port_drop, requests_ask },
	{ "inject", "a port and a capture, or --data", 2, true, port_inject_requests, port_inject },
};

/* The verb of a command line whose words fit it; NULL after a message. */
static const struct verb *find_verb(const struct cli *cli)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		const struct verb *verb = &verbs[i];

		if (strcmp(cli->argv[0], verb->name) != 0)
			continue;
		if (cli->argc < verb->words || (cli->argc > verb->words && !verb->more))
			usage_error(cli->command, "port %s takes %s", verb->name, verb->takes);
		else if (option_given(cli, "data") && verb->requests != port_pass &&
			 verb->run != port_inject)
			usage_error(cli->command, "port %s takes no --data", verb->name);
		else if (option_given(cli, "fast") && verb->run != port_inject)
			usage_error(cli->command, "port %s takes no --fast", verb->name);
		else
			return verb;
		return NULL;
	}
	usage_error(cli->command, "port knows set, show, break, held, pass, drop and inject, "
		    "not '%s'", cli->argv[0]);
	return NULL;
}

/*
 * The only port of the screen's guest, for a line that names none: what stands in its place is
 * none, or is missing. argv has room for it.
 */
static void name_port(struct cli *cli, char name[2 * NAME_SIZE])
{
	json_t *shown, *nets;

	if (!cli->guest || !*cli->guest || strcmp(cli->argv[0], "held") == 0 ||
	    (cli->argc > 1 && strchr(cli->argv[1], '/') && name_of_port_valid(cli->argv[1])))
		return;
	shown = cli->look(cli, "guest.show", json_pack("{s:o}", "guest", message_text(cli->guest)));
	nets = json_object_get(shown, "nets");
	snprintf(name, 2 * NAME_SIZE, "%s/%s", cli->guest,
		 text_of(json_array_get(nets, 0), "name", ""));
	if (json_array_size(nets) == 1) {
		memmove(&cli->argv[2], &cli->argv[1], (size_t)(cli->argc - 1) * sizeof(*cli->argv));
		cli->argv[1] = name;
		cli->argc++;
	}
	json_decref(shown);
}

int port_requests(struct cli *cli)
{
	char name[2 * NAME_SIZE];
	const struct verb *verb;

	name_port(cli, name);
	verb = find_verb(cli);

	return verb ? verb->requests(cli) : CLI_USAGE;
}

int port_main(struct cli *cli)
{
	const struct verb *verb = find_verb(cli);

	return verb ? verb->run(cli) : CLI_USAGE;
}

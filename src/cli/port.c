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
#include "cli/session.h"
#include "control/message_text.h"

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
	json_t *settings = take_words(cli), *result;

	if (!settings)
		return CLI_USAGE;
	result = session_ask(cli, "port.set", json_pack("{s:o, s:o}", "port",
							message_text(cli->argv[1]), "settings",
							settings));
	json_decref(result);
	return result ? CLI_OK : CLI_FAILED;
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
	int (*run)(struct cli *cli);
} verbs[] = {
	{ "set", "a port and settings: key=value", 3, true, set },
	{ "show", "1 word", 2, false, show },
	{ "break", "a port and a filter, or off", 3, false, port_break },
	{ "held", "no word", 1, false, port_held },
	{ "pass", "1 word", 2, false, port_pass },
	{ "drop", "1 word", 2, false, port_drop },
	{ "inject", "a port and a capture, or --data", 2, true, port_inject },
};

int port_main(struct cli *cli)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		const struct verb *verb = &verbs[i];

		if (strcmp(cli->argv[0], verb->name) != 0)
			continue;
		if (cli->argc < verb->words || (cli->argc > verb->words && !verb->more))
			return usage_error(cli->command, "port %s takes %s", verb->name,
					   verb->takes);
		if (option_given(cli, "data") && verb->run != port_pass &&
		    verb->run != port_inject)
			return usage_error(cli->command, "port %s takes no --data", verb->name);
		if (option_given(cli, "fast") && verb->run != port_inject)
			return usage_error(cli->command, "port %s takes no --fast", verb->name);
		return verb->run(cli);
	}
	return usage_error(cli->command, "port knows set, show, break, held, pass, drop and "
			   "inject, not '%s'", cli->argv[0]);
}

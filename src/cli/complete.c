/*
 * complete: what can follow the words of a command line, one candidate a
 * line. The last word is the one being typed. Quiet whatever happens: it
 * runs while somebody types.
 */
#include "cli/complete.h"

#include <stdio.h>
#include <string.h>

#include "base/plain.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "control/client.h"
#include "control/endpoint.h"
#include "control/states.h"

static void offer(const char *candidate, const char *typed)
{
	if (strncmp(candidate, typed, strlen(typed)) == 0)
		plain_print(stdout, "%s\n", candidate);
}

static json_t *ask(const struct cli *cli, const char *method)
{
	struct endpoint endpoint;
	json_t *result = NULL;
	struct link *link;

	if (endpoint_find(&endpoint, cli->socket, NULL) < 0 ||
	    link_open(&link, &endpoint, NULL) < 0)
		return NULL;
	if (link_call(link, method, NULL, &result, NULL) < 0)
		result = NULL;
	link_free(link);
	return result;
}

/* Whether a word gives a flag: "--force", "-f" or "-wf". */
static bool gives_flag(const char *word, const struct option_row *row)
{
	if (strncmp(word, "--", 2) == 0)
		return strcmp(word + 2, row->name) == 0;
	return word[0] == '-' && row->letter && strchr(word, row->letter);
}

/* The states in which the command makes sense, with those options among its words. */
static uint32_t states_of(const struct command *command, int argc, char **argv)
{
	int method = command->method;

	for (int i = 0; command->forced && i < argc; i++)
		if (gives_flag(argv[i], &command->options[OPTION_FORCE]))
			method = (int)command->forced;
	return method >= 0 ? method_table[method].states : 0;
}

/* Guests in one of the states; 0: in any. */
static void offer_guests(const struct cli *cli, uint32_t states, const char *typed)
{
	json_t *result = ask(cli, "guest.list"), *guest;
	size_t i;

	json_array_foreach(json_object_get(result, "guests"), i, guest) {
		enum guest_state state = guest_state_find(text_of(guest, "state", ""));

		if (!states || guest_state_in(state, states))
			offer(text_of(guest, "name", ""), typed);
	}
	json_decref(result);
}

static void offer_ports(const struct cli *cli, const char *typed)
{
	json_t *result = ask(cli, "switch.list"), *row, *port;
	size_t i, j;

	json_array_foreach(json_object_get(result, "switches"), i, row) {
		offer(text_of(row, "name", ""), typed);
		json_array_foreach(json_object_get(row, "ports"), j, port)
			offer(text_of(port, "name", ""), typed);
	}
	json_decref(result);
}

static void offer_commands(const struct cli *cli, const char *typed)
{
	for (const struct command *command = cli->commands; command->name; command++)
		offer(command->name, typed);
}

static void offer_words(const struct cli *cli, enum word_type word, const char *typed)
{
	if (word == WORD_GUEST)
		offer_guests(cli, states_of(cli->command, cli->argc, cli->argv), typed);
	else if (word == WORD_PORT)
		offer_ports(cli, typed);
	else if (word == WORD_COMMAND)
		offer_commands(cli, typed);
	else if (word == WORD_FILE)
		puts("<file>"); /* the shell knows those best */
}

static void offer_option(const struct option_row *row, const char *typed)
{
	char text[64];

	snprintf(text, sizeof(text), "--%s", row->name);
	offer(text, typed);
}

static void offer_options(const struct command *command, const char *typed)
{
	const struct option_row *row;

	for (row = command->options; row && row->name; row++)
		offer_option(row, typed);
	for (row = common_options; row->name; row++)
		if (row->letter != 'j' || command->json)
			offer_option(row, typed);
}

/* The option with a value that the word before the typed one is, or NULL. */
static const struct option_row *pending_option(const struct command *command, const char *word)
{
	const struct option_row *tables[] = { command->options, common_options };

	for (unsigned i = 0; i < 2; i++)
		for (const struct option_row *row = tables[i]; row && row->name; row++) {
			bool named = strncmp(word, "--", 2) == 0 &&
				     strcmp(word + 2, row->name) == 0;

			if (row->type != OPTION_FLAG &&
			    (named || (word[0] == '-' && row->letter && word[1] == row->letter &&
				       word[2] == '\0')))
				return row;
		}
	return NULL;
}

int complete_words(struct cli *cli, int argc, char **argv)
{
	const struct option_row *option = NULL;
	const char *typed = argc ? argv[argc - 1] : "";

	while (argc > 2 && strcmp(argv[0], "--socket") == 0) {
		cli->socket = argv[1];
		argv += 2;
		argc -= 2;
	}
	if (argc <= 1) {
		offer_commands(cli, typed);
		return CLI_OK;
	}
	cli->command = command_find(cli->commands, argv[0]);
	if (!cli->command)
		return CLI_OK;
	cli->argc = argc - 2;
	cli->argv = argv + 1;
	if (argc > 2)
		option = pending_option(cli->command, argv[argc - 2]);
	if (option)
		offer_words(cli, option->word, typed);
	else if (typed[0] == '-')
		offer_options(cli->command, typed);
	else
		offer_words(cli, cli->command->word, typed);
	return CLI_OK;
}

int complete_main(struct cli *cli)
{
	return complete_words(cli, cli->argc, cli->argv);
}

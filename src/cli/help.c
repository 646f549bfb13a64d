/* Help, from the rows of commands and options. */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "base/plain.h"
#include "cli/commands.h"
#include "cli/fail.h"
#include "cli/options.h"
#include "control/states.h"

void help_overview(const struct cli *cli)
{
	const struct cli_hooks *hooks = cli->hooks;
	const struct command *command;
	char usage[48];

	plain_print(stdout, "Usage: vmdeck [--socket PATH] %s\n",
		    hooks->screen_args ? hooks->screen_args : "");
	printf("       vmdeck [--socket PATH] [--dry-run] COMMAND ...\n\n");
	printf("Runs virtual machines and shows them in the terminal. Without a command: the "
	       "screen.\n");
	if (hooks->screen_help) {
		printf("\nOptions:\n");
		plain_lines(stdout, hooks->screen_help);
	}
	printf("\nCommands:\n");
	for (command = cli->commands; command->name; command++) {
		const char *args = command->args;

		snprintf(usage, sizeof(usage), "%s %s", command->name,
			 strlen(args) > 16 ? "..." : args);
		plain_print(stdout, "  %-23s %s\n", usage, command_help(command));
	}
	printf("\n'vmdeck help COMMAND' explains a command; --version prints the version.\n"
	       "With --dry-run a command prints what it would ask of a deck, and asks nothing.\n"
	       "Exit status: 0 done, 1 failed, 2 the command line is wrong.\n");
}

static void print_option(const struct option_row *row)
{
	char text[64];
	int n = row->letter ? snprintf(text, sizeof(text), "-%c, --%s", row->letter, row->name)
			    : snprintf(text, sizeof(text), "    --%s", row->name);

	if (row->arg && n > 0 && (size_t)n < sizeof(text))
		snprintf(text + n, sizeof(text) - (size_t)n, " %s", row->arg);
	plain_print(stdout, "  %-30s %s\n", text, row->help);
}

static void print_states(const struct command *command)
{
	char states[GUEST_STATES_TEXT];

	guest_states_text(method_table[command->method].states, states);
	plain_print(stdout, "A guest must be %s.\n", states);
}

void help_command(const struct command *command)
{
	const struct option_row *row;

	plain_print(stdout, "Usage: vmdeck %s [OPTION...] %s\n\n", command->name, command->args);
	plain_print(stdout, "It %s.\n", command_help(command));
	if (command->alias)
		plain_print(stdout, "It is also called '%s'.\n", command->alias);
	if (command->more)
		plain_lines(stdout, command->more);
	if (command->method >= 0 && command->word == WORD_GUEST &&
	    method_table[command->method].states && command->method != METHOD_CONSOLE_OPEN)
		print_states(command);
	printf("\nOptions:\n");
	for (row = command->options; row && row->name; row++)
		print_option(row);
	for (row = common_options; row->name; row++)
		if (row->letter != 'j' || command->json)
			print_option(row);
}

int help_main(struct cli *cli)
{
	const struct command *command;

	if (cli->argc == 0) {
		help_overview(cli);
		return CLI_OK;
	}
	command = command_find(cli->commands, cli->argv[0]);
	if (!command)
		return no_command(cli->commands, cli->argv[0]);
	help_command(command);
	return CLI_OK;
}

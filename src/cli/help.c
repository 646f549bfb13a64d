/* Help and usage messages, from the table. */
#include "cli/command.h"

#include <config.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"

int usage_error(const struct command *command, const char *format, ...)
{
	va_list ap;

	fputs("vmdeck: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	if (command)
		fprintf(stderr, "\ntry 'vmdeck help %s'\n", command->name);
	else
		fputs("\ntry 'vmdeck help'\n", stderr);
	return CLI_USAGE;
}

static const char *args_of(const struct command *command, const struct cli_hooks *hooks)
{
	return command->run || !hooks->run_args ? command->args : hooks->run_args;
}

void help_overview(const struct cli_hooks *hooks)
{
	const struct command *command;
	char usage[48];

	printf("Usage: vmdeck [--socket PATH] %s\n", hooks->screen_args ? hooks->screen_args : "");
	printf("       vmdeck [--socket PATH] COMMAND ...\n\n");
	printf("Runs virtual machines and shows them in the terminal. Without a command: the "
	       "screen.\n");
	if (hooks->screen_help)
		printf("\nOptions:\n%s", hooks->screen_help);
	printf("\nCommands:\n");
	for (command = command_table; command->name; command++) {
		const char *args = args_of(command, hooks);

		snprintf(usage, sizeof(usage), "%s %s", command->name,
			 strlen(args) > 16 ? "..." : args);
		printf("  %-22s %s\n", usage, command_help(command));
	}
	printf("\n'vmdeck help COMMAND' explains a command; --version prints the version.\n"
	       "Exit status: 0 done, 1 failed, 2 the command line is wrong.\n");
}

static void print_option(const struct option_row *row)
{
	char text[64];
	int n = row->letter ? snprintf(text, sizeof(text), "-%c, --%s", row->letter, row->name)
			    : snprintf(text, sizeof(text), "    --%s", row->name);

	if (row->arg && n > 0 && (size_t)n < sizeof(text))
		snprintf(text + n, sizeof(text) - (size_t)n, " %s", row->arg);
	printf("  %-30s %s\n", text, row->help);
}

static void print_states(const struct command *command)
{
	char states[GUEST_STATES_TEXT];

	guest_states_text(method_table[command->method].states, states);
	printf("A guest must be %s", states);
	if (command->forced) {
		guest_states_text(method_table[command->forced].states, states);
		printf("; for --%s it may be %s", command->options[OPTION_FORCE].name, states);
	}
	puts(".");
}

void help_command(const struct command *command, const struct cli_hooks *hooks)
{
	const struct option_row *row;

	printf("Usage: vmdeck %s %s%s\n\nIt %s.\n", command->name,
	       command->run ? "[OPTION...] " : "", args_of(command, hooks),
	       command_help(command));
	if (command->alias)
		printf("It is also called '%s'.\n", command->alias);
	if (command->more)
		printf("%s", command->more);
	if (command->method >= 0 && command->word == WORD_GUEST &&
	    method_table[command->method].states && command->method != METHOD_CONSOLE_OPEN)
		print_states(command);
	if (!command->run) {
		if (hooks->run_help)
			printf("\nOptions:\n%s", hooks->run_help);
		return;
	}
	printf("\nOptions:\n");
	for (row = command->options; row && row->name; row++)
		print_option(row);
	for (row = common_options; row->name; row++)
		if (row->letter != 'j' || command->json)
			print_option(row);
}

static int no_command(const char *name)
{
	struct suggestion suggestion = { .wrong = name };

	for (const struct command *command = command_table; command->name; command++)
		suggest_offer(&suggestion, command->name);
	if (suggestion.best)
		return usage_error(NULL, "there is no command '%s'; did you mean '%s'?", name,
				   suggestion.best);
	return usage_error(NULL, "there is no command '%s'", name);
}

int help_main(struct cli *cli)
{
	const struct command *command;

	if (cli->argc == 0) {
		help_overview(cli->hooks);
		return CLI_OK;
	}
	command = command_find(cli->argv[0]);
	if (!command)
		return no_command(cli->argv[0]);
	help_command(command, cli->hooks);
	return CLI_OK;
}

/* --socket before the subcommand; returns how many words it took, or -CLI_USAGE. */
static int global_option(struct cli *cli, int argc, char **argv)
{
	if (strncmp(argv[0], "--socket=", 9) == 0) {
		cli->socket = argv[0] + 9;
		return 1;
	}
	if (strcmp(argv[0], "--socket") != 0)
		return 0;
	if (argc < 2)
		return -usage_error(NULL, "--socket needs a value (PATH)");
	cli->socket = argv[1];
	return 2;
}

static int run_command(struct cli *cli, int argc, char **argv)
{
	int error;

	cli->command = command_find(argv[0]);
	if (!cli->command)
		return no_command(argv[0]);
	if (!cli->command->run && argc == 2 && strcmp(argv[1], "--help") == 0) {
		help_command(cli->command, cli->hooks);
		return CLI_OK;
	}
	if (!cli->command->run)
		return cli->hooks->run(cli->socket, argc, argv);
	if (cli->command->run == complete_main)
		return complete_words(cli, argc - 1, argv + 1);
	error = options_read(cli, argc, argv);
	if (error < 0) {
		help_command(cli->command, cli->hooks);
		return CLI_OK;
	}
	return error ? error : cli->command->run(cli);
}

int cli_main(int argc, char **argv, const struct cli_hooks *hooks)
{
	struct cli cli = { .hooks = hooks };
	int at = 1, n = 1, status;

	while (at < argc && (n = global_option(&cli, argc - at, argv + at)) > 0)
		at += n;
	if (n < 0)
		return -n;
	if (at < argc && strcmp(argv[at], "--version") == 0) {
		puts(PACKAGE_NAME " " PACKAGE_VERSION);
		return CLI_OK;
	}
	if (at < argc && (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)) {
		help_overview(hooks);
		return CLI_OK;
	}
	if (at >= argc || argv[at][0] == '-') {
		argv[at - 1] = argv[0];
		return hooks->screen(cli.socket, argc - at + 1, argv + at - 1);
	}
	status = run_command(&cli, argc - at, argv + at);
	if (fflush(stdout) == EOF && status == CLI_OK)
		return fail("standard output: %m");
	return status;
}

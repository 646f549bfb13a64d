/* From the command line to a subcommand. Main thread. */
#include "cli/cli.h"

#include <config.h>
#include <stdio.h>
#include <string.h>

#include "base/plain.h"
#include "cli/commands.h"
#include "cli/complete.h"
#include "cli/fail.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/requests.h"
#include "cli/session.h"
#include "cli/table.h"

/* What stands before the subcommand; returns how many words it took, or -CLI_USAGE. */
static int global_option(struct cli *cli, int argc, char **argv)
{
	if (strcmp(argv[0], "--dry-run") == 0) {
		cli->dry_run = true;
		return 1;
	}
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

	cli->command = command_find(cli->commands, argv[0]);
	if (!cli->command)
		return no_command(cli->commands, argv[0]);
	if (cli->command->run == complete_main)
		return complete_words(cli, argc - 1, argv + 1);
	error = options_read(cli, argc, argv);
	if (error < 0) {
		help_command(cli->command);
		return CLI_OK;
	}
	if (error)
		return error;
	if (cli->dry_run)
		return requests_print(cli);
	cli->look = session_ask;
	return cli->command->run(cli);
}

static int run(struct cli *cli, int argc, char **argv)
{
	int at = 1, n = 1;

	while (at < argc && (n = global_option(cli, argc - at, argv + at)) > 0)
		at += n;
	if (n < 0)
		return -n;
	if (at < argc && strcmp(argv[at], "--version") == 0) {
		plain_print(stdout, "%s\n", PACKAGE_NAME " " PACKAGE_VERSION);
		return CLI_OK;
	}
	if (at < argc && (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)) {
		help_overview(cli);
		return CLI_OK;
	}
	if (cli->dry_run && (at >= argc || argv[at][0] == '-'))
		return usage_error(NULL, "--dry-run goes with a command");
	if (at >= argc || argv[at][0] == '-') {
		argv[at - 1] = argv[0];
		return cli->hooks->screen(cli->socket, argc - at + 1, argv + at - 1);
	}
	return run_command(cli, argc - at, argv + at);
}

int cli_main(int argc, char **argv, const struct cli_hooks *hooks)
{
	struct cli cli = { .hooks = hooks, .commands = command_list() };

	return output_end(run(&cli, argc, argv));
}

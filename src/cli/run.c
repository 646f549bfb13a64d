/*
 * run: a guest in the foreground, of a profile or of options that stand for one.
 * The profile of the latter lies in the folder of sockets while it runs.
 */
#include <limits.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/fail.h"
#include "cli/profile_words.h"
#include "cli/trial.h"

static int run_words(struct cli *cli)
{
	static struct profile_words words;
	char path[PATH_MAX];
	struct cause cause = { "" };
	int status = profile_words_make(&words, cli);

	if (status != CLI_OK)
		return status;
	if (trial_write(path, &words, &cause) < 0)
		return fail("%s", cause.text);
	status = trial_check(cli, path, &words, NULL, true);
	if (status == CLI_OK)
		status = cli->hooks->run(cli->socket, path);
	(void)unlink(path);
	return status;
}

int run_main(struct cli *cli)
{
	bool words = profile_words_given(cli);

	if (words && cli->argc)
		return usage_error(cli->command, "'%s' is a guest with a profile of its own; the "
				   "options are for one without", cli->argv[0]);
	if (!words && !cli->argc)
		return usage_error(cli->command, "run needs a guest, a profile, or options such "
				   "as --kernel");
	return words ? run_words(cli) : cli->hooks->run(cli->socket, cli->argv[0]);
}

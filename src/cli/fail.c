/* How a subcommand fails. Main thread. */
#include "cli/fail.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/suggest.h"

int fail(const char *format, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("vmdeck: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return CLI_FAILED;
}

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

int no_command(const struct command *commands, const char *name)
{
	struct suggestion suggestion = { .wrong = name };

	for (; commands->name; commands++)
		suggest_offer(&suggestion, commands->name);
	if (suggestion.best)
		return usage_error(NULL, "there is no command '%s'; did you mean '%s'?", name,
				   suggestion.best);
	return usage_error(NULL, "there is no command '%s'", name);
}

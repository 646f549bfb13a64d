/* How a subcommand fails. Main thread. */
#include "cli/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/plain.h"
#include "base/suggest.h"

/* Where what a screen's line does wrong is told. */
static _Thread_local struct cause *told;

void fail_into(struct cause *cause)
{
	told = cause;
}

static void say(const char *format, va_list ap)
{
	if (told)
		vsnprintf(told->text, sizeof(told->text), format, ap);
	else
		plain_vsay("\n", format, ap);
}

int fail(const char *format, ...)
{
	int error = errno;
	va_list ap;

	fflush(stdout);
	errno = error;
	va_start(ap, format);
	say(format, ap);
	va_end(ap);
	return CLI_FAILED;
}

int usage_error(const struct command *command, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(format, ap);
	va_end(ap);
	if (!told)
		plain_print(stderr, "try 'vmdeck help%s%s'\n", command ? " " : "",
			    command ? command->name : "");
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

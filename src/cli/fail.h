/*
 * How a subcommand fails: a sentence on stderr and an exit status. Main thread.
 */
#ifndef CLI_FAIL_H
#define CLI_FAIL_H

#include "cli/command.h"

/* "vmdeck: " and the sentence; CLI_FAILED. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for a wrong command line, with the help to look at; command may be NULL. CLI_USAGE. */
int usage_error(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* From here on what this thread would say is left in cause instead; NULL: it is said again. */
void fail_into(struct cause *cause);

/* For a name that is no command's. CLI_USAGE. */
int no_command(const struct command *commands, const char *name);

#endif

/* The rows of subcommands. Any thread. */
#include "cli/command.h"

#include <string.h>

const struct command *command_find(const struct command *commands, const char *name)
{
	const struct command *command;

	for (command = commands; command->name; command++)
		if (strcmp(command->name, name) == 0 ||
		    (command->alias && strcmp(command->alias, name) == 0))
			return command;
	return NULL;
}

const char *command_help(const struct command *command)
{
	return command->help ? command->help : method_table[command->method].help;
}

bool command_on_screen(const struct command *command)
{
	return command->view || (command->requests && command->method >= 0 &&
				 method_table[command->method].role == METHOD_OPERATE);
}

bool command_option_of_shell(const struct command *command, const char *option)
{
	const char *at = command->shell_options;
	size_t n, length = strlen(option);

	for (; at && *at; at += n + (at[n] == '|')) {
		n = strcspn(at, "|");
		if (n == length && memcmp(at, option, n) == 0)
			return true;
	}
	return false;
}

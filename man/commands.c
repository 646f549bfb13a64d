/* The subcommands, for their manual page. */
#include "page.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/table.h"

static struct manual_names commands;

/* "GUEST..." or "[SWITCH...]" as macros. */
static void put_args(const char *args)
{
	bool optional = *args == '[';
	size_t size;

	args += optional;
	size = strcspn(args, ".]");
	if (!size)
		return;
	printf("%s Ar ", optional ? " Op" : "");
	for (size_t i = 0; i < size; i++)
		putchar(tolower((unsigned char)args[i]));
	if (args[size] == '.')
		printf(" ...");
}

static void put_options(const struct option_row *options)
{
	for (; options && options->name; options++) {
		printf(" Oo Fl -%s", options->name);
		if (options->arg)
			printf(" Ar ");
		for (const char *at = options->arg; at && *at; at++)
			putchar(tolower((unsigned char)*at));
		printf(" Oc");
	}
}

static void put_command(const struct command *command)
{
	printf(".It Cm %s", command->name);
	if (command->alias)
		printf(" , %s", command->alias);
	put_options(command->options);
	put_args(command->args);
	putchar('\n');
	manual_help(command_help(command));
}

static const struct command *find_command(const char *name)
{
	const struct command *command = command_find(command_list(), name);

	if (!command)
		manual_fail("there is no command", name);
	return command;
}

void take_command(const char *name)
{
	put_command(find_command(name));
}

void note_command(const char *name)
{
	manual_note(&commands, find_command(name)->name);
}

void take_commands(const char *nothing)
{
	(void)nothing;
	for (const struct command *command = command_list(); command->name; command++)
		if (!manual_has(&commands, command->name)) {
			manual_note(&commands, command->name);
			put_command(command);
		}
}

void check_commands(void)
{
	const struct command *command = command_list();

	for (; commands.count && command->name; command++)
		if (!manual_has(&commands, command->name))
			manual_fail("lacks the command", command->name);
}

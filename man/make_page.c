/*
 * Makes a manual page of its template, man/NAME.in: what the program's tables
 * say is taken from them. A line of the template that begins with '@' asks for
 * it; the others are mdoc(7) and stay as they are.
 *
 *   @method NAME     a method of the protocol: heading, help, states
 *   @methods PREFIX  those of the methods so called that no other line names
 *   @command NAME    a subcommand: heading, help
 *   @commands        the subcommands that no other line names
 *   @described NAME  nothing: the template itself has the subcommand
 *   @keys            the keys of the screen
 *   @key_names       what they do by name, as settings have it
 *   @fields          the fields of statistics
 *   @host_fields     those of the host
 *   @sections KIND   sections and keys of a profile, "guest" or "switch"
 *
 * A page that has one method, or one command, must come to have all. Runs while
 * vmdeck is built.
 */
#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

static const char *template;
static unsigned line_number;

void manual_fail(const char *what, const char *which)
{
	fprintf(stderr, "%s:%u: %s %s\n", template, line_number, what, which);
	exit(1);
}

static const struct {
	const char *name;
	void (*note)(const char *argument); /* or NULL */
	void (*take)(const char *argument); /* or NULL */
} directives[] = {
	{ "method", note_method, take_method },	   { "methods", NULL, take_methods },
	{ "command", note_command, take_command }, { "commands", NULL, take_commands },
	{ "described", note_command, NULL },	   { "keys", NULL, take_keys },
	{ "key_names", NULL, take_key_names },
	{ "fields", NULL, take_fields },	   { "host_fields", NULL, take_host_fields },
	{ "sections", NULL, take_sections },
};

/* "@name argument" */
static void obey(char *text, bool taking)
{
	char *name = strtok(text + 1, " \n"), *argument = strtok(NULL, " \n");
	void (*act)(const char *argument);

	for (size_t i = 0; name && i < ARRAY_SIZE(directives); i++)
		if (strcmp(directives[i].name, name) == 0) {
			act = taking ? directives[i].take : directives[i].note;
			if (act)
				act(argument ? argument : "");
			return;
		}
	manual_fail("unknown:", text);
}

static void read_template(bool taking)
{
	FILE *file = fopen(template, "r");
	char text[512];

	line_number = 0;
	if (!file)
		manual_fail("cannot be opened", "");
	while (fgets(text, sizeof(text), file)) {
		line_number++;
		if (*text == '@')
			obey(text, taking);
		else if (taking)
			fputs(text, stdout);
	}
	fclose(file);
}

/* The page goes to standard output. */
int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	template = argv[1];
	read_template(false);
	read_template(true);
	check_methods();
	check_commands();
	return fflush(stdout) == EOF;
}

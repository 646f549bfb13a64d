/*
 * The command table.
 */
#ifndef DEMO_COMMAND_H
#define DEMO_COMMAND_H

#include "lib.h"

#define COMMAND_WORDS 8

struct command {
	const char *name;
	const char *arguments;
	const char *help;
	unsigned least, most;			     /* words after the name */
	void (*run)(unsigned count, char **words); /* words[0] is the name */
};

/* Runs one line, which is cut into words in place. "&" at its end: in the background. */
void command_run(char *line);

#endif

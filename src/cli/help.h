/*
 * "vmdeck help". Main thread.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/command.h"

/* All commands in a line each. */
void help_overview(const struct cli *cli);

void help_command(const struct command *command);

#endif

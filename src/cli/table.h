/*
 * The table of subcommands. Main thread.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "cli/command.h"

/* All of them in the order of the help, ended by one without a name. */
const struct command *command_list(void);

#endif

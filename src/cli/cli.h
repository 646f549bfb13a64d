/*
 * The subcommands: "vmdeck list", "vmdeck start web" and so on, one table for
 * dispatch, help and completion. Main thread.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "cli/hooks.h"

/* Does what the command line says and returns the exit status. */
int cli_main(int argc, char **argv, const struct cli_hooks *hooks);

#endif

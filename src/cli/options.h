/*
 * Reading a subcommand's options and words by its row. Main thread.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli/command.h"

/* Options that every subcommand has: --json, --socket, --help; ends with name NULL. */
extern const struct option_row common_options[];

/* 0; CLI_USAGE after a message; -1 when --help was asked for. */
int options_read(struct cli *cli, int argc, char **argv);

/* What the command line gave for the command's own option of that name, or NULL. */
const struct option_value *option_given(const struct cli *cli, const char *name);

/* Its text, or NULL. */
const char *option_text(const struct cli *cli, const char *name);

#endif

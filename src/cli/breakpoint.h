/* What "vmdeck port" does about breakpoints; each returns the exit status. Main thread. */
#ifndef CLI_BREAKPOINT_H
#define CLI_BREAKPOINT_H

#include "cli/command.h"

int port_break(struct cli *cli);
int port_held(struct cli *cli);
int port_pass(struct cli *cli);
int port_drop(struct cli *cli);

/*
 * The bytes of --data as hexadecimal digits, the caller's; NULL after a message, with *status. Only
 * where the option is given.
 */
char *port_data(const struct cli *cli, int *status);

#endif

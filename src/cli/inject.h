/* What "vmdeck port inject" does; returns the exit status. Main thread. */
#ifndef CLI_INJECT_H
#define CLI_INJECT_H

#include "cli/command.h"

int port_inject(struct cli *cli);

#endif

/* What "vmdeck port inject" does, and asks; each returns an exit status. Main thread. */
#ifndef CLI_INJECT_H
#define CLI_INJECT_H

#include "cli/command.h"

int port_inject(struct cli *cli);
int port_inject_requests(struct cli *cli); /* of --data alone */

#endif

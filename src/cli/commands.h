/*
 * The subcommands. Each returns the exit status. Main thread.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

int run_main(struct cli *cli);
int new_main(struct cli *cli);
int disk_main(struct cli *cli);
int clone_main(struct cli *cli);
int rename_main(struct cli *cli);
int delete_main(struct cli *cli);
int list_main(struct cli *cli);
int show_main(struct cli *cli);
int order_main(struct cli *cli); /* start, stop, pause, resume, reset */
int console_main(struct cli *cli);
int connect_main(struct cli *cli);
int capture_main(struct cli *cli);
int extcap_main(struct cli *cli);
int check_main(struct cli *cli);
int doctor_main(struct cli *cli);
int switches_main(struct cli *cli);
int port_main(struct cli *cli);
int stats_main(struct cli *cli);
int events_main(struct cli *cli);
int events_requests(struct cli *cli);
int incident_main(struct cli *cli);
int reload_main(struct cli *cli);
int shutdown_main(struct cli *cli);
int complete_main(struct cli *cli);
int help_main(struct cli *cli);

/* Their requests, as struct command has it; requests.h has those of the others. */
int incident_requests(struct cli *cli);
int order_requests(struct cli *cli);
int balloon_requests(struct cli *cli);
int eject_requests(struct cli *cli);
int insert_requests(struct cli *cli);
int console_requests(struct cli *cli);
int break_requests(struct cli *cli);
int connect_requests(struct cli *cli);
int capture_requests(struct cli *cli);
int port_requests(struct cli *cli);
int stats_requests(struct cli *cli);
int shutdown_requests(struct cli *cli);

#endif

/*
 * What command lines ask of a deck: made by the rows of commands, asked, or only shown. Main
 * thread, or the screen's.
 */
#ifndef CLI_REQUESTS_H
#define CLI_REQUESTS_H

#include "cli/command.h"

/* Adds a request; params (or NULL) is taken over. */
void request_add(struct cli *cli, enum method_id method, json_t *params);

/* The request of a command whose method takes the guest that it names, or nothing. CLI_OK. */
int requests_plain(struct cli *cli);

/* Makes the command line's requests and asks them, going on after a failure. An exit status. */
int requests_ask(struct cli *cli);

/* Makes them and prints each as JSON, in a line; nothing is asked. An exit status. */
int requests_print(struct cli *cli);

#endif

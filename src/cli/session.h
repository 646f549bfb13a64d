/*
 * The connection to the deck; what goes wrong is said on stderr. Main thread.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <jansson.h>

#include "cli/command.h"
#include "control/client.h"

/* Connects to the deck. NULL after a message. */
struct link *session_open(struct cli *cli);

/* The same, but that no deck runs is nothing to be told: NULL without a message. */
struct link *session_open_if_any(struct cli *cli);

/* Calls a method; the result is the caller's. NULL after a message. params is taken over. */
json_t *session_call(struct link *link, const char *method, json_t *params);

/* Calls one method over a connection of its own. NULL after a message. */
json_t *session_ask(struct cli *cli, const char *method, json_t *params);

/* The same without parameters, and without a word when no deck runs or it refuses. */
json_t *session_try(const struct cli *cli, const char *method);

#endif

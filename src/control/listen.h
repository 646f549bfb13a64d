/*
 * Unix sockets to which only this user connects. Any thread. Sentences end with advice, how to
 * choose another path: "choose another with --socket".
 */
#ifndef CONTROL_LISTEN_H
#define CONTROL_LISTEN_H

#include <stdbool.h>

#include "base/cause.h"

/*
 * The folder that a socket is to be in: one that is missing is made, mode 0700, or would be;
 * one to which others can write is refused. 0 or a negative errno with a cause.
 */
int listen_folder(const char *path, bool make, const char *advice, struct cause *cause);

/*
 * Listens at path, mode 0600, where a socket that nobody answers on any more is removed; the
 * fd does not wait. A negative errno with a cause: -EEXIST, -EADDRINUSE, and others.
 */
int listen_open(const char *path, int backlog, const char *advice, struct cause *cause);

#endif

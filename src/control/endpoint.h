/*
 * Where a deck is reached: its Unix socket. Any thread.
 */
#ifndef CONTROL_ENDPOINT_H
#define CONTROL_ENDPOINT_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/cause.h"

/*
 * The socket's path: given if not NULL, else $VMDECK_SOCKET, else
 * vmdeck/deck.sock in $XDG_RUNTIME_DIR or, without that, in /run/user/UID, else
 * /tmp/vmdeck-UID/deck.sock.
 * -ENAMETOOLONG with a cause when it does not fit a socket address.
 */
int endpoint_path(char *path, size_t size, const char *given, struct cause *cause);

/* The address of a path. -ENAMETOOLONG with a cause. */
int endpoint_address(struct sockaddr_un *address, const char *path, struct cause *cause);

/*
 * Connects and checks that the other side is this user or root. Returns the
 * fd, close-on-exec and blocking, or a negative errno with a cause; -ENOENT and
 * -ECONNREFUSED mean that no deck is running there.
 */
int endpoint_connect(const char *path, struct cause *cause);

/* Whether the peer of a connected Unix socket is this user or root: 0, or -EACCES. */
int endpoint_check_peer(int fd, pid_t *pid, struct cause *cause);

#endif

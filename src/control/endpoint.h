/*
 * Where a deck is reached: its Unix socket. Any thread.
 */
#ifndef CONTROL_ENDPOINT_H
#define CONTROL_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/cause.h"

#define ENDPOINT_PATHS 2

struct endpoint {
	/*
	 * Where a deck listens, the best first; "" where there is none. Runtime folders go away
	 * with their user's last login, and not every program is told of them, so the second
	 * one is not in them.
	 */
	char paths[ENDPOINT_PATHS][sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	bool given; /* the user named the path, and answers for whose it is */
};

/*
 * Finds the paths of the socket: given if not NULL, else $VMDECK_SOCKET, else
 * vmdeck/deck.sock in $XDG_RUNTIME_DIR or, without that, in /run/user/UID, else
 * /tmp/vmdeck-UID/deck.sock; and, of one that was not given, deck.sock in the folder of
 * paths_state(). -ENAMETOOLONG with a cause when the first does not fit a socket address.
 */
int endpoint_find(struct endpoint *out, const char *given, struct cause *cause);

/* The address of a path. -ENAMETOOLONG with a cause. */
int endpoint_address(struct sockaddr_un *address, const char *path, struct cause *cause);

/*
 * Connects to the first path that somebody answers on, and checks that it is this user or
 * root; root may name the socket of anybody. Returns the fd, close-on-exec and blocking, or
 * a negative errno with a cause; -ENOENT and -ECONNREFUSED mean that no deck is running
 * there.
 */
int endpoint_connect(const struct endpoint *endpoint, struct cause *cause);

/* Whether the peer of a connected Unix socket is this user or root: 0, or -EACCES. */
int endpoint_check_peer(int fd, pid_t *pid, struct cause *cause);

#endif

/*
 * A path at which a server listens, which others may remove under it. Deck thread.
 */
#ifndef CORE_SERVER_PLACE_H
#define CORE_SERVER_PLACE_H

#include <stdbool.h>

#include "base/cause.h"
#include "base/loop.h"

struct server;

struct place {
	struct server *server;
	const char *path; /* NULL: there is no such place */
	int listen_fd, lock_fd; /* -1: nobody listens */
	struct loop_source accepting;
};

#define PLACE_CLOSED { .listen_fd = -1, .lock_fd = -1 }

/*
 * Takes its path; makes the folders above it if that is wanted. 0, or what
 * server_socket_open() says.
 */
int place_open(struct place *place, bool folders, struct cause *cause);

/* Whether clients find it there. */
bool place_is_there(const struct place *place);

/* Nobody listens after that; accepting is its user's to remove before. Valid twice. */
void place_close(struct place *place);

#endif

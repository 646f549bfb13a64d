/*
 * Where a server listens: one of the paths of an endpoint, which others may remove under
 * it. Deck thread.
 */
#ifndef CORE_SERVER_PLACE_H
#define CORE_SERVER_PLACE_H

#include <stdbool.h>

#include "base/cause.h"
#include "control/endpoint.h"

struct place {
	int at; /* which of the paths; -1: nowhere */
	int listen_fd, lock_fd;
};

#define PLACE_NOWHERE ((struct place){ .at = -1, .listen_fd = -1, .lock_fd = -1 })

/*
 * Takes the first free one of the endpoint's first count paths. 0, or what
 * server_socket_open() says of the first.
 */
int place_open(struct place *place, const struct endpoint *endpoint, int count,
	       struct cause *cause);

/* Whether clients still find it there. */
bool place_is_there(const struct place *place, const struct endpoint *endpoint);

/* It is nowhere after that. Valid twice. */
void place_close(struct place *place, const struct endpoint *endpoint);

#endif

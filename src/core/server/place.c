/* See place.h. */
#include "core/server/place.h"

#include <libgen.h>
#include <string.h>

#include "base/paths.h"
#include "core/server/socket.h"

/* Nobody else makes the folders of the path that is there for want of a better one. */
static void make_folder(const char *path)
{
	char folder[sizeof(((struct endpoint *)NULL)->paths[0])];

	strcpy(folder, path);
	paths_make(dirname(folder), NULL);
}

int place_open(struct place *place, const struct endpoint *endpoint, int count,
	       struct cause *cause)
{
	int error = 0, first = 0;

	for (int i = 0; i < count && *endpoint->paths[i]; i++) {
		if (i)
			make_folder(endpoint->paths[i]);
		error = server_socket_open(endpoint->paths[i], &place->listen_fd, &place->lock_fd,
					   i ? NULL : cause);
		if (error == 0) {
			place->at = i;
			return 0;
		}
		first = i ? first : error;
	}
	*place = PLACE_NOWHERE;
	return first;
}

bool place_is_there(const struct place *place, const struct endpoint *endpoint)
{
	return place->at >= 0 &&
	       server_socket_is_there(endpoint->paths[place->at], place->lock_fd);
}

void place_close(struct place *place, const struct endpoint *endpoint)
{
	if (place->at >= 0)
		server_socket_close(endpoint->paths[place->at], place->listen_fd, place->lock_fd);
	*place = PLACE_NOWHERE;
}

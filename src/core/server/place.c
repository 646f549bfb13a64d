/* See place.h. */
#include "core/server/place.h"

#include <libgen.h>
#include <stdio.h>
#include <sys/un.h>

#include "base/paths.h"
#include "core/server/socket.h"

int place_open(struct place *place, bool folders, struct cause *cause)
{
	char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	int error;

	if (folders) {
		snprintf(folder, sizeof(folder), "%s", place->path);
		error = paths_make(dirname(folder), cause);
		if (error < 0)
			return error;
	}
	return server_socket_open(place->path, &place->listen_fd, &place->lock_fd, cause);
}

bool place_is_there(const struct place *place)
{
	return place->listen_fd >= 0 && server_socket_is_there(place->path, place->lock_fd);
}

void place_close(struct place *place)
{
	if (place->listen_fd >= 0)
		server_socket_close(place->path, place->listen_fd, place->lock_fd);
	place->listen_fd = place->lock_fd = -1;
}

/* See spares.h. accept(2). */
#include "core/server/spares.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

void spares_fill(struct spares *spares)
{
	while (spares->count < SPARES) {
		int fd = eventfd(0, EFD_CLOEXEC);

		if (fd < 0)
			return;
		spares->fds[spares->count++] = fd;
	}
}

int spares_accept(struct spares *spares, int listen_fd)
{
	int fd;

	spares_fill(spares);
	fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0 || (errno != EMFILE && errno != ENFILE) || !spares->count)
		return fd;
	close(spares->fds[--spares->count]);
	return accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

void spares_close(struct spares *spares)
{
	while (spares->count)
		close(spares->fds[--spares->count]);
}

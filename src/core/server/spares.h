/*
 * Descriptors that are kept for accept4(), so that at the limit of open files a client
 * gets an answer. Deck thread.
 */
#ifndef CORE_SERVER_SPARES_H
#define CORE_SERVER_SPARES_H

#define SPARES 2 /* one for a client that is served, one to turn others away with */

struct spares {
	int fds[SPARES];
	unsigned count;
};

/* Takes as many as are missing and can be had. All zero: none is there. */
void spares_fill(struct spares *spares);

/*
 * accept4() for a listening socket, if need be in the place of a spare one. Fills them before.
 * With none left what it returns is to be closed before the next call.
 */
int spares_accept(struct spares *spares, int listen_fd);

void spares_close(struct spares *spares);

#endif

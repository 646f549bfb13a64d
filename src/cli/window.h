/*
 * The size of the terminal on standard output, and when it changes. On a base loop, whose
 * thread it is; other threads have SIGWINCH blocked.
 */
#ifndef CLI_WINDOW_H
#define CLI_WINDOW_H

#include "base/loop.h"
#include "control/client.h"

struct window {
	unsigned rows, columns;
	struct loop *loop; /* set from window_watch() on */
	struct loop_source source;
	int fd;
	void (*changed)(void *arg);
	void *arg;
};

/* Measures it; 25 by 80 if that cannot be. */
void window_measure(struct window *window);

/*
 * Measures it, and calls changed(arg) when it has another size. The window is zeroed. 0 or
 * -errno; window_end() is to be called in both cases.
 */
int window_watch(struct window *window, struct loop *loop, void (*changed)(void *arg), void *arg);

/* Tells the deck that the guest's console is shown in it. */
void window_tell(const struct window *window, struct client *client, const char *guest);

/* Valid on one that is zeroed. */
void window_end(struct window *window);

#endif

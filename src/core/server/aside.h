/*
 * Requests whose work may wait for a file system, which may never answer: it is done on one of
 * the threads for that, beside the peer's further requests. Deck thread but where it is said.
 */
#ifndef CORE_SERVER_ASIDE_H
#define CORE_SERVER_ASIDE_H

#include "core/server/request.h"

struct aside_kind {
	/* What may wait. On a thread of its own, or never. */
	void (*work)(void *arg);
	/* After that: 0 with *result (NULL: {}), or a negative errno with a cause. */
	int (*finish)(void *arg, struct deck *deck, json_t **result, struct cause *cause);
	/*
	 * Called in the place of finish() after patience, ns, while work() goes on, and so without
	 * what that has or writes. NULL: it is waited for.
	 */
	json_t *(*late)(void *arg);
	uint64_t patience;
	/* Afterwards, in any case: what it has may wait for a file system when it is closed. */
	void (*release)(void *arg); /* any thread */
};

/*
 * Begins the work of a request, which is answered by itself then; arg is taken over. 0, or
 * -EAGAIN with a cause when there is no thread for it; then nothing was called.
 */
int aside_begin(struct request *request, const struct aside_kind *kind, void *arg,
		struct cause *cause);

/* Has release(arg) called on such a thread; nobody waits for it. */
void aside_release(struct server *server, void (*release)(void *arg), void *arg);

#endif

/*
 * A program of others (program.h) that serves a device of a guest's over a socket, on a loop:
 * started, heard, asked to end, and ended.
 *
 * The socket is listened at below a folder of mode 0700 for as long as it takes to connect to it;
 * nobody else can come to it afterwards. All on the loop's thread; backend_wait(),
 * backend_kill() and backend_stop() wait, and not for long.
 */
#ifndef SANDBOX_BACKEND_H
#define SANDBOX_BACKEND_H

#include <stddef.h>

#include "base/cause.h"
#include "base/loop.h"
#include "sandbox/program.h"

/* PROGRAM_FD, at which it listens, for its arguments. */
#define BACKEND_LISTEN_FD "3"

struct backend {
	struct loop *loop;
	struct program_process process;
	struct loop_source status, error;
	/* It has ended by itself: why, as a part of a sentence, with its last words. */
	void (*ended)(void *arg, const char *why);
	void *arg;
};

/* Makes *backend one without a process. */
void backend_init(struct backend *backend, struct loop *loop,
		  void (*ended)(void *arg, const char *why), void *arg);

/*
 * Adds a descriptor to those that it begins with, of which the caller has set order->fds[0] and
 * the first that is free to -1. The path by which it opens what that is; a constant.
 */
const char *backend_pass(struct program_order *order, int fd);

/*
 * Starts it, as ordered but for order->fds[0], which is filled in: its socket. One that is
 * connected to it, which does not block and is the caller's; or a negative errno with a cause.
 */
int backend_start(struct backend *backend, struct program_order *order, struct cause *cause);

/*
 * Something about it is wrong: gives it a moment to end. 0: it has, and why is in text as ended()
 * is told it, which is not called; -ETIMEDOUT: it goes on.
 */
int backend_wait(struct backend *backend, char *text, size_t size);

/* Ends it at once, if there is one: as program_kill(). ended() is not called. */
bool backend_kill(struct backend *backend);

/* Asks it to end and waits for that, for at most limit_ms; then as backend_kill(). */
void backend_stop(struct backend *backend, unsigned limit_ms);

#endif

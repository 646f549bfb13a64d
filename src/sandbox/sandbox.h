/*
 * A process of its own for something that guests feed and that is not ours, or
 * that takes its time: started, watched, ended, and started again.
 *
 * A kind of process is a row: its name, its channel, its walls, and the function
 * that runs behind them. It is defined in the room that it belongs to; the
 * program hands the list of them to sandbox_entry().
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/loop.h"
#include "sandbox/channel.h"
#include "sandbox/walls.h"

#define SANDBOX_LABEL_MAX 64
#define SANDBOX_WHY_MAX CAUSE_SIZE

struct sandbox_kind {
	const char *name; /* "nat": the process is called vmdeck-nat; at most 15 characters */
	struct channel_layout layout;
	struct walls walls;
	bool once; /* it does one thing and ends, and is not started again */
	uint64_t patience; /* ns; 0: SANDBOX_PATIENCE. See sandbox_sent() */

	/* In the process. Before it enters its walls, or NULL: loads what it cannot load behind them. */
	int (*prepare)(struct cause *cause);

	/* Behind them; label is what sandbox_start() was given. The process ends when it returns. */
	void (*run)(struct channel *channel, const char *label);
};

/*
 * In main(), first of all: when this process was started by a helper as one of
 * kinds (ended by NULL) it becomes that and never returns. Else it returns at
 * once.
 */
void sandbox_entry(int argc, char **argv, const struct sandbox_kind *const *kinds);

struct sandbox;

/* On the loop's thread. None of them may stop the sandbox. */
struct sandbox_ops {
	/* It is behind its walls, with a channel that nothing has been written to. */
	void (*ready)(void *arg);

	/* There may be records, or room for them after channel_wait_for_room(). */
	void (*input)(void *arg);

	/*
	 * It has ended, or has been ended: why, as a part of a sentence. The channel
	 * is closed when this returns. again_ns: when it will be started again, from
	 * now on; 0: it will not.
	 */
	void (*ended)(void *arg, const char *why, uint64_t again_ns);
};

/*
 * Starts one; what happens to it is told by ops. The loop's thread, and so are
 * all functions but sandbox_sent(). 0 or a negative errno with a cause, when
 * there is not even something to wait for.
 */
int sandbox_start(struct sandbox **out, struct loop *loop, const struct sandbox_kind *kind,
		  const char *label, const struct sandbox_ops *ops, void *arg, struct cause *cause);

/* The same of one that has a file of its owner's, HELPER_FD_FILE, which stays as long. */
int sandbox_start_with(struct sandbox **out, struct loop *loop, const struct sandbox_kind *kind,
		       const char *label, int file_fd, const struct sandbox_ops *ops, void *arg,
		       struct cause *cause);

/* Ends it for good; ended() is not called. NULL is valid. */
void sandbox_stop(struct sandbox *sandbox);

/* Its channel while it is ready, else NULL. */
struct channel *sandbox_channel(struct sandbox *sandbox);

/*
 * Something was published to it: has it watched until it has taken that. One that
 * takes nothing for its kind's patience is ended. Any thread, while the process is
 * ready; costs one load while it is watched already.
 */
void sandbox_sent(struct sandbox *sandbox);

/* The owner found its channel broken: ends it, with that as the reason; then as in ended(). */
void sandbox_broken(struct sandbox *sandbox, const char *why);

#define SANDBOX_PATIENCE (3 * 1000000000ull) /* ns */

/* WALL_* that a process which this one has started should have had, and had not. Any thread. */
uint32_t sandbox_refused(void);

/* WALL_* of the process while it is ready, else 0; and its pid, or 0. */
uint32_t sandbox_walls(const struct sandbox *sandbox);
int sandbox_pid(const struct sandbox *sandbox);

#endif

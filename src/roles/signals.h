/*
 * The signals that end a deck. They are blocked before it has a thread and read on its
 * loop as long as it lives, whether it has a screen, has lost it or never had one: the
 * first presses the power buttons, the next one takes the power.
 *
 * SIGHUP is none of them: guests outlive a terminal. One that the program was started to
 * ignore stays ignored.
 */
#ifndef ROLES_SIGNALS_H
#define ROLES_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/cause.h"
#include "base/loop.h"

/* SIGTERM that the launcher passes on: of two of one number that wait the second is lost. */
#define DECK_SIGNAL_PASSED_ON SIGRTMIN

struct deck_signals {
	int fd;
	struct loop *loop; /* NULL: not watched */
	struct loop_source source;
	unsigned direct, passed_on; /* how many came, by way of the launcher or not */
	unsigned orders;	    /* how many that is in all */
	void (*came)(void *arg, bool again); /* on the loop's thread */
	void *arg;
};

/*
 * Blocks SIGTERM, and SIGINT of a deck that has no terminal. All zero but for came and arg;
 * deck_signals_close() is due in every case. Main thread, before others start.
 */
int deck_signals_open(struct deck_signals *signals, bool terminal, struct cause *cause);

/* Has them read on the loop's thread. */
int deck_signals_watch(struct deck_signals *signals, struct loop *loop, struct cause *cause);

/* The loop does not run. fd -1: nothing was opened. */
void deck_signals_close(struct deck_signals *signals);

/* The main thread has nothing else to do with any signal from here on. */
void deck_signals_block_all(void);

/* Sends one on to the process that holds the deck. May be called by a signal handler. */
int deck_signals_pass_on(pid_t child, int number);

#endif

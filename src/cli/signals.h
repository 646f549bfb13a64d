/* Signals as file descriptors, for what ends well when interrupted. */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <signal.h>

/*
 * Blocks the signals of a set, but for those that the program was started to ignore, and
 * returns an fd of signalfd(2) that becomes readable with one of them, or -1 with errno.
 * SIGPIPE is ignored from here on. before, unless NULL: what was blocked until then.
 */
int signals_open_set(const sigset_t *wanted, sigset_t *before);

/* The same for SIGINT, SIGTERM, SIGHUP and SIGQUIT. */
int signals_open(sigset_t *before);

/* Takes one signal off the fd; its number, or 0 when there is none. */
int signals_take(int fd);

/* Closes the fd, -1 too; the signals do from here on what they did before. */
void signals_close(int fd, const sigset_t *before);

#endif

/* Signals as file descriptors, for subcommands that end well when interrupted. */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

/*
 * Blocks SIGINT, SIGTERM and SIGHUP and returns an fd that becomes readable with one of
 * them, or -1. SIGPIPE is ignored from here on.
 */
int signals_open(void);

/* Takes one signal off the fd; its number, or 0 when there is none. */
int signals_take(int fd);

/* Closes the fd, -1 too; the signals do from here on what they did before. */
void signals_close(int fd);

#endif

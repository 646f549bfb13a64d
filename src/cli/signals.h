/* Signals as file descriptors, for subcommands that end well when interrupted. */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

/*
 * Blocks SIGINT, SIGTERM and SIGHUP and returns an fd that becomes readable with one of
 * them, or -1. SIGPIPE is ignored from here on.
 */
int signals_open(void);

#endif

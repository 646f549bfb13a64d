/*
 * "vmdeck complete". Main thread.
 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "cli/command.h"

/*
 * Calls take with each word that the last of the words can become, and what it means, or NULL;
 * on a screen it need not begin like it. cli->look() may be asked for names.
 */
void complete_offer(struct cli *cli, int argc, char **argv,
		    void (*take)(void *arg, const char *word, const char *help), void *arg);

/* Prints what can follow the words, of which the last is being typed; takes them raw. */
int complete_words(struct cli *cli, int argc, char **argv);

#endif

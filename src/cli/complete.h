/*
 * "vmdeck complete". Main thread.
 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "cli/command.h"

/* Prints what can follow the words, of which the last is being typed; takes them raw. */
int complete_words(struct cli *cli, int argc, char **argv);

#endif

/*
 * The commands as a screen has them, control/command_line.h. Its arg is a struct cli_hooks. Any
 * one thread.
 */
#ifndef CLI_LINE_H
#define CLI_LINE_H

#include "control/command_line.h"

int line_read(const void *hooks, const char *line, const struct command_place *place,
	      struct command_asked *asked, struct cause *cause);
void line_complete(const void *hooks, const char *line, const struct command_place *place,
		   void (*offer)(void *arg, const char *word, const char *help), void *offer_arg);
bool line_spell(const void *hooks, const char *method, const json_t *params, char *out,
		size_t size);

#endif

/* Who carries out what is asked and answered at once, file by file. Deck thread. */
#ifndef CORE_SERVER_COMMANDS_COMMANDS_H
#define CORE_SERVER_COMMANDS_COMMANDS_H

#include "core/server/request.h"

extern const struct handler deck_commands[], guest_commands[], media_commands[],
	switch_commands[];

#endif

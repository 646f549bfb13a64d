/* Who carries out what is asked, file by file. Deck thread. */
#ifndef CORE_SERVER_COMMANDS_COMMANDS_H
#define CORE_SERVER_COMMANDS_COMMANDS_H

#include "core/server/request.h"

extern const struct handler breakpoint_commands[], deck_commands[], guest_commands[],
	media_commands[], resize_commands[], switch_commands[];

#endif

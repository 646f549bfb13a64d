/*
 * The process behind walls that a screen's terminal is emulated in: it takes a
 * guest's output off its channel and keeps the grid up to date.
 */
#ifndef TUI_CONSOLE_EMULATOR_PROCESS_H
#define TUI_CONSOLE_EMULATOR_PROCESS_H

#include "sandbox/sandbox.h"

extern const struct sandbox_kind emulator_process;

struct emulator_server;

/* What runs there, on its end of the channel, which stays the caller's. NULL: no memory. */
struct emulator_server *emulator_server_new(struct channel *channel);
void emulator_server_free(struct emulator_server *server);

/*
 * Takes records for a while, and writes a frame if there is something new and the
 * last one was drawn. Returns whether there are more records.
 */
bool emulator_server_turn(struct emulator_server *server);

#endif

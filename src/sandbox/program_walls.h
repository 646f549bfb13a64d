/*
 * What a program of others gives up before it is executed. It is not ours and comes in many
 * versions, so what it must not do is named, and not what it may: what nobody needs who reads
 * and writes files. The child of the helper, which has one thread.
 */
#ifndef SANDBOX_PROGRAM_WALLS_H
#define SANDBOX_PROGRAM_WALLS_H

#include <stdbool.h>

#include "sandbox/program.h"

/* Each of the walls that the host has; executable is the program's path. */
struct program_walls {
	enum program program;
	const char *executable;
	const struct program_file *files; /* NULL: it makes walls itself, for which it needs more */
	enum program_network network;
};

void program_walls_enter(const struct program_walls *walls);

#endif

/*
 * What a process of its own gives up before it looks at anything of a guest's.
 * In that process, which has one thread.
 */
#ifndef SANDBOX_WALLS_H
#define SANDBOX_WALLS_H

#include <stdbool.h>
#include <stdint.h>

struct walls {
	uint64_t memory;      /* bytes of address space */
	unsigned descriptors; /* its standard ones and the channel's included */
	bool network;	      /* shares the host's; false: it has none */
};

enum { WALL_NO_NEW_PRIVS = 1, WALL_LIMITS = 2 };

/* Which are in force: WALL_*. */
uint32_t walls_enter(const struct walls *walls);

#endif

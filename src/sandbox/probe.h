/*
 * Finding out which walls this host gives, by entering them. The caller's
 * process has started no thread.
 */
#ifndef SANDBOX_PROBE_H
#define SANDBOX_PROBE_H

#include <stdint.h>

#include "base/cause.h"
#include "sandbox/program.h"
#include "sandbox/sandbox.h"

/* Enters all walls there are and ends. To be among the kinds of sandbox_entry(). */
extern const struct sandbox_kind probe_process;

/*
 * Starts one and waits for what becomes of it, some seconds at most. 0 with
 * WALL_* of those in force, or a negative errno with a cause: none can be started.
 */
int probe_walls(uint32_t *in_force, struct cause *cause);

/*
 * Starts that program, after probe_walls(), to say its version. Those of WALL_* that it should
 * have and has not; 0 also if it cannot be started.
 */
uint32_t probe_program(enum program program);

/* A bit for each filter that no thread of this process could enter; each is tried. */
uint32_t probe_filters(void);

#endif

/*
 * What the deck's own process and its threads give up. They share one address
 * space, so this is a second fence behind the walls of the processes that handle
 * what guests feed: what a thread never does, it cannot be made to do by itself.
 */
#ifndef SANDBOX_CONFINE_H
#define SANDBOX_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/filters.h"

/*
 * For good: the calling thread keeps of root's capabilities those that its kind
 * needs, gains no others, and enters the filter of its kind, an enum call_filter. What
 * the host refuses is left out and told by confine_missing(). As a thread_role
 * wants it.
 */
void confine_thread(unsigned filter);

/*
 * The same of a thread of a kind that whoever starts it is of, too: it is born with all that, or,
 * where it was started by who has given up nothing, is not.
 */
void confine_by_birth(unsigned filter);

/* The calling thread has no capabilities but those, a bit for each, if it has them. */
void confine_capabilities(uint64_t kept);

/* No core dump of this process and of what it executes. False: dumps are not refused. */
bool confine_cores(void);

/* The same, of what it starts, too, and no looking into this process, but by root. */
bool confine_process(void);

/* A bit for each filter that a thread could not enter so far. Any thread. */
uint32_t confine_missing(void);

/* A bit for each filter that a thread has entered so far. Any thread. */
uint32_t confine_entered(void);

#endif

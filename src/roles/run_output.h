/*
 * A guest's console on standard output, which is written without ever waiting
 * for whoever reads it. Deck thread.
 */
#ifndef ROLES_RUN_OUTPUT_H
#define ROLES_RUN_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "core/machine/console.h"

#define RUN_OUTPUT_CHUNK 4096u

struct run_output {
	struct loop *loop;
	struct console *console; /* that is followed, or NULL */
	struct console_reader reader;
	struct loop_source room; /* standard output, while it takes nothing */
	uint8_t data[RUN_OUTPUT_CHUNK + CONSOLE_SIZE]; /* taken from the console */
	size_t size, written;
	uint64_t lost; /* bytes that the guest had overwritten, not told yet */
	bool failed;   /* standard output is no more; what comes is dropped */
	bool ended;    /* run_output_end() was called */

	/* Set by the owner. say(): a line for a person; done(): see run_output_end(). */
	void (*say)(void *arg, const char *text);
	void (*done)(void *arg);
	void *arg;
};

/* Shows the console, from what it has kept, on standard output. */
void run_output_begin(struct run_output *output, struct loop *loop, struct console *console);

/*
 * The guest is over: takes the rest of its console, which can go then. Calls
 * done(arg) when all has been written or nothing can be, perhaps at once.
 */
void run_output_end(struct run_output *output);

/* Gives up what has not been written, and says how much that is. Valid at any time, and twice. */
void run_output_stop(struct run_output *output);

#endif

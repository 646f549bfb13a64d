/*
 * Compiling a packet filter: libpcap does it, in a process of its own that has
 * a bound on memory and time, no network, and is there for that one filter.
 * What it answers is checked before it is used (filter.h). The loop's thread.
 */
#ifndef NET_CAPTURE_FILTER_COMPILER_H
#define NET_CAPTURE_FILTER_COMPILER_H

#include "base/filter.h"
#include "base/loop.h"
#include "sandbox/sandbox.h"

#define FILTER_PATIENCE (2 * NS_PER_S) /* from when the process is ready */

/* "vmdeck-filter". */
extern const struct sandbox_kind filter_process;

/*
 * One compilation, embedded in its owner, which sets done and arg; the rest zero. It is over
 * when done() is called, with a filter that is the owner's, or with an error and its cause.
 */
struct filter_compiler {
	void (*done)(void *arg, struct filter *filter, int error, const struct cause *cause);
	void *arg;

	struct loop *loop; /* NULL: none is under way */
	struct sandbox *sandbox;
	const char *expression;
	char *text; /* what it is compiled from */
	bool settled; /* finish is posted */
	struct filter filter;
	int error;
	struct cause cause;
	struct loop_timer patience;
	struct loop_task finish;
};

/*
 * Begins to compile a pcap-filter(7) expression that names no hosts, and must live until it is
 * over. 0: done() will be called, not by this function. -EINVAL for what is wrong with its
 * words, and what sandbox_start() returns, with a cause.
 */
int filter_compile(struct filter_compiler *compiler, struct loop *loop, const char *expression,
		   struct cause *cause);

/* Gives it up: done() is not called. Valid when none is under way. */
void filter_compile_cancel(struct filter_compiler *compiler);

/*
 * What the process does with a text of known words: compiles it into room for FILTER_INSNS_MAX
 * instructions. How many there are, or -EINVAL with libpcap's words, -ELIBACC. For the tests.
 */
int filter_process_compile(struct filter_insn *insns, const char *text, struct cause *cause);

#endif

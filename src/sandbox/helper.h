/*
 * The process that starts processes. It is forked before this one has a second
 * thread, so it is small, holds nothing of a guest, and the threads' filters
 * need not allow to start anything. What it starts is this program's own image,
 * executed afresh, with an address space of its own. It ends with its parent,
 * and what it has started ends with it.
 *
 * One a process, for programs of others (program.h), which have to be the user's, since
 * they open the user's files, and for what is opened in the deck's place (opener.h). It forks a second one of its kind when this program's image is
 * asked for for the first time, which gives up being root.
 */
#ifndef SANDBOX_HELPER_H
#define SANDBOX_HELPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cause.h"
#include "sandbox/program.h"

#define HELPER_PREFIX "vmdeck-" /* of argv[0] of what is started, before the name */
#define HELPER_NAME_MAX 16
#define HELPER_LABEL_MAX 64

/* The helper is no more, and nothing can make another one. */
#define HELPER_GONE "the process that starts others has ended; only vmdeck started anew has one"

/*
 * Descriptors of what is started, beside the standard ones, which are /dev/null; not all
 * processes have a file.
 */
enum { HELPER_FD_MEMORY = 3, HELPER_FD_WAKE, HELPER_FD_PEER, HELPER_FD_FILE, HELPER_FD_COUNT };

/* What the helper says of a process, on the socket that helper_spawn() returns. */
enum helper_says {
	HELPER_STARTED, /* code: its pid */
	HELPER_REFUSED, /* code: an errno. It is the last message */
	HELPER_EXITED,	/* code: its exit status. It is the last message */
	HELPER_KILLED,	/* code: the signal. It is the last message */
	HELPER_OPENED,	/* code: 0, with a descriptor, or an errno: see opening.h */
};

struct helper_report {
	int32_t says;
	int32_t code;
	/*
	 * Of a program that is started: WALL_* that it should have, and has not; of HELPER_OPENED:
	 * the step that failed.
	 */
	uint32_t refused;
};

/*
 * Forks the helper. From main() before any thread is started; a second call
 * does nothing. program is the image that it executes, NULL: this one. 0 or a
 * negative errno with a cause.
 */
int helper_start(const char *program, struct cause *cause);

/*
 * Has it start "vmdeck-NAME LABEL" with those descriptors, file_fd being -1 for none, with a
 * network namespace of its own unless network. Any thread; does not wait. A socket
 * (SOCK_SEQPACKET) for struct helper_report, by closing which the caller ends the process;
 * end of file without a last message means that the helper is gone. Or a negative
 * errno with a cause, -ESRCH if it is gone.
 */
int helper_spawn(const char *name, const char *label, bool network, int memory_fd, int wake_fd,
		 int peer_fd, int file_fd, struct cause *cause);

#define HELPER_ASK 'a'	/* SIGTERM */
#define HELPER_KILL 'k' /* SIGKILL */

#define HELPER_ARGUMENTS_MAX 16384 /* bytes, with the NUL of each */

/* The exit status of what could not be executed, or had something wrong about how it should be. */
#define HELPER_NOT_EXECUTED 127

/*
 * The same for a program of others, in a process group of its own, whose standard error is
 * error_fd. A byte on the socket asks it to end, or ends it; then that is told there as its end by
 * itself would be. It does not start where its folder cannot be made one to read. -E2BIG with a
 * cause when the arguments are too long.
 */
int helper_run(const struct program_order *order, int error_fd, struct cause *cause);

struct opener_order;

/* The same for something that is opened, which comes on the socket: see opening.h. */
int helper_open(const struct opener_order *order, struct cause *cause);

#endif

/*
 * Programs of others: what they are called, where they are looked for, and which package
 * brings them; and one that is running. Only these are ever executed, whatever the process
 * that executes them (helper.h) is asked for.
 *
 * What it writes on standard error is kept to its last line, for the moment in which it ends;
 * its standard input and output are /dev/null, or a socket of whoever asks it something.
 */
#ifndef SANDBOX_PROGRAM_H
#define SANDBOX_PROGRAM_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"

enum program { PROGRAM_STORAGE_DAEMON, PROGRAM_VIRTIOFSD, PROGRAM_XORRISO, PROGRAM_SHARKD,
	       PROGRAM_COUNT };

/* A folder that is searched first, an absolute path. */
#define PROGRAM_FOLDER_VARIABLE "VMDECK_PROGRAMS"

/* "qemu-storage-daemon". A constant. Any thread. */
const char *program_name(enum program program);

/* "it serves shared folders". A constant. Any thread. */
const char *program_purpose(enum program program);

/* Whether it makes walls of files and system calls itself, and is to be started without. */
bool program_makes_walls(enum program program);

/*
 * Where it is. 0, or -ENOENT with a cause that begins with its name and names Debian's
 * package. Any thread.
 */
int program_find(enum program program, char out[PATH_MAX], struct cause *cause);

/* --- one that is running; it is for one thread at a time --- */

#define PROGRAM_WORDS_MAX 256

struct program_process {
	enum program program;
	int status_fd; /* the helper's word of it, which polls readable; -1: there is none */
	int error_fd;  /* its standard error, which polls readable */
	atomic_int pid; /* as it has been told, or 0; any thread may look */
	uint32_t refused; /* by then: WALL_* that it should have, and has not */
	int exit_status; /* once it has ended: 0..255, or -EIO when something else ended it */
	char line[PROGRAM_WORDS_MAX]; /* that it is writing */
	size_t line_size;
	char words[PROGRAM_WORDS_MAX]; /* its last line that was not empty; foreign text */
};

#define PROGRAM_FD 3
#define PROGRAM_FDS 3

#define PROGRAM_FILES_MAX 80

struct program_file {
	const char *path; /* of a file, or a folder with all in it; NULL ends a list */
	bool written;
};

/* Whom it may connect to, beside those whose sockets it is given. */
enum program_network {
	PROGRAM_NO_NETWORK,
	PROGRAM_NETWORK, /* by IP; no socket of this host's */
	PROGRAM_LOCAL,	 /* sockets of this host's by their paths; no network */
};

/* What it begins with. */
struct program_order {
	enum program program;
	const char *const *arguments; /* behind its name; ends with NULL */
	/* All that it sees of files but the system's own; NULL: it is one that makes walls. */
	const struct program_file *files;
	enum program_network network;
	const char *readonly; /* a folder below which it cannot write; or NULL */
	/* Which become PROGRAM_FD and those behind it; the first -1 ends them. */
	int fds[PROGRAM_FDS];
	bool talks; /* the first of them is its standard input and output, too */
};

/*
 * Starts it by way of the helper, without waiting; it ends with this process at the latest. 0, or
 * a negative errno with a cause, and then there is nothing to be ended.
 */
int program_start(struct program_process *process, const struct program_order *order,
		  struct cause *cause);

/*
 * Of one that runs for a while: waits for its end, for at most limit_ms (-1: as long as it
 * takes) and until cancel_fd polls readable (-1: nothing cancels it), then it is killed. 0: its
 * exit status is 0; or a negative errno with a cause: -ECANCELED, -ETIMEDOUT, and -EIO, whose
 * cause has its last words. In each case it has ended, and nothing is left to be freed.
 */
int program_wait(struct program_process *process, int cancel_fd, int limit_ms,
		 struct cause *cause);

/*
 * Reads some of what there is on standard error. 1: there may be more; 0: there is none now;
 * -EPIPE: there will be none ever, and it polls readable all the time.
 */
int program_hear(struct program_process *process);

/*
 * Reads what there is of its status. 1: it has ended, and why is told in why as a part of a
 * sentence with its last words; then it is to be closed. 0: it has not.
 */
int program_ended(struct program_process *process, char *why, size_t size);

/* WALL_* that a program which this process has started should have, and has not. Any thread. */
uint32_t program_refused(void);

/*
 * Of one that has ended, or that there is none of. One that runs is ended at once by the helper,
 * without anybody's waiting for that.
 */
void program_close(struct program_process *process);

/* Asks it to end (SIGTERM), and waits for that for at most limit_ms; then as program_kill(). */
void program_end(struct program_process *process, int limit_ms);

/*
 * Ends it at once, if there is one, and waits a second for that. True: it has ended, and touches
 * nothing any more; false: it ends as soon as the kernel can, which may be held up by a device.
 */
bool program_kill(struct program_process *process);

#endif

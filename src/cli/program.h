/* Programs beside this one that subcommands call. Main thread. */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include <stddef.h>

struct program {
	const char *const *argv; /* ends with NULL; argv[0] is looked for in $PATH */
	const char *package;	 /* what brings it, for the sentence when it is missing */
	/* Called with what it prints, as it comes; NULL: out keeps it. */
	void (*printed)(void *arg, const char *text, size_t size);
	void *arg;
	char *out;   /* what it printed, with a NUL; the caller's to free */
	size_t size; /* of it, bytes */
	int signal;  /* that ended it, or 0 */
};

/*
 * Runs it to its end; an interrupt ends the program, and this one goes on. Its exit status, or
 * -1 when it could not be started or was ended by a signal. What it wrote to standard error,
 * or what is wrong, is said on ours.
 */
int program_run(struct program *program);

#endif

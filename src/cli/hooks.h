/*
 * What the subcommands ask of the program around them, and give back to it.
 * Main thread.
 */
#ifndef CLI_HOOKS_H
#define CLI_HOOKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cause.h"

/* Exit status of every subcommand. */
#define CLI_OK 0
#define CLI_FAILED 1
#define CLI_USAGE 2

/* A mistake of a profile, or a warning; line 0: of the file as a whole. */
typedef void check_found(void *arg, const char *profile, unsigned line, bool warning,
			 const char *text);

/* What only the rest of the program can do; main.c fills it. */
struct cli_hooks {
	/*
	 * Checks a profile, or those of a folder; NULL: all that there are. Calls found() for
	 * what is wrong with each. 0 when no mistake was found, else a negative errno, with a
	 * cause when nothing could be checked; it is "" before.
	 */
	int (*check)(const char *path, check_found *found, void *arg, struct cause *cause);

	/* Calls each() with the name of every guest that has a profile; a deck is not needed. */
	void (*profiles)(void (*each)(void *arg, const char *name), void *arg);

	/* The key of a setting of ports; NULL: there are not so many. */
	const char *(*setting)(size_t number);

	/* Whether guests can be made on this host: 0, or a negative errno with a cause. */
	int (*kvm)(struct cause *cause);

	/*
	 * Whether what cpu_mask= hides of the processor is hidden from guests. A negative errno
	 * when that cannot be tried.
	 */
	int (*masks)(void);

	/* Whether the package of a firmware is installed: 0, or a negative errno with a cause. */
	int (*firmware)(bool uefi, struct cause *cause);

	/* Whether io_uring serves guests' disks here; if not, why. */
	bool (*rings)(struct cause *why);

	/*
	 * Whether what a file holds speaks against its being a raw image of a disk: the name of
	 * the format that it is of, "qcow2", and in *what the path and what that is; "" of one
	 * that is of no format, and in *what a whole sentence; or NULL, also when it cannot be
	 * read.
	 */
	const char *(*image_kind)(const char *path, struct cause *what);

	const char *standard_switch; /* the name of one that needs no profile */

	/*
	 * "vmdeck run" of a guest or the path of a profile, and the screen ("vmdeck" without
	 * a subcommand), whose argv[0] is "vmdeck", the rest its own arguments; socket is what
	 * --socket said, or NULL. They return the exit status.
	 */
	int (*run)(const char *socket, const char *guest);
	int (*screen)(const char *socket, int argc, char **argv);

	/* For the help: arguments in one line ("[--demo] [PROFILE...]"), and the options,
	   several lines each indented by two blanks, or NULL. */
	const char *screen_args, *screen_help;
};

#endif

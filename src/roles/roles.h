/*
 * What the program can be: the roles that main() picks from. Each returns the
 * exit status: 0, 1 for a failure (which it has reported on stderr).
 */
#ifndef ROLES_ROLES_H
#define ROLES_ROLES_H

#include <stdbool.h>

struct boot_image;
struct endpoint;
struct command_line;

/* Folders and socket, from the environment and the command line; NULL: not there. */
struct role_config {
	const struct boot_image *builtin; /* the built-in guest */
	const char *guests_folder;
	const char *switches_folder;
	const char *profile;	 /* the only guest, in place of the folder's */
	const struct endpoint *endpoint; /* of the control server; "vmdeck run" does without */
	const struct command_line *line; /* what can be typed into a screen */
	bool read_only; /* the screen gives no orders */
	bool demo;
	unsigned demo_guests;	 /* 0: as many as the demo has */
};

/* "vmdeck run": one guest in the foreground, its console on the terminal. */
int role_run(const struct role_config *config);

/* "vmdeck": the screen, with the core in this process or attached to one that runs. */
int role_screen(const struct role_config *config);

/*
 * "vmdeck --headless": the core in the foreground without a screen, until its
 * deck is shut down. SIGINT and SIGTERM press the power buttons, and the second
 * of them switches off.
 */
int role_headless(const struct role_config *config);

#endif

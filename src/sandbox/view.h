/* What a process behind walls sees of files: two walls that say the same in two ways. */
#ifndef SANDBOX_VIEW_H
#define SANDBOX_VIEW_H

#include <stdbool.h>

/*
 * Makes readable, ended by NULL or NULL, all that there is, where it was and
 * read-only: a mount namespace with a root of its own. What of it does not exist
 * is left out. False: the host does not give it, and nothing has changed.
 */
bool view_enter(const char *const *readable);

/*
 * Landlock: of files, readable can be read, and nothing else can be done; unless
 * network, no TCP connection or service; no signals and abstract sockets to
 * outside. What of it this kernel has. False: it has none. Needs no_new_privs.
 */
bool landlock_enter(const char *const *readable, bool network);

/* The same of a program that is about to be executed, with files that it can do something to. */
struct landlock_file {
	const char *path; /* NULL ends a list */
	enum { LANDLOCK_READ, LANDLOCK_EXECUTE, LANDLOCK_WRITE } access; /* each can be read, too */
};

bool landlock_enter_program(const struct landlock_file *files, bool network);

/* Whether this kernel has any of it. */
bool landlock_is_there(void);

#endif

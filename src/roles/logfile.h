/*
 * The deck's log file: what its journal says, a line each, for whoever comes when no
 * screen was open. Deck thread.
 */
#ifndef ROLES_LOGFILE_H
#define ROLES_LOGFILE_H

#include <limits.h>
#include <sys/stat.h>

#include "core/deck/deck.h"

#define LOGFILE_MAX (1 << 20) /* bytes; the file before it is kept */

/* All zero: closed. */
struct logfile {
	struct deck *deck; /* NULL: closed */
	struct deck_listener listener;
	int fd;
	struct stat st; /* of the file */
	char path[PATH_MAX];
};

/*
 * Opens deck.log in the folder of the user's state, which is made, and appends what the
 * deck's journal has and gets from here on. A failure is told there, and no other one is.
 */
void logfile_open(struct logfile *log, struct deck *deck);

/* Before the deck is freed. Valid when closed. */
void logfile_close(struct logfile *log);

#endif

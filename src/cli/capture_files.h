/*
 * The files of a capture that goes on in another one, named as dumpcap(1) names them, and the
 * oldest of them removed. Main thread.
 */
#ifndef CLI_CAPTURE_FILES_H
#define CLI_CAPTURE_FILES_H

#include <limits.h>
#include <stdint.h>

struct capture_files {
	const char *name; /* "lan.pcapng", of which the files' names are made */
	unsigned keep;	  /* how many are kept; 0: all */
	unsigned count;	  /* so far */
	char path[PATH_MAX]; /* of the latest */
	char **kept;	     /* by number modulo keep */
};

/* 0 or -ENOMEM. */
int capture_files_init(struct capture_files *files, const char *name, unsigned keep);
void capture_files_destroy(struct capture_files *files); /* the files stay; valid on a zeroed one */

/*
 * Names the next file, in path, and removes the one whose place it takes. 0, -ENAMETOOLONG or
 * -ENOMEM.
 */
int capture_files_next(struct capture_files *files);

#endif

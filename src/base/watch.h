/*
 * Watching folders, of profiles or of a socket: inotify(7) on a loop. Many changes at once are
 * told as one, a moment later. At rest it costs nothing. On the thread of the loop.
 */
#ifndef BASE_WATCH_H
#define BASE_WATCH_H

#include <limits.h>
#include <stdbool.h>

#include "base/cause.h"
#include "base/loop.h"

#define WATCH_FOLDERS 2

/* A folder, or what is there of the way to it. */
struct watch_folder {
	const char *path; /* NULL: none */
	int own, above; /* inotify's, of it and of the nearest above it that is there; or -1 */
	char below[NAME_MAX + 1]; /* the name on the way to the folder in that one */
};

struct watch {
	struct loop *loop; /* NULL: nothing is watched */
	int fd;		   /* inotify's */
	struct loop_source source;
	struct loop_timer pause;
	struct watch_folder folders[WATCH_FOLDERS];
	bool changed; /* and changed() is to be called */
	bool (*counts)(void *arg, const char *name);
	void (*call)(void *arg);
	void *arg;
};

/*
 * Watches the files in the folders, which need not be there yet; the paths, any of which may be
 * NULL, must outlive the watch. changed(arg) is called when one whose name counts was written,
 * moved, removed or given other rights. A negative errno with a cause; watch_destroy() is valid
 * then too.
 */
int watch_init(struct watch *watch, struct loop *loop, const char *const folders[WATCH_FOLDERS],
	       bool (*counts)(void *arg, const char *name), void (*changed)(void *arg), void *arg,
	       struct cause *cause);
void watch_destroy(struct watch *watch); /* valid for one that is all zero */

/* Calls changed() now for what has happened until now. */
void watch_flush(struct watch *watch);

#endif

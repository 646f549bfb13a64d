/* Where captures are kept. The helper thread. */
#ifndef CORE_SERVER_STREAMS_CAPTURE_FILE_H
#define CORE_SERVER_STREAMS_CAPTURE_FILE_H

#include "base/cause.h"

/*
 * Creates the file of a capture, mode 0600. *path names it, or is NULL: then it
 * becomes a new file (malloc'd name) in $XDG_STATE_HOME/vmdeck/captures, which is made
 * if missing, with the time and the first of ports (NULL-terminated, or NULL) in its
 * name. Returns the fd, or a negative errno with a cause: -EEXIST for a path
 * that is there already.
 */
int capture_file_create(char **path, const char *const *ports, struct cause *cause);

#endif

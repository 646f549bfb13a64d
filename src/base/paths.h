/*
 * Where things live on the user's machine, by the XDG base directory
 * specification. A variable that is unset, empty or not an absolute path is
 * treated as unset, as that says. Main thread, before others change the
 * environment (nobody does).
 */
#ifndef BASE_PATHS_H
#define BASE_PATHS_H

#include <limits.h>

#include "base/cause.h"

/*
 * $HOME, or what the system says of the user. 0, -ENAMETOOLONG or -ENOENT with a cause.
 * Any thread.
 */
int paths_home(char out[PATH_MAX], struct cause *cause);

/*
 * The folders of profiles: what is "guests" or "switches". The user's
 * ($XDG_CONFIG_HOME/vmdeck/<what>, ~/.config without the variable) if it is
 * there or the system has none, else the system's ($sysconfdir/vmdeck/<what>).
 * Nothing is made. 0, -ENAMETOOLONG, or -ENOENT (no home) with a cause.
 */
int paths_profiles(char out[PATH_MAX], const char *what, struct cause *cause);

/*
 * A file of the user's own settings, $XDG_CONFIG_HOME/vmdeck/<what>. Nothing is made. The same
 * errors.
 */
int paths_settings(char out[PATH_MAX], const char *what, struct cause *cause);

/* $XDG_STATE_HOME/vmdeck (~/.local/state without it): logs and captures. Is not made. */
int paths_state(char out[PATH_MAX], struct cause *cause);

/* $XDG_DATA_HOME/vmdeck (~/.local/share without it): images of disks. Is not made. */
int paths_data(char out[PATH_MAX], struct cause *cause);

/*
 * The folder of sockets: vmdeck in $XDG_RUNTIME_DIR or in /run/user/UID, or
 * /tmp/vmdeck-UID if neither is a folder of ours alone. Is not made: who
 * listens there makes and checks it. 0, or -ENAMETOOLONG with a cause.
 */
int paths_runtime(char out[PATH_MAX], struct cause *cause);

/*
 * The same, and made. 0, or a negative errno with a cause: -EACCES for one that is another's, or
 * to which others can write. Any thread.
 */
int paths_make_runtime(char out[PATH_MAX], struct cause *cause);

/*
 * What a person typed as the path of a file, as an absolute one: "~" and "~/x" are below the
 * home folder, and what does not begin with '/' is below the working folder. -EINVAL for
 * another's home, "~bob/x", and for nothing; -ENAMETOOLONG, -ENOENT (no home, no working
 * folder); each with a cause.
 */
int paths_typed(char out[PATH_MAX], const char *typed, struct cause *cause);

/* Makes a folder, mode 0700, and those above it that are missing. One that exists is no failure. */
int paths_make(const char *path, struct cause *cause);

#endif

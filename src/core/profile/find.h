/*
 * Guests of a folder by their names, without a deck. Any thread.
 */
#ifndef CORE_PROFILE_FIND_H
#define CORE_PROFILE_FIND_H

#include <limits.h>

#include "base/cause.h"

/*
 * The profile that a word means: with a '/' in it or ".ini" at its end a path, else the guest of
 * that name in folder, else a file. -ENOENT with a cause; of a path nothing is tried.
 */
int profile_find(char out[PATH_MAX], const char *word, const char *folder, struct cause *cause);

/* Calls each() with the name of every guest in the folder. */
void profile_names(const char *folder, void (*each)(void *arg, const char *name), void *arg);

#endif

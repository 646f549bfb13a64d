/*
 * Profiles that options stand for, as files that are there for a while: to be looked at, or
 * run. Main thread.
 */
#ifndef CLI_TRIAL_H
#define CLI_TRIAL_H

#include <limits.h>
#include <stdbool.h>

#include "base/cause.h"
#include "cli/profile_words.h"

/*
 * Writes one to a new file that only this user reads, in the folder of sockets, which the
 * caller removes. 0 or a negative errno with a cause.
 */
int trial_write(char path[PATH_MAX], const struct profile_words *words, struct cause *cause);

/*
 * Has it checked as "vmdeck check" does, and blames the options for what is wrong, on stderr;
 * but for the line of pending, which may be NULL: what that names is not there yet. What is
 * no mistake is said as a warning, unless the guest's start will say it. CLI_OK or CLI_FAILED.
 */
int trial_check(const struct cli *cli, const char *path, const struct profile_words *words,
		const struct profile_word *pending, bool starts);

#endif

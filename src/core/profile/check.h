/*
 * "vmdeck check". Any thread.
 */
#ifndef CORE_PROFILE_CHECK_H
#define CORE_PROFILE_CHECK_H

#include "core/profile/report.h"

/*
 * Reads a profile of either kind (a file with a section [switch] is a
 * switch's) for its mistakes alone; files that it names and that cannot be
 * opened are mistakes as well. 0 or a negative errno like profile_read().
 */
int profile_check(const char *path, struct profile_report *report);

#endif

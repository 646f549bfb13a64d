/*
 * Looking at what a profile names before its guest starts. Who would build a part of
 * the machine looks at what it would need, by the functions that would get it: a check
 * is as strict as a start. Any thread.
 */
#ifndef CORE_PROFILE_CHECK_H
#define CORE_PROFILE_CHECK_H

#include <stdbool.h>

#include "base/cause.h"
#include "core/profile/profile.h"
#include "net/port/port.h"

/* The profile may be one with mistakes, in which a path or a name that is required is not there. */
struct profile_check {
	const struct profile *profile;
	/*
	 * The switch of that name: 0, or a negative errno with a cause. config begins as all zero
	 * and is freed by the caller in each case.
	 */
	int (*find_switch)(void *arg, const char *name, struct switch_config *config,
			   struct cause *cause);
	/*
	 * What would keep the guest from being started, or, as a warning, what somebody should
	 * know: a sentence about a key of a section ("disk0", "path"); key "": about all of it.
	 */
	void (*found)(void *arg, const char *section, const char *key, bool warning,
		      const char *text);
	void *arg;
};

#endif

/*
 * What two guests of a deck must not share: names, and MAC addresses on one switch. Any
 * thread.
 */
#ifndef CORE_DECK_CONFLICT_H
#define CORE_DECK_CONFLICT_H

#include <stdbool.h>

#include "core/profile/profile.h"
#include "core/profile/report.h"

/* Whether the profile has a card with this one's address on this one's switch. */
bool conflict_address(const struct profile *profile, const struct profile_net *net);

/* Adds the mistake: what is the key, name and path are the other guest's; path NULL: built in. */
void conflict_report(struct profile_report *report, unsigned line, const char *what,
		     const char *name, const char *path);

#endif

/*
 * What two guests of a deck must not share: names, and addresses on one switch. Any thread.
 */
#ifndef CORE_DECK_CONFLICT_H
#define CORE_DECK_CONFLICT_H

#include <stdbool.h>

#include "core/profile/profile.h"
#include "core/profile/report.h"

/* What is a card's alone on its switch. */
enum conflict_claim { CONFLICT_MAC, CONFLICT_ADDRESS, CONFLICT_CLAIMS };

extern const char *const conflict_keys[CONFLICT_CLAIMS]; /* of the profile: "mac" */

/* That of a card, and its size in bytes; NULL: it claims none. */
const void *conflict_claimed(const struct profile_net *net, enum conflict_claim claim,
			     size_t *size);

/* Whether the profile has a card that claims the same on the same switch. */
bool conflict_card(const struct profile *profile, const struct profile_net *net,
		   enum conflict_claim claim);

/* Adds the mistake: what is the key, name and path are the other guest's; path NULL: built in. */
void conflict_report(struct profile_report *report, unsigned line, const char *what,
		     const char *name, const char *path);

#endif

/*
 * Looking things up in the tables of profile keys. Pure; any thread.
 */
#ifndef CORE_PROFILE_KEYS_H
#define CORE_PROFILE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/profile/profile.h"

/* How many sections of a kind there are: "disk" has PROFILE_DISKS_MAX, "guest" 1, "" 0. */
unsigned profile_section_count(const char *kind);

/*
 * The kind of a section, as the table spells it, and its number: "disk2" is
 * "disk" and 2. NULL if no key of the table is in such a section.
 */
const char *profile_section_kind(const struct profile_key *keys, const char *section,
				 unsigned *number);

/* The row of a key, or NULL. section is a kind. */
const struct profile_key *profile_key_find(const struct profile_key *keys, const char *section,
					   const char *key);

/* What a person may have meant by a key or section that does not exist, or NULL. */
const char *profile_key_guess(const struct profile_key *keys, const char *section,
			      const char *key);
const char *profile_section_guess(const struct profile_key *keys, const char *section);

#endif

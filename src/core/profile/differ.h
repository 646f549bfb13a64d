/*
 * What differs between two profiles, by the table of keys. Any thread.
 */
#ifndef CORE_PROFILE_DIFFER_H
#define CORE_PROFILE_DIFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/profile/profile.h"

/*
 * Writes the keys with other values to out, "memory, disk0 path, net1", cut to size bytes;
 * whether there are any. A section that only one of them has stands for all of its keys.
 */
bool profile_differ(const struct profile *one, const struct profile *other, char *out, size_t size);

#endif

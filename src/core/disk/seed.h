/*
 * The seed of a cloud image: the documents of cloud.h as a CD's image, which cloud-init finds
 * by its label. It is made by xorriso at each start, in a file that has no name afterwards. A
 * guest's I/O thread; checking: any thread.
 *
 * cloud-init's documentation, NoCloud; ECMA-119; xorriso(1).
 */
#ifndef CORE_DISK_SEED_H
#define CORE_DISK_SEED_H

#include <stdbool.h>

#include "base/cause.h"
#include "core/profile/profile.h"

/*
 * Makes one, of a profile that has section [cloud], which takes a tenth of a second. A file of
 * whole CD sectors, which is the caller's; or a negative errno with a cause that begins
 * with the section.
 */
int seed_make(const struct profile *profile, struct cause *cause);

/* Tells what seed_make() would not get, with the key that is to blame, or "". */
void seed_check(const struct profile *profile,
		void (*found)(void *arg, const char *key, bool warning, const char *text),
		void *arg);

#endif

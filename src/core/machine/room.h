/*
 * Whether the host has room for a guest's memory. Any thread.
 */
#ifndef CORE_MACHINE_ROOM_H
#define CORE_MACHINE_ROOM_H

#include "base/cause.h"
#include "core/profile/profile.h"

/*
 * Beside live guests of the deck that have been given allotted bytes. 0, or -ENOMEM with a
 * cause that does not name the guest.
 */
int room_check(const struct profile *profile, uint64_t allotted, unsigned live,
	       struct cause *cause);

#endif

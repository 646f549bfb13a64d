/* See walls.h. prctl(2), setrlimit(2). */
#include "sandbox/walls.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/thread.h"

static bool limit(int resource, uint64_t value)
{
	struct rlimit limit = { value, value };

	return setrlimit((__rlimit_resource_t)resource, &limit) == 0;
}

uint32_t walls_enter(const struct walls *walls)
{
	uint32_t in_force = 0;
	bool limited = limit(RLIMIT_NOFILE, walls->descriptors) && limit(RLIMIT_CORE, 1);

#ifndef THREAD_SANITIZED
	limited = limited && limit(RLIMIT_AS, walls->memory);
#endif
	in_force |= limited ? WALL_LIMITS : 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		in_force |= WALL_NO_NEW_PRIVS;
	return in_force;
}

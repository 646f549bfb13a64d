/* See room.h. */
#include "core/machine/room.h"

#include <errno.h>
#include <stdio.h>

#include "base/host_memory.h"

int room_check(const struct profile *profile, uint64_t allotted, unsigned live,
	       struct cause *cause)
{
	struct host_memory host;
	char others[96] = "";

	if (profile->overcommit)
		return 0;
	host_memory_read(&host, "");
	if (!host.limit || allotted + profile->memory <= host.limit)
		return 0;
	if (live)
		snprintf(others, sizeof(others), " beside the %llu MiB of %u running guest%s",
			 (unsigned long long)allotted >> 20, live, live > 1 ? "s" : "");
	return cause_set(cause, ENOMEM, "it wants %llu MiB of memory%s, but %s has %llu MiB, "
			 "%llu of them available; %schoose a smaller memory=, or write "
			 "overcommit=yes", (unsigned long long)profile->memory >> 20, others,
			 host.grouped ? "the deck's control group" : "the host",
			 (unsigned long long)host.limit >> 20,
			 (unsigned long long)host.available >> 20, live ? "stop guests, " : "");
}

/* See conflict.h. */
#include "core/deck/conflict.h"

#include <string.h>

const char *const conflict_keys[CONFLICT_CLAIMS] = { "mac", "address" };

const void *conflict_claimed(const struct profile_net *net, enum conflict_claim claim,
			     size_t *size)
{
	*size = claim == CONFLICT_MAC ? sizeof(net->mac) : sizeof(net->address);
	if (claim == CONFLICT_MAC)
		return net->mac;
	return net->address ? &net->address : NULL;
}

bool conflict_card(const struct profile *profile, const struct profile_net *net,
		   enum conflict_claim claim)
{
	size_t size;
	const void *claimed = conflict_claimed(net, claim, &size), *other;

	for (unsigned i = 0; claimed && i < PROFILE_NETS_MAX; i++) {
		if (!profile->nets[i] || strcmp(profile->nets[i]->switch_name, net->switch_name) != 0)
			continue;
		other = conflict_claimed(profile->nets[i], claim, &size);
		if (other && memcmp(other, claimed, size) == 0)
			return true;
	}
	return false;
}

void conflict_report(struct profile_report *report, unsigned line, const char *what,
		     const char *name, const char *path)
{
	profile_report_add(report, line, "%s: guest %s (%s) has the same; choose another", what,
			   name, path ? path : "built in");
}

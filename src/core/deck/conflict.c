/* See conflict.h. */
#include "core/deck/conflict.h"

#include <string.h>

bool conflict_address(const struct profile *profile, const struct profile_net *net)
{
	for (unsigned i = 0; i < PROFILE_NETS_MAX; i++)
		if (profile->nets[i] &&
		    !strcmp(profile->nets[i]->switch_name, net->switch_name) &&
		    !memcmp(profile->nets[i]->mac, net->mac, NET_MAC_SIZE))
			return true;
	return false;
}

void conflict_report(struct profile_report *report, unsigned line, const char *what,
		     const char *name, const char *path)
{
	profile_report_add(report, line, "%s: guest %s (%s) has the same; choose another", what,
			   name, path ? path : "built in");
}

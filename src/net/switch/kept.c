/* See kept.h. */
#include "net/switch/kept.h"

#include <stdlib.h>

void net_port_kept_free(struct net_port_kept *kept)
{
	if (!kept)
		return;
	filter_free(&kept->filter);
	free(kept->words);
	free(kept);
}

/* The keys of ports. */
#include "net/switch/settings.h"

#define SETTING(field) offsetof(struct net_port_settings, field)

const struct profile_key net_port_keys[] = {
	{ .key = "link", .type = PROFILE_CHOICE, .offset = SETTING(link), .choices = "up|down",
	  .standard = "up",
	  .help = "Whether the cable is plugged in. "
		  "With {Ic down} the guest finds its link down, and frames from and to the port "
		  "are dropped." },
	{ .key = NULL },
};

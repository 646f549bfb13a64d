/* Why a switch drops frames. Pure. */
#include "tui/model/drops.h"

#include <stddef.h>
#include <string.h>

#include "base/checked.h"

static const struct drop_reason reasons[] = {
	{ "too short", false, "less than an Ethernet header" },
	{ "too long", false, "more than the MTU, or than the receiver's buffers hold" },
	{ "same port", true, "the receiver is where the frame came from" },
	{ "no buffer", false, "the receiver was too slow to take it" },
	{ "over its share", false, "the sender floods a receiver that others need, too" },
	{ "link down", true, "the receiver does not run, has no driver yet, or its link is down" },
	{ "bad source", false, "the sender's address is none that a frame can come from" },
	{ "forged source", false, "it claims an address that is another one's" },
	{ "bad offload", false, "checksum or segments that the guest asked for do not fit it" },
	{ "fragment", false, "a part of an IPv4 packet, where whole ones are taken" },
	{ "bad header", false, "its lengths contradict each other" },
	{ "bad checksum", false, "a checksum in its headers is wrong" },
	{ "unsupported", false, "a protocol or an address that NAT does not translate" },
	{ "loopback", false, "it is meant for the host's loopback, which is closed" },
	{ "other vlan", true, "its VLAN is none of the port's" },
	{ "private", true, "from one private port to another" },
	{ "span port", true, "its port gets copies of frames alone" },
	{ "storm", false, "more broadcasts than the port may send" },
	{ "lost on purpose", true, "as the port is set to lose some" },
	{ "over the limit", true, "more than the port is set to hold back" },
	{ "dropped by hand", true, "it was stopped by a breakpoint, and dropped" },
	{ "no lease", false, "DHCP has no address left for it" },
	{ "relayed", false, "DHCP by way of a relay" },
};

const struct drop_reason *drop_reason(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (strcmp(reasons[i].name, name) == 0)
			return &reasons[i];
	return NULL;
}

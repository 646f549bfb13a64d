/* The words for verdicts. Pure; any thread. */
#include "net/frame/frame.h"

#include "base/checked.h"

static const char *const names[NET_VERDICT_COUNT] = {
	[NET_FORWARD] = "forward",
	[NET_FLOOD] = "flood",
	[NET_DROP_SHORT] = "too short",
	[NET_DROP_LONG] = "too long",
	[NET_DROP_SAME_PORT] = "same port",
	[NET_DROP_NO_BUFFER] = "no buffer",
	[NET_DROP_OVER_SHARE] = "over its share",
	[NET_DROP_LINK_DOWN] = "link down",
	[NET_DROP_BAD_SOURCE] = "bad source",
	[NET_DROP_FORGED] = "forged source",
	[NET_DROP_BAD_OFFLOAD] = "bad offload",
	[NET_DROP_FRAGMENT] = "fragment",
	[NET_DROP_BAD_HEADER] = "bad header",
	[NET_DROP_BAD_CHECKSUM] = "bad checksum",
	[NET_DROP_LOOPBACK] = "loopback",
	[NET_DROP_UNSUPPORTED] = "unsupported",
	[NET_DROP_VLAN] = "other vlan",
	[NET_DROP_PRIVATE] = "private",
	[NET_DROP_SPAN] = "span port",
	[NET_DROP_STORM] = "storm",
	[NET_DROP_LOST] = "lost on purpose",
	[NET_DROP_LIMIT] = "over the limit",
	[NET_DROP_DECIDED] = "dropped by hand",
	[NET_DROP_NO_LEASE] = "no lease",
	[NET_DROP_RELAYED] = "relayed",
};

const char *net_verdict_name(enum net_verdict verdict)
{
	return (unsigned)verdict < ARRAY_SIZE(names) ? names[verdict] : "unknown";
}

/* The keys of ports. */
#include "net/switch/settings.h"

#include <errno.h>

#include "base/checked.h"

#define SETTING(field) offsetof(struct net_port_settings, field)
#define TIME_MAX (60ull * 1000000000)
#define RATE_MAX 1000000000000ull

/* The keys of one way: prefix is what their names begin with, help is told once. */
#define IMPAIRMENT_KEYS(way, prefix, told)                                                         \
	{ .key = prefix "delay", .type = PROFILE_TIME, .max = TIME_MAX, .standard = "0",          \
	  .offset = SETTING(impairments[way].delay),                                               \
	  .help = told("For how long each frame is held, such as {Li 20ms}.") },                   \
	{ .key = prefix "jitter", .type = PROFILE_TIME, .max = TIME_MAX, .standard = "0",         \
	  .offset = SETTING(impairments[way].jitter),                                              \
	  .help = told("By how much the delay varies, either way: at most, if the distribution is " \
		       "uniform, else its standard deviation. Frames may overtake each other.") },  \
	{ .key = prefix "distribution", .type = PROFILE_CHOICE,                                    \
	  .choices = "uniform|normal|pareto", .standard = "uniform",                               \
	  .offset = SETTING(impairments[way].distribution),                                        \
	  .help = told("How the jitter, which there must be, is distributed; {Ic pareto} has a "   \
		       "few that are very late.") },                                               \
	{ .key = prefix "loss", .type = PROFILE_SHARE, .standard = "0",                            \
	  .offset = SETTING(impairments[way].loss),                                                \
	  .help = told("Share of frames that is lost, such as {Li 1%}.") },                        \
	{ .key = prefix "loss_burst", .type = PROFILE_COUNT, .max = 1000, .standard = "0",         \
	  .offset = SETTING(impairments[way].loss_burst),                                          \
	  .help = told("How many frames are lost in a row, on average (the model of Gilbert). "    \
		       "With 0 each is lost or not whatever became of others. It needs "           \
		       "{Ic loss}.") },                                                            \
	{ .key = prefix "duplicate", .type = PROFILE_SHARE, .standard = "0",                       \
	  .offset = SETTING(impairments[way].duplicate),                                           \
	  .help = told("Share of frames that come twice.") },                                      \
	{ .key = prefix "corrupt", .type = PROFILE_SHARE, .standard = "0",                         \
	  .offset = SETTING(impairments[way].corrupt),                                             \
	  .help = told("Share of frames of which a bit behind the Ethernet header, and a VLAN's "  \
		       "tag, is turned.") },                                                       \
	{ .key = prefix "reorder", .type = PROFILE_SHARE, .standard = "0",                         \
	  .offset = SETTING(impairments[way].reorder),                                             \
	  .help = told("Share of frames that {Ic delay} does not hold, and so overtake others.") }, \
	{ .key = prefix "rate", .type = PROFILE_RATE, .max = RATE_MAX, .standard = "0",            \
	  .offset = SETTING(impairments[way].rate),                                                \
	  .help = told("Bits a second that pass, such as {Li 10mbit}; 0 is any number.") },        \
	{ .key = prefix "limit", .type = PROFILE_COUNT, .max = 100000, .standard = "0",            \
	  .offset = SETTING(impairments[way].limit),                                               \
	  .help = told("How many frames are held at most; what comes beyond is dropped. "          \
		       "With 0 they are 1000; in any case 64 MiB.") },                             \
	{ .key = prefix "seed", .type = PROFILE_COUNT, .max = UINT32_MAX, .standard = "0",         \
	  .offset = SETTING(impairments[way].seed),                                                \
	  .help = told("What chance begins with, at each change of these keys: with the same "     \
		       "number the same happens to the same frames. With 0 it is another one "     \
		       "each time.") }

#define TOLD(text) text
#define OUTWARD(text) "As the key without {Ic out_}, of frames that the guest sends."

const struct profile_key net_port_keys[] = {
	{ .key = "link", .type = PROFILE_CHOICE, .offset = SETTING(link), .choices = "up|down",
	  .standard = "up",
	  .help = "Whether the cable is plugged in. "
		  "With {Ic down} the guest finds its link down, and frames from and to the port "
		  "are dropped." },
	{ .key = "vlan", .type = PROFILE_COUNT, .max = NET_VLAN_MAX - 1, .standard = "0",
	  .offset = SETTING(vlan),
	  .help = "The VLAN (IEEE 802.1Q) that the port is in: it reaches the ports of the same "
		  "one, by frames without a tag. "
		  "With 0 it is in none, and reaches those that are in none; tags are not looked "
		  "at, unless there is {Ic trunk}." },
	{ .key = "trunk", .type = PROFILE_VLANS, .standard = "none", .offset = SETTING(trunk),
	  .help = "VLANs that frames with their tag belong to, such as {Li 10,20-30}, in both "
		  "directions. "
		  "Frames without a tag belong to that of {Ic vlan}." },
	{ .key = "private", .type = PROFILE_BOOL, .standard = "no", .offset = SETTING(private),
	  .help = "Whether the port reaches only ports that are not private, such as the way to "
		  "the host." },
	{ .key = "lock", .type = PROFILE_CHOICE, .choices = "no|mac|mac+ip", .standard = "no",
	  .offset = SETTING(lock),
	  .help = "Whether the guest may send from the card's own MAC address alone ({Ic mac}), "
		  "and with that from one IPv4 address ({Ic mac+ip}), in IPv4 and ARP: the last "
		  "one that the switch's DHCP has given it, or else the first one that it "
		  "uses. IPv6 is not looked at. "
		  "With {Ic no} guests within the guest have their own. "
		  "It is for cards of guests: other ports have no one address of their own, and are "
		  "refused." },
	{ .key = "span", .type = PROFILE_CHOICE, .choices = "no|all|mirrored", .standard = "no",
	  .offset = SETTING(span),
	  .help = "Whether the port is one to watch at: it gets copies of the frames that go "
		  "through the switch, as their senders sent them, each once, and no others; what "
		  "it sends is dropped. "
		  "With {Ic all} these are all frames, with {Ic mirrored} those of ports that are set "
		  "to {Ic mirror}; {Ic vlan} and {Ic trunk} restrict them to those VLANs. "
		  "What a port was not allowed to send is not copied." },
	{ .key = "mirror", .type = PROFILE_CHOICE, .choices = "no|in|out|both", .standard = "no",
	  .offset = SETTING(mirror),
	  .help = "Which frames of the port are copied to those whose {Ic span} is {Li mirrored}: "
		  "those that it gets with {Ic in}, those that it sends with {Ic out}." },
	{ .key = "macs", .type = PROFILE_COUNT, .max = 256, .standard = "0", .offset = SETTING(macs),
	  .help = "How many MAC addresses the switch learns of the port at most; what is for "
		  "others behind it goes to all ports. With 0 they are 256." },
	{ .key = "leases", .type = PROFILE_COUNT, .max = 1000, .standard = "0",
	  .offset = SETTING(leases),
	  .help = "How many addresses the switch's DHCP gives at the port at a time. With 0 they are "
		  "as many as {Ic leases_per_port} of the switch says, and 64 at a port that leads "
		  "out, if that is more." },
	{ .key = "mtu", .type = PROFILE_COUNT, .max = 65535, .standard = "0", .offset = SETTING(mtu),
	  .help = "Longest packet that goes through the port, in bytes behind the Ethernet header; "
		  "longer ones are dropped. With 0 any does." },
	{ .key = "storm_limit", .type = PROFILE_COUNT, .max = 1000000, .standard = "0",
	  .offset = SETTING(storm_limit),
	  .help = "How many frames a second that go to all ports, such as broadcasts, the guest may "
		  "send; the others are dropped. With 0 it is any number." },
	IMPAIRMENT_KEYS(NET_WAY_IN, "", TOLD),
	IMPAIRMENT_KEYS(NET_WAY_OUT, "out_", OUTWARD),
	{ .key = NULL },
};

bool net_impairs(const struct net_impairment *impairment)
{
	return impairment->delay || impairment->jitter || impairment->rate || impairment->loss ||
	       impairment->duplicate || impairment->corrupt;
}

static bool reorders_nothing(const struct net_impairment *impairment)
{
	return impairment->reorder && !impairment->delay;
}

static bool distributes_nothing(const struct net_impairment *impairment)
{
	return impairment->distribution && !impairment->jitter;
}

static bool loses_nothing(const struct net_impairment *impairment)
{
	return impairment->loss_burst && !impairment->loss;
}

static const struct {
	bool (*is_idle)(const struct net_impairment *impairment);
	const char *keys[NET_WAYS], *needed, *standard;
} dependences[] = {
	{ reorders_nothing, { "reorder", "out_reorder" }, "delay", "0" },
	{ distributes_nothing, { "distribution", "out_distribution" }, "jitter", "uniform" },
	{ loses_nothing, { "loss_burst", "out_loss_burst" }, "loss", "0" },
};

const char *net_port_settings_fault(const struct net_port_settings *settings, bool card,
				    struct cause *cause)
{
	if (settings->lock != NET_LOCK_NO && !card) {
		cause_set(cause, EINVAL, "lock: is for cards of guests; this port has no one address "
			  "of its own to be locked to");
		return "lock";
	}
	for (unsigned way = 0; way < NET_WAYS; way++)
		for (unsigned i = 0; i < ARRAY_SIZE(dependences); i++) {
			const char *key = dependences[i].keys[way];

			if (!dependences[i].is_idle(&settings->impairments[way]))
				continue;
			cause_set(cause, EINVAL, "%s: does nothing without %s%s; give that as well, "
				  "or %s=%s", key, way == NET_WAY_OUT ? "out_" : "",
				  dependences[i].needed, key, dependences[i].standard);
			return key;
		}
	return NULL;
}

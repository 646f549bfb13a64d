/*
 * ICMP (RFC 792), ICMPv6 (RFC 4443, 4861, 9777) and IGMP (RFC 9776) in one line. Pure; any
 * thread.
 */
#include "base/bytes.h"
#include "base/checked.h"
#include "net/decode/parts.h"

static const struct number_name icmp_types[] = {
	{ 0, "Echo (ping) reply" },    { 3, "Destination unreachable" },
	{ 4, "Source quench" },        { 5, "Redirect" },
	{ 8, "Echo (ping) request" },  { 9, "Router advertisement" },
	{ 10, "Router solicitation" }, { 11, "Time-to-live exceeded" },
	{ 12, "Parameter problem" },   { 13, "Timestamp request" },
	{ 14, "Timestamp reply" },
};

static const struct number_name unreachable_codes[] = {
	{ 0, "Network unreachable" },
	{ 1, "Host unreachable" },
	{ 2, "Protocol unreachable" },
	{ 3, "Port unreachable" },
	{ 4, "Fragmentation needed" },
	{ 5, "Source route failed" },
	{ 9, "Network administratively prohibited" },
	{ 10, "Host administratively prohibited" },
	{ 13, "Communication administratively filtered" },
};

static const struct number_name redirect_codes[] = {
	{ 0, "Redirect for network" },
	{ 1, "Redirect for host" },
};

static const struct number_name exceeded_codes[] = {
	{ 0, "Time to live exceeded in transit" },
	{ 1, "Fragment reassembly time exceeded" },
};

static void say_echo(const struct packet *p, const char *what)
{
	packet_say(p, "%s id=0x%04x, seq=%u, ttl=%u", what, get_be16(p->data + 4),
		   get_be16(p->data + 6), p->ttl);
}

bool decode_icmp4(struct packet *p)
{
	const char *type, *code = NULL;

	if (!packet_has(p, 8))
		return packet_cut(p);
	type = NAME_FIND(icmp_types, p->data[0]);
	switch (p->data[0]) {
	case 0:
	case 8:
		say_echo(p, type);
		return true;
	case 3:
		code = NAME_FIND(unreachable_codes, p->data[1]);
		break;
	case 5:
		code = NAME_FIND(redirect_codes, p->data[1]);
		break;
	case 11:
		code = NAME_FIND(exceeded_codes, p->data[1]);
		break;
	}
	if (!type)
		packet_say(p, "Unknown ICMP type %u, code %u", p->data[0], p->data[1]);
	else if (code)
		packet_say(p, "%s (%s)", type, code);
	else if (p->data[1])
		packet_say(p, "%s (code %u)", type, p->data[1]);
	else
		packet_say(p, "%s", type);
	return true;
}

static const struct number_name icmp6_types[] = {
	{ 1, "Destination Unreachable" },
	{ 2, "Packet Too Big" },
	{ 3, "Time Exceeded" },
	{ 4, "Parameter Problem" },
	{ 128, "Echo (ping) request" },
	{ 129, "Echo (ping) reply" },
	{ 130, "Multicast Listener Query" },
	{ 131, "Multicast Listener Report" },
	{ 132, "Multicast Listener Done" },
	{ 133, "Router Solicitation" },
	{ 134, "Router Advertisement" },
	{ 135, "Neighbor Solicitation" },
	{ 136, "Neighbor Advertisement" },
	{ 137, "Redirect" },
	{ 143, "Multicast Listener Report Message v2" },
};

static const struct number_name unreachable6_codes[] = {
	{ 0, "no route to destination" },
	{ 1, "Administratively prohibited" },
	{ 2, "Beyond scope of source address" },
	{ 3, "Address unreachable" },
	{ 4, "Port unreachable" },
	{ 5, "Source address failed ingress/egress policy" },
	{ 6, "Reject route to destination" },
};

/* The address of kind (RFC 4861 §4.6.1) among the options from offset on, or NULL. */
static const uint8_t *find_link_address(const struct packet *p, size_t at, unsigned kind)
{
	while (range_inside(at, 8, p->captured) && p->data[at + 1]) {
		if (p->data[at] == kind)
			return p->data + at + 2;
		at += p->data[at + 1] * 8u;
	}
	return NULL;
}

/* Neighbor Solicitation and Advertisement, RFC 4861 §4.3 and §4.4. */
static void say_neighbor(const struct packet *p, const char *type)
{
	char address[IP6_TEXT], mac[MAC_TEXT];
	bool advertisement = p->data[0] == 136;
	const uint8_t *link = find_link_address(p, 24, advertisement ? 2 : 1);

	ip6_text(p->data + 8, address);
	if (!advertisement) {
		packet_say(p, "%s for %s", type, address);
		if (link)
			packet_say(p, " from %s", mac_text(link, mac));
		return;
	}
	packet_say(p, "%s %s", type, address);
	if (p->data[4] & 0xe0)
		packet_say(p, " (%s%s%s)", p->data[4] & 0x80 ? "rtr" : "",
			   p->data[4] & 0x40 ? (p->data[4] & 0x80 ? ", sol" : "sol") : "",
			   p->data[4] & 0x20 ? (p->data[4] & 0xc0 ? ", ovr" : "ovr") : "");
	if (link)
		packet_say(p, " is at %s", mac_text(link, mac));
}

/* What a router says of itself and of the prefix: RFC 4861 §4.2 and §4.6.2. */
static void say_advertised(const struct packet *p)
{
	char prefix[IP6_TEXT];

	packet_say(p, ", lifetime %u s%s%s", get_be16(p->data + 6),
		   p->data[5] & 0x80 ? ", managed" : "", p->data[5] & 0x40 ? ", other" : "");
	for (size_t at = 16; range_inside(at, 8, p->captured) && p->data[at + 1];
	     at += p->data[at + 1] * 8u)
		if (p->data[at] == 3 && range_inside(at, 32, p->captured))
			packet_say(p, ", prefix %s/%u", ip6_text(p->data + at + 16, prefix),
				   p->data[at + 2]);
}

/* The groups of a report of MLDv2 (RFC 9777 §5.2) or IGMPv3 (RFC 9776 §4.2). */
static void say_groups(const struct packet *p, size_t address)
{
	static const struct number_name records[] = {
		{ 1, "include" },    { 2, "exclude" },       { 3, "to include" },
		{ 4, "to exclude" }, { 5, "allow sources" }, { 6, "block sources" },
	};
	unsigned count = get_be16(p->data + 6);
	char text[IP6_TEXT];
	size_t at = 8;

	for (unsigned i = 0; i < count && i < 8 && range_inside(at, 4 + address, p->captured);
	     i++) {
		unsigned sources = get_be16(p->data + at + 2);

		packet_say(p, i ? ", " : " ");
		SAY_NAME(p, records, "record", p->data[at]);
		packet_say(p, " %s",
			   address == 4 ? ip4_text(p->data + at + 4, text)
					: ip6_text(p->data + at + 4, text));
		if (sources)
			packet_say(p, " of %u sources", sources);
		at += 4 + address + sources * address + p->data[at + 1] * 4u;
	}
}

static void say_router(const struct packet *p, const char *type)
{
	const uint8_t *link = find_link_address(p, p->data[0] == 133 ? 8 : 16, 1);
	char mac[MAC_TEXT];

	packet_say(p, "%s", type);
	if (link)
		packet_say(p, " from %s", mac_text(link, mac));
	if (p->data[0] == 134 && packet_has(p, 8))
		say_advertised(p);
}

bool decode_icmp6(struct packet *p)
{
	const char *type, *code = NULL;

	if (!packet_has(p, 8))
		return packet_cut(p);
	type = NAME_FIND(icmp6_types, p->data[0]);
	switch (p->data[0]) {
	case 1:
		code = NAME_FIND(unreachable6_codes, p->data[1]);
		break;
	case 2:
		packet_say(p, "%s, MTU %u", type, get_be32(p->data + 4));
		return true;
	case 128:
	case 129:
		say_echo(p, type);
		return true;
	case 143:
		packet_say(p, "%s", type);
		say_groups(p, 16);
		return true;
	case 133:
	case 134:
		say_router(p, type);
		return true;
	case 135:
	case 136:
		if (packet_has(p, 24)) {
			say_neighbor(p, type);
			return true;
		}
		break;
	}
	if (type)
		packet_say(p, "%s", type);
	else
		packet_say(p, "Unknown ICMPv6 type %u, code %u", p->data[0], p->data[1]);
	if (code)
		packet_say(p, " (%s)", code);
	return true;
}

/* The version shows in the type, that of a query in its size (RFC 9776 §7.1). */
bool decode_igmp(struct packet *p)
{
	static const struct number_name types[] = {
		{ 0x11, "Membership Query" },  { 0x12, "Membership Report" },
		{ 0x16, "Membership Report" }, { 0x17, "Leave Group" },
		{ 0x22, "Membership Report" },
	};
	const char *type;
	char group[IP4_TEXT];
	bool v3;

	if (!packet_has(p, 8))
		return packet_cut(p);
	if (p->data[0] == 0x13) {
		packet_protocol(p, "DVMRP");
		packet_say(p, "DVMRP code %u", p->data[1]);
		return true;
	}
	if (p->data[0] == 0x14)
		return decode_pim(p);
	type = NAME_FIND(types, p->data[0]);
	v3 = p->data[0] == 0x22 || (p->data[0] == 0x11 && p->size >= 12);
	if (type)
		packet_protocol(p, v3 ? "IGMPv3"
				   : p->data[0] == 0x12 || (p->data[0] == 0x11 && !p->data[1])
					   ? "IGMPv1"
					   : "IGMPv2");
	packet_say(p, "%s", type ? type : "Unknown type");
	if (p->data[0] == 0x22)
		say_groups(p, 4);
	else if (get_be32(p->data + 4))
		packet_say(p, " group %s", ip4_text(p->data + 4, group));
	return true;
}

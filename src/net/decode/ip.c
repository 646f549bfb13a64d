/*
 * IPv4 (RFC 791), IPv6 (RFC 8200), IGMP (RFC 9776), ICMP (RFC 792), ICMPv6
 * (RFC 4443, 4861, 3810), UDP (RFC 768) and TCP (RFC 9293) in one line. Pure; any thread.
 */
#include <stdio.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "net/decode/parts.h"

enum {
	PROTOCOL_HOP_BY_HOP = 0,
	PROTOCOL_ICMP = 1,
	PROTOCOL_IGMP = 2,
	PROTOCOL_IP4 = 4,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_IP6 = 41,
	PROTOCOL_ROUTING = 43,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_ICMP6 = 58,
	PROTOCOL_NONE = 59,
	PROTOCOL_OPTIONS = 60
};

static const struct number_name protocols[] = {
	{ 1, "ICMP" },
	{ 2, "IGMP" },
	{ 4, "IPIP" },
	{ 6, "TCP" },
	{ 17, "UDP" },
	{ 33, "DCCP" },
	{ 41, "IPv6" },
	{ 46, "RSVP" },
	{ 47, "GRE" },
	{ 50, "ESP" },
	{ 51, "AH" },
	{ 58, "ICMPv6" },
	{ 59, "IPv6 no next header" },
	{ 88, "EIGRP" },
	{ 89, "OSPF" },
	{ 103, "PIM" },
	{ 112, "VRRP" },
	{ 115, "L2TP" },
	{ 132, "SCTP" },
	{ 136, "UDPlite" },
};

static void set_addresses(const struct packet *p, const char *from, const char *to)
{
	snprintf(p->out->from, sizeof(p->out->from), "%s", from);
	snprintf(p->out->to, sizeof(p->out->to), "%s", to);
}

static void say_fragment(const struct packet *p, unsigned protocol, unsigned offset, unsigned id)
{
	const char *name = NAME_FIND(protocols, protocol);

	packet_say(p, "Fragmented IP protocol (proto=%s %u, off=%u, ID=%04x)",
		   name ? name : "unknown", protocol, offset, id);
}

/* The version shows in the type, that of a query in its size (RFC 9776 §7.1). */
static void decode_igmp(struct packet *p)
{
	static const struct number_name types[] = {
		{ 0x11, "Membership Query" },  { 0x12, "Membership Report" },
		{ 0x16, "Membership Report" }, { 0x17, "Leave Group" },
		{ 0x22, "Membership Report" },
	};
	const char *type;
	char group[IP4_TEXT];
	bool v3;

	packet_protocol(p, "IGMP");
	if (!packet_has(p, 8)) {
		packet_cut(p);
		return;
	}
	type = NAME_FIND(types, p->data[0]);
	v3 = p->data[0] == 0x22 || (p->data[0] == 0x11 && p->size >= 12);
	if (type)
		packet_protocol(p, v3 ? "IGMPv3" : p->data[0] == 0x12 ? "IGMPv1" : "IGMPv2");
	packet_say(p, "%s", type ? type : "Unknown type");
	if (p->data[0] != 0x22 && get_be32(p->data + 4))
		packet_say(p, " group %s", ip4_text(p->data + 4, group));
}

static void decode_icmp4(struct packet *p, unsigned ttl);
static void decode_icmp6(struct packet *p, unsigned ttl);
static void decode_udp(struct packet *p);
static void decode_tcp(struct packet *p);

/* By number of protocol, from its header on; ttl is shown by echo. */
static void decode_ip_protocol(struct packet *p, unsigned protocol, unsigned ttl)
{
	const char *name = NAME_FIND(protocols, protocol);

	switch (protocol) {
	case PROTOCOL_ICMP:
		decode_icmp4(p, ttl);
		return;
	case PROTOCOL_IGMP:
		decode_igmp(p);
		return;
	case PROTOCOL_ICMP6:
		decode_icmp6(p, ttl);
		return;
	case PROTOCOL_UDP:
		decode_udp(p);
		return;
	case PROTOCOL_TCP:
		decode_tcp(p);
		return;
	case PROTOCOL_IP4:
	case PROTOCOL_IP6:
		if (p->depth++ >= PACKET_DEPTH_MAX)
			break;
		if (protocol == PROTOCOL_IP4)
			decode_ip4(p);
		else
			decode_ip6(p);
		return;
	case PROTOCOL_NONE:
		packet_say(p, "IPv6 no next header");
		return;
	}
	if (name) {
		packet_protocol(p, name);
		packet_say(p, "%s, %zu bytes", name, p->size);
	} else {
		packet_say(p, "Unknown IP protocol %u, %zu bytes", protocol, p->size);
	}
}

void decode_ip4(struct packet *p)
{
	char from[IP4_TEXT], to[IP4_TEXT];
	unsigned header, total, fragment, protocol, ttl;

	packet_protocol(p, "IPv4");
	if (!packet_has(p, 20)) {
		packet_cut(p);
		return;
	}
	if (p->data[0] >> 4 != 4) {
		packet_say(p, "Bogus IPv4 version (%u, must be 4)", p->data[0] >> 4);
		return;
	}
	set_addresses(p, ip4_text(p->data + 12, from), ip4_text(p->data + 16, to));
	header = (p->data[0] & 15u) * 4u;
	total = get_be16(p->data + 2);
	if (header < 20) {
		packet_say(p, "Bogus IP header length (%u, must be at least 20)", header);
		return;
	}
	if (total < header) {
		packet_say(p, "Bogus IP length (%u, less than header length %u)", total, header);
		return;
	}
	if (total > p->size) {
		packet_say(p, "Bogus IP length (%u, but the frame has %zu bytes)", total, p->size);
		return;
	}
	packet_limit(p, total);
	if (!packet_has(p, header)) {
		packet_cut(p);
		return;
	}
	fragment = get_be16(p->data + 6) & 0x3fffu;
	protocol = p->data[9];
	ttl = p->data[8];
	if (fragment) {
		say_fragment(p, protocol, (fragment & 0x1fffu) * 8, get_be16(p->data + 4));
		return;
	}
	packet_skip(p, header);
	decode_ip_protocol(p, protocol, ttl);
}

/*
 * Walks the extension headers; each is 8 bytes at least, and their number is
 * limited too. The protocol behind them, or -1 when that is not known.
 */
static int skip_extensions(struct packet *p, unsigned next)
{
	for (unsigned count = 0; count < 8; count++) {
		unsigned kind = next, size;

		if (kind != PROTOCOL_HOP_BY_HOP && kind != PROTOCOL_ROUTING &&
		    kind != PROTOCOL_OPTIONS && kind != PROTOCOL_FRAGMENT)
			return (int)kind;
		if (!packet_has(p, 8))
			break;
		next = p->data[0];
		if (kind == PROTOCOL_FRAGMENT) {
			unsigned place = get_be16(p->data + 2);

			if (place & 0xfff9u) {
				packet_say(p, "IPv6 fragment (off=%u more=%s ident=0x%08x nxt=%u)",
					   place & 0xfff8u, place & 1 ? "y" : "n",
					   get_be32(p->data + 4), next);
				return -1;
			}
			size = 8;
		} else {
			size = (p->data[1] + 1u) * 8u;
		}
		if (!packet_has(p, size))
			break;
		packet_skip(p, size);
	}
	packet_cut(p);
	return -1;
}

void decode_ip6(struct packet *p)
{
	char from[IP6_TEXT], to[IP6_TEXT];
	unsigned payload, hops;
	int protocol;

	packet_protocol(p, "IPv6");
	if (!packet_has(p, 40)) {
		packet_cut(p);
		return;
	}
	if (p->data[0] >> 4 != 6) {
		packet_say(p, "Bogus IPv6 version (%u, must be 6)", p->data[0] >> 4);
		return;
	}
	set_addresses(p, ip6_text(p->data + 8, from), ip6_text(p->data + 24, to));
	payload = get_be16(p->data + 4);
	protocol = p->data[6];
	hops = p->data[7];
	packet_skip(p, 40);
	if (payload > p->size) {
		packet_say(p, "Bogus IPv6 payload length (%u, but the frame has %zu bytes)",
			   payload, p->size);
		return;
	}
	packet_limit(p, payload);
	protocol = skip_extensions(p, (unsigned)protocol);
	if (protocol >= 0)
		decode_ip_protocol(p, (unsigned)protocol, hops);
}

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

static void say_echo(const struct packet *p, const char *what, unsigned ttl)
{
	packet_say(p, "%s id=0x%04x, seq=%u, ttl=%u", what, get_be16(p->data + 4),
		   get_be16(p->data + 6), ttl);
}

static void decode_icmp4(struct packet *p, unsigned ttl)
{
	const char *type, *code = NULL;

	packet_protocol(p, "ICMP");
	if (!packet_has(p, 8)) {
		packet_cut(p);
		return;
	}
	type = NAME_FIND(icmp_types, p->data[0]);
	switch (p->data[0]) {
	case 0:
	case 8:
		say_echo(p, type, ttl);
		return;
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

static void say_router(const struct packet *p, const char *type)
{
	const uint8_t *link = find_link_address(p, p->data[0] == 133 ? 8 : 16, 1);
	char mac[MAC_TEXT];

	packet_say(p, "%s", type);
	if (link)
		packet_say(p, " from %s", mac_text(link, mac));
}

static void decode_icmp6(struct packet *p, unsigned ttl)
{
	const char *type, *code = NULL;

	packet_protocol(p, "ICMPv6");
	if (!packet_has(p, 8)) {
		packet_cut(p);
		return;
	}
	type = NAME_FIND(icmp6_types, p->data[0]);
	switch (p->data[0]) {
	case 1:
		code = NAME_FIND(unreachable6_codes, p->data[1]);
		break;
	case 2:
		packet_say(p, "%s, MTU %u", type, get_be32(p->data + 4));
		return;
	case 128:
	case 129:
		say_echo(p, type, ttl);
		return;
	case 133:
	case 134:
		say_router(p, type);
		return;
	case 135:
	case 136:
		if (packet_has(p, 24)) {
			say_neighbor(p, type);
			return;
		}
		break;
	}
	if (type)
		packet_say(p, "%s", type);
	else
		packet_say(p, "Unknown ICMPv6 type %u, code %u", p->data[0], p->data[1]);
	if (code)
		packet_say(p, " (%s)", code);
}

static void decode_udp(struct packet *p)
{
	unsigned from, to, size;

	packet_protocol(p, "UDP");
	if (!packet_has(p, 8)) {
		packet_cut(p);
		return;
	}
	from = get_be16(p->data);
	to = get_be16(p->data + 2);
	size = get_be16(p->data + 4);
	if (size < 8 || size > p->size) {
		packet_say(p, "%u > %u [Bad UDP length %u, %zu bytes are there]", from, to, size,
			   p->size);
		return;
	}
	packet_limit(p, size);
	packet_skip(p, 8);
	if (!decode_udp_payload(p, from, to))
		packet_say(p, "%u > %u Len=%zu", from, to, p->size);
}

static void say_tcp_flags(const struct packet *p, unsigned flags)
{
	static const char *const names[] = {
		"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"
	};
	const char *before = "";

	packet_say(p, "[");
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(flags & 1u << i))
			continue;
		packet_say(p, "%s%s", before, names[i]);
		before = ", ";
	}
	packet_say(p, flags ? "]" : "<None>]");
}

/* The options that are set up at the start of a connection. */
static void say_tcp_options(const struct packet *p, size_t end)
{
	size_t at = 20;

	while (at < end) {
		unsigned kind = p->data[at], size;

		if (kind == 0)
			return;
		if (kind == 1) {
			at++;
			continue;
		}
		if (end - at < 2 || p->data[at + 1] < 2 || p->data[at + 1] > end - at)
			return;
		size = p->data[at + 1];
		if (kind == 2 && size == 4)
			packet_say(p, " MSS=%u", get_be16(p->data + at + 2));
		else if (kind == 3 && size == 3)
			packet_say(p, " WS=%u", 1u << (p->data[at + 2] & 15u));
		else if (kind == 4)
			packet_say(p, " SACK_PERM");
		at += size;
	}
}

static void decode_tcp(struct packet *p)
{
	const struct packet segment = *p;
	unsigned from, to, flags;
	size_t header;

	packet_protocol(p, "TCP");
	if (!packet_has(p, 20)) {
		packet_cut(p);
		return;
	}
	from = get_be16(p->data);
	to = get_be16(p->data + 2);
	header = (p->data[12] >> 4) * 4u;
	flags = p->data[13];
	if (header < 20 || header > p->size) {
		packet_say(p, "%u > %u [Bogus TCP header length %zu]", from, to, header);
		return;
	}
	packet_skip(p, header < p->captured ? header : p->captured);
	if (!(flags & 2) && p->captured && decode_tcp_payload(p, from, to))
		return;
	packet_say(p, "%u > %u ", from, to);
	say_tcp_flags(p, flags);
	packet_say(p, " Seq=%u", get_be32(segment.data + 4));
	if (flags & 0x10)
		packet_say(p, " Ack=%u", get_be32(segment.data + 8));
	packet_say(p, " Win=%u Len=%zu", get_be16(segment.data + 14), segment.size - header);
	if (flags & 2)
		say_tcp_options(&segment, header < segment.captured ? header : segment.captured);
}

/*
 * IPv4 (RFC 791) and IPv6 (RFC 8200) in one line. Pure; any thread.
 */
#include <stdio.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "net/decode/parts.h"

enum {
	PROTOCOL_HOP_BY_HOP = 0,
	PROTOCOL_ROUTING = 43,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_OPTIONS = 60
};

static bool decode_ip4_inside(struct packet *p)
{
	return !packet_nest(p) || decode_ip4(p);
}

static bool decode_ip6_inside(struct packet *p)
{
	return !packet_nest(p) || decode_ip6(p);
}

static bool decode_no_next(struct packet *p)
{
	packet_say(p, "IPv6 no next header");
	return true;
}

/* The name of a row is that of the protocol around it until its decoder knows better. */
static const struct dissector protocols[] = {
	{ 1, "ICMP", decode_icmp4 },
	{ 2, "IGMP", decode_igmp },
	{ 4, "IPv4", decode_ip4_inside },
	{ 6, "TCP", decode_tcp },
	{ 8, "EGP", NULL },
	{ 17, "UDP", decode_udp },
	{ 33, "DCCP", NULL },
	{ 41, "IPv6", decode_ip6_inside },
	{ 46, "RSVP", NULL },
	{ 47, "GRE", decode_gre },
	{ 50, "ESP", decode_esp },
	{ 51, "AH", decode_ah },
	{ 54, "NHRP", NULL },
	{ 55, "MobileIP", NULL },
	{ 58, "ICMPv6", decode_icmp6 },
	{ 59, NULL, decode_no_next },
	{ 62, "MIPv6", NULL },
	{ 88, "EIGRP", decode_eigrp },
	{ 89, "OSPF", decode_ospf },
	{ 97, "ETHERIP", decode_ether_ip },
	{ 103, NULL, decode_pim },
	{ 108, "IPComp", NULL },
	{ 112, "VRRP", decode_vrrp },
	{ 113, "PGM", NULL },
	{ 115, "L2TPv3", NULL },
	{ 132, "SCTP", decode_sctp },
	{ 135, "MIPv6", NULL },
	{ 136, "UDP-Lite", NULL },
	{ 137, "MPLS", decode_mpls },
	{ 143, "Ethernet", decode_ethernet },
};

bool decode_ip_protocol(struct packet *p, unsigned protocol)
{
	if (!DISSECT(protocols, protocol, p))
		packet_say(p, "Unknown IP protocol %u, %zu bytes", protocol, p->size);
	return true;
}

static const char *protocol_name(unsigned protocol)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == protocol && protocols[i].name)
			return protocols[i].name;
	return "unknown";
}

static void set_addresses(const struct packet *p, const char *from, const char *to)
{
	snprintf(p->out->from, sizeof(p->out->from), "%s", from);
	snprintf(p->out->to, sizeof(p->out->to), "%s", to);
}

static void say_fragment(const struct packet *p, unsigned protocol, unsigned offset, unsigned id)
{
	packet_say(p, "Fragmented IP protocol (proto=%s %u, off=%u, ID=%04x)",
		   protocol_name(protocol), protocol, offset, id);
}

bool decode_ip4(struct packet *p)
{
	char from[IP4_TEXT], to[IP4_TEXT];
	unsigned header, total, fragment, protocol;

	packet_protocol(p, "IPv4");
	if (!packet_has(p, 20))
		return packet_cut(p);
	if (p->data[0] >> 4 != 4) {
		packet_say(p, "Bogus IPv4 version (%u, must be 4)", p->data[0] >> 4);
		return true;
	}
	set_addresses(p, ip4_text(p->data + 12, from), ip4_text(p->data + 16, to));
	header = (p->data[0] & 15u) * 4u;
	total = get_be16(p->data + 2);
	if (header < 20) {
		packet_say(p, "Bogus IP header length (%u, must be at least 20)", header);
		return true;
	}
	if (!total) /* a segment that was longer than the field can say */
		total = p->size > header ? (unsigned)p->size : header;
	if (total < header) {
		packet_say(p, "Bogus IP length (%u, less than header length %u)", total, header);
		return true;
	}
	if (total > p->size)
		packet_say(p, "[IP length %u, but %zu bytes are there] ", total, p->size);
	packet_limit(p, total);
	if (!packet_has(p, header))
		return packet_cut(p);
	fragment = get_be16(p->data + 6) & 0x3fffu;
	protocol = p->data[9];
	p->ttl = p->data[8];
	/* The first one is looked into where no more of it can be seen than that. */
	if (fragment & 0x1fffu || (fragment && p->captured >= total)) {
		say_fragment(p, protocol, (fragment & 0x1fffu) * 8, get_be16(p->data + 4));
		return true;
	}
	packet_skip(p, header);
	return decode_ip_protocol(p, protocol);
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

bool decode_ip6(struct packet *p)
{
	char from[IP6_TEXT], to[IP6_TEXT];
	unsigned payload;
	int protocol;

	packet_protocol(p, "IPv6");
	if (!packet_has(p, 40))
		return packet_cut(p);
	if (p->data[0] >> 4 != 6) {
		packet_say(p, "Bogus IPv6 version (%u, must be 6)", p->data[0] >> 4);
		return true;
	}
	set_addresses(p, ip6_text(p->data + 8, from), ip6_text(p->data + 24, to));
	payload = get_be16(p->data + 4);
	protocol = p->data[6];
	p->ttl = p->data[7];
	packet_skip(p, 40);
	if (payload > p->size)
		packet_say(p, "[IPv6 payload length %u, but %zu bytes are there] ", payload,
			   p->size);
	if (payload || protocol != PROTOCOL_HOP_BY_HOP) /* else a jumbogram, RFC 2675 */
		packet_limit(p, payload);
	protocol = skip_extensions(p, (unsigned)protocol);
	return protocol < 0 || decode_ip_protocol(p, (unsigned)protocol);
}

/*
 * Packets in packets: MPLS (RFC 3032), PPPoE (RFC 2516), MACsec (IEEE 802.1AE), provider
 * bridges (IEEE 802.1ah), NSH (RFC 8300), GRE (RFC 2784, 2637) with ERSPAN and NHRP, IPsec
 * (RFC 4302, 4303, 3948), VXLAN (RFC 7348), Geneve (RFC 8926), GTP (3GPP TS 29.281), Teredo
 * (RFC 4380), L2TP (RFC 2661). What is said is that of the innermost packet, with the
 * tunnels named before it. Pure; any thread.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "net/decode/parts.h"

/* What has no type of its own begins with the version of IP, or is a frame. */
static bool decode_by_version(struct packet *p)
{
	if (!packet_nest(p))
		return true;
	if (!packet_has(p, 1))
		return packet_cut(p);
	if (p->data[0] >> 4 == 4)
		return decode_ip4(p);
	if (p->data[0] >> 4 == 6)
		return decode_ip6(p);
	if (p->data[0] >> 4 == 0 && packet_has(p, 4) && !(get_be32(p->data) >> 16))
		packet_skip(p, 4); /* a control word: RFC 4448 §4.6 */
	return decode_ethernet(p);
}

bool decode_mpls(struct packet *p)
{
	bool last = false;

	for (unsigned i = 0; i < PACKET_DEPTH_MAX && !last; i++) {
		if (!packet_has(p, 4))
			return packet_cut(p);
		packet_say(p, i ? "/%u" : "[MPLS %u", get_be32(p->data) >> 12);
		last = p->data[2] & 1;
		packet_skip(p, 4);
	}
	packet_say(p, "] ");
	return !last || decode_by_version(p);
}

bool decode_pppoe_discovery(struct packet *p)
{
	static const struct number_name codes[] = {
		{ 0x07, "Active Discovery Offer (PADO)" },
		{ 0x09, "Active Discovery Initiation (PADI)" },
		{ 0x19, "Active Discovery Request (PADR)" },
		{ 0x65, "Active Discovery Session-confirmation (PADS)" },
		{ 0xa7, "Active Discovery Terminate (PADT)" },
	};

	if (!packet_has(p, 6))
		return packet_cut(p);
	SAY_NAME(p, codes, "Code", p->data[1]);
	return true;
}

/* LCP and those that are made like it (RFC 1661 §5). */
static bool decode_ppp_control(struct packet *p)
{
	static const struct number_name codes[] = {
		{ 1, "Configuration Request" }, { 2, "Configuration Ack" },
		{ 3, "Configuration Nak" },     { 4, "Configuration Reject" },
		{ 5, "Termination Request" },   { 6, "Termination Ack" },
		{ 7, "Code Reject" },           { 8, "Protocol Reject" },
		{ 9, "Echo Request" },          { 10, "Echo Reply" },
		{ 11, "Discard Request" },
	};

	if (!packet_has(p, 4))
		return packet_cut(p);
	SAY_NAME(p, codes, "Code", p->data[0]);
	return true;
}

static const struct dissector ppp_protocols[] = {
	{ 0x0021, "IPv4", decode_ip4 },
	{ 0x0057, "IPv6", decode_ip6 },
	{ 0x00fd, "PPP Comp", NULL },
	{ 0x0281, "MPLS", decode_mpls },
	{ 0x8021, "PPP IPCP", decode_ppp_control },
	{ 0x8057, "PPP IPV6CP", decode_ppp_control },
	{ 0x80fd, "PPP CCP", decode_ppp_control },
	{ 0xc021, "PPP LCP", decode_ppp_control },
	{ 0xc023, "PPP PAP", NULL },
	{ 0xc025, "PPP LQR", NULL },
	{ 0xc223, "PPP CHAP", NULL },
};

static bool decode_ppp(struct packet *p)
{
	unsigned protocol, size;

	if (!packet_nest(p))
		return true;
	if (packet_has(p, 2) && p->data[0] == 0xff && p->data[1] == 3)
		packet_skip(p, 2);
	if (!packet_has(p, 2))
		return packet_cut(p);
	size = p->data[0] & 1 ? 1 : 2; /* compressed, RFC 1661 §6.5 */
	protocol = size == 1 ? p->data[0] : get_be16(p->data);
	packet_skip(p, size);
	if (DISSECT(ppp_protocols, protocol, p))
		return true;
	packet_say(p, "PPP protocol 0x%04x, %zu bytes", protocol, p->size);
	return true;
}

bool decode_pppoe_session(struct packet *p)
{
	if (!packet_has(p, 6))
		return packet_cut(p);
	packet_say(p, "[PPPoE %u] ", get_be16(p->data + 2));
	packet_limit(p, 6u + get_be16(p->data + 4));
	packet_skip(p, 6);
	return decode_ppp(p);
}

/* What is not encrypted is shown. */
bool decode_macsec(struct packet *p)
{
	size_t header = 6;
	unsigned type;

	if (!packet_has(p, 6))
		return packet_cut(p);
	if (p->data[0] & 0x20) /* SC */
		header += 8;
	if (p->data[0] & 0x08 || !packet_has(p, header + 2) || p->size < header + 18 ||
	    !packet_nest(p)) {
		packet_say(p, "MACsec frame, packet number %u", get_be32(p->data + 2));
		return true;
	}
	packet_limit(p, p->size - 16); /* the check value */
	type = packet_has(p, header + 2) ? get_be16(p->data + header) : 0;
	packet_say(p, "[MACsec] ");
	if (!type)
		return packet_cut(p);
	packet_skip(p, header + 2);
	return decode_ethertype(p, type);
}

bool decode_pbb(struct packet *p)
{
	if (!packet_has(p, 4))
		return packet_cut(p);
	packet_say(p, "[PBB %u] ", get_be32(p->data) & 0xffffffu);
	packet_skip(p, 4);
	return decode_ethernet(p);
}

static const struct dissector nsh_protocols[] = {
	{ 1, "IPv4", decode_ip4 },
	{ 2, "IPv6", decode_ip6 },
	{ 3, "Ethernet", decode_ethernet },
	{ 5, "MPLS", decode_mpls },
};

bool decode_nsh(struct packet *p)
{
	unsigned size, next;

	if (!packet_has(p, 8))
		return packet_cut(p);
	size = (p->data[1] & 0x3fu) * 4;
	next = p->data[3];
	packet_say(p, "[NSH %u] ", get_be32(p->data + 4) >> 8);
	if (size < 8 || !packet_has(p, size))
		return packet_cut(p);
	packet_skip(p, size);
	return !packet_nest(p) || DISSECT(nsh_protocols, next, p) || true;
}

static bool decode_erspan2(struct packet *p)
{
	if (!packet_has(p, 8))
		return packet_cut(p);
	packet_say(p, "[ERSPAN %u] ", get_be16(p->data + 2) & 0x3ffu);
	packet_skip(p, 8);
	return decode_ethernet(p);
}

static bool decode_erspan3(struct packet *p)
{
	size_t size = 12;

	if (!packet_has(p, 12))
		return packet_cut(p);
	if (p->data[11] & 1)
		size += 8;
	packet_say(p, "[ERSPAN %u] ", get_be16(p->data + 2) & 0x3ffu);
	if (!packet_has(p, size))
		return packet_cut(p);
	packet_skip(p, size);
	return decode_ethernet(p);
}

/* Where they are not those of Ethernet. */
static const struct dissector gre_types[] = {
	{ 0x2001, "NHRP", NULL },
	{ 0x22eb, "ERSPAN", decode_erspan3 },
	{ 0x880b, "PPP", decode_ppp },
	{ 0x88be, "ERSPAN", decode_erspan2 },
	{ 0x883e, "WCCP", decode_by_version },
};

bool decode_gre(struct packet *p)
{
	unsigned flags, type;
	size_t size = 4;

	if (!packet_has(p, 4))
		return packet_cut(p);
	flags = get_be16(p->data);
	type = get_be16(p->data + 2);
	size += (flags & 0x8000 || flags & 0x4000 ? 4u : 0u) + (flags & 0x2000 ? 4u : 0u) +
		(flags & 0x1000 ? 4u : 0u) + ((flags & 7) == 1 && flags & 0x80 ? 4u : 0u);
	if (!packet_has(p, size))
		return packet_cut(p);
	packet_say(p, flags & 0x2000 && (flags & 7) == 0 ? "[GRE %u] " : "[GRE] ",
		   flags & 0x2000 && (flags & 7) == 0 ? get_be32(p->data + (flags & 0xc000 ? 8 : 4))
						      : 0);
	packet_skip(p, size);
	if (!p->size || !packet_nest(p))
		return true;
	if (type == 0x88be && !(flags & 0x1000))
		return decode_ethernet(p); /* ERSPAN type I has no header of its own */
	if (DISSECT(gre_types, type, p))
		return true;
	if (type > 1500 && decode_known_ethertype(p, type))
		return true;
	packet_say(p, "Protocol type 0x%04x, %zu bytes", type, p->size);
	return true;
}

bool decode_ether_ip(struct packet *p)
{
	if (!packet_has(p, 2))
		return packet_cut(p);
	packet_say(p, "[EtherIP] ");
	packet_skip(p, 2);
	return decode_ethernet(p);
}

bool decode_ah(struct packet *p)
{
	unsigned next;
	size_t size;

	if (!packet_has(p, 12))
		return packet_cut(p);
	next = p->data[0];
	size = (p->data[1] + 2u) * 4;
	packet_say(p, "[AH 0x%08x] ", get_be32(p->data + 4));
	if (size < 12 || !packet_has(p, size))
		return packet_cut(p);
	packet_skip(p, size);
	return !packet_nest(p) || decode_ip_protocol(p, next);
}

bool decode_esp(struct packet *p)
{
	if (!packet_has(p, 8))
		return packet_cut(p);
	packet_say(p, "ESP (SPI=0x%08x, sequence %u), %zu bytes", get_be32(p->data),
		   get_be32(p->data + 4), p->size);
	return true;
}

/* Port 4500, RFC 3948 §2. */
bool decode_esp_udp(struct packet *p)
{
	if (p->size == 1 && packet_has(p, 1) && p->data[0] == 0xff) {
		packet_protocol(p, "UDPENCAP");
		packet_say(p, "NAT-keepalive");
		return true;
	}
	if (packet_has(p, 4) && get_be32(p->data) == 0) {
		packet_protocol(p, "ISAKMP");
		packet_skip(p, 4);
		return decode_isakmp(p);
	}
	packet_protocol(p, "ESP");
	return decode_esp(p);
}

bool decode_vxlan(struct packet *p)
{
	if (!packet_has(p, 8))
		return packet_cut(p);
	packet_say(p, "[VXLAN %u] ", get_be32(p->data + 4) >> 8);
	packet_skip(p, 8);
	return decode_ethernet(p);
}

bool decode_vxlan_gpe(struct packet *p)
{
	static const struct dissector next[] = {
		{ 1, "IPv4", decode_ip4 },          { 2, "IPv6", decode_ip6 },
		{ 3, "Ethernet", decode_ethernet }, { 4, "NSH", decode_nsh },
		{ 5, "MPLS", decode_mpls },
	};
	unsigned protocol;

	if (!packet_has(p, 8))
		return packet_cut(p);
	packet_say(p, "[VXLAN %u] ", get_be32(p->data + 4) >> 8);
	protocol = p->data[3];
	packet_skip(p, 8);
	return !packet_nest(p) || DISSECT(next, protocol, p) || true;
}

bool decode_geneve(struct packet *p)
{
	unsigned type;
	size_t size;

	if (!packet_has(p, 8))
		return packet_cut(p);
	size = 8 + (p->data[0] & 0x3fu) * 4;
	type = get_be16(p->data + 2);
	packet_say(p, "[Geneve %u] ", get_be32(p->data + 4) >> 8);
	if (!packet_has(p, size))
		return packet_cut(p);
	packet_skip(p, size);
	return !packet_nest(p) || decode_ethertype(p, type);
}

/* Its user's packets are shown as those of GTP. */
bool decode_gtp(struct packet *p)
{
	static const struct number_name types[] = {
		{ 1, "Echo request" },
		{ 2, "Echo response" },
		{ 16, "Create PDP context request" },
		{ 17, "Create PDP context response" },
		{ 18, "Update PDP context request" },
		{ 19, "Update PDP context response" },
		{ 20, "Delete PDP context request" },
		{ 21, "Delete PDP context response" },
		{ 26, "Error indication" },
		{ 32, "Create Session Request" },
		{ 33, "Create Session Response" },
		{ 34, "Modify Bearer Request" },
		{ 35, "Modify Bearer Response" },
		{ 36, "Delete Session Request" },
		{ 37, "Delete Session Response" },
		{ 254, "End marker" },
	};
	char inner[sizeof(p->out->protocol)];
	size_t size = 8;

	if (!packet_has(p, 8))
		return packet_cut(p);
	if (p->data[0] >> 5 == 2)
		packet_protocol(p, "GTPv2");
	else if (p->data[0] >> 4 == 0)
		packet_protocol(p, "GTP Prime");
	if (p->data[1] != 255 || p->data[0] >> 4 != 3) {
		SAY_NAME(p, types, "Message", p->data[1]);
		return true;
	}
	packet_say(p, "[GTP 0x%08x] ", get_be32(p->data + 4));
	if (p->data[0] & 7) {
		unsigned next = p->data[0] & 4 && packet_has(p, 12) ? p->data[11] : 0;

		size = 12;
		for (unsigned i = 0; next && i < 8; i++) { /* extension headers */
			size_t more = packet_has(p, size + 1) ? p->data[size] * 4u : 0;

			if (!more || !packet_has(p, size + more))
				return packet_cut(p);
			next = p->data[size + more - 1];
			size += more;
		}
	}
	if (!packet_has(p, size + 1))
		return packet_cut(p);
	packet_skip(p, size);
	if (p->data[0] >> 4 != 4 && p->data[0] >> 4 != 6) {
		packet_say(p, "%zu bytes", p->size);
		return true;
	}
	decode_by_version(p);
	memcpy(inner, p->out->protocol, sizeof(inner));
	snprintf(p->out->protocol, sizeof(p->out->protocol), "GTP <%.9s>", inner);
	return true;
}

bool decode_teredo(struct packet *p)
{
	if (packet_has(p, 8) && get_be16(p->data) == 0)
		packet_skip(p, 8); /* origin indication, RFC 4380 §5.1.1 */
	if (!packet_has(p, 40) || p->data[0] >> 4 != 6)
		return false;
	packet_say(p, "[Teredo] ");
	return !packet_nest(p) || decode_ip6(p);
}

bool decode_l2tp(struct packet *p)
{
	static const struct number_name types[] = {
		{ 1, "SCCRQ" }, { 2, "SCCRP" }, { 3, "SCCCN" }, { 4, "StopCCN" }, { 6, "Hello" },
		{ 7, "OCRQ" },  { 8, "OCRP" },  { 9, "OCCN" },  { 10, "ICRQ" },   { 11, "ICRP" },
		{ 12, "ICCN" }, { 14, "CDN" },  { 15, "WEN" },  { 16, "SLI" },
	};
	unsigned flags;
	size_t size;

	if (!packet_has(p, 6))
		return packet_cut(p);
	flags = get_be16(p->data);
	if ((flags & 15) == 3)
		packet_protocol(p, "L2TPv3");
	if ((flags & 15) != 2) {
		packet_say(p, "Version %u, %zu bytes", flags & 15, p->size);
		return true;
	}
	size = 6 + (flags & 0x4000 ? 2u : 0u) + (flags & 0x0800 ? 4u : 0u);
	if (flags & 0x0200 && packet_has(p, size + 2))
		size += 2u + get_be16(p->data + size);
	if (!packet_has(p, size + (flags & 0x8000 ? 0u : 1u)))
		return packet_cut(p);
	packet_say(p, "[L2TP] ");
	packet_skip(p, size);
	if (!(flags & 0x8000))
		return decode_ppp(p);
	if (packet_has(p, 8)) /* the first AVP says what it is: RFC 2661 §4.1 */
		SAY_NAME(p, types, "Message", get_be16(p->data + 6));
	else
		packet_say(p, "ZLB");
	return true;
}

/*
 * A packet in one line: the frame, its VLAN tags and ARP (RFC 826). Pure;
 * any thread.
 */
#include "net/decode/decode.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "net/decode/parts.h"

static bool decode_arp(struct packet *p)
{
	static const uint8_t ethernet_ip4[6] = { 0, 1, 8, 0, 6, 4 };
	static const uint8_t all[4] = { 255, 255, 255, 255 };
	char a[IP4_TEXT], b[IP4_TEXT], mac[MAC_TEXT];
	const uint8_t *sender, *target;
	unsigned op;

	if (!packet_has(p, 28))
		return packet_cut(p);
	op = get_be16(p->data + 6);
	if (memcmp(p->data, ethernet_ip4, sizeof(ethernet_ip4)) != 0) {
		packet_say(p, "Operation %u of hardware type %u, protocol type 0x%04x", op,
			   get_be16(p->data), get_be16(p->data + 2));
		return true;
	}
	sender = p->data + 14;
	target = p->data + 24;
	ip4_text(sender, a);
	ip4_text(target, b);
	if (op == 1 && memcmp(sender, target, 4) == 0)
		packet_say(p, "ARP Announcement for %s", a);
	else if (op == 1 && get_be32(sender) == 0)
		packet_say(p, "Who has %s? (ARP Probe)", b);
	else if (op == 1)
		packet_say(p, "Who has %s? Tell %s", b, a);
	else if (op == 2 && (memcmp(sender, target, 4) == 0 || memcmp(target, all, 4) == 0))
		packet_say(p, "Gratuitous ARP for %s (Reply)", a);
	else if (op == 2)
		packet_say(p, "%s is at %s", a, mac_text(p->data + 8, mac));
	else
		packet_say(p, "Unknown ARP operation %u from %s", op, a);
	return true;
}

/* IEEE 802.1Q §9.6 */
static bool decode_vlan(struct packet *p)
{
	unsigned type;

	if (!packet_has(p, 4))
		return packet_cut(p);
	packet_say(p, "[VLAN %u] ", get_be16(p->data) & 0xfffu);
	type = get_be16(p->data + 2);
	packet_skip(p, 4);
	return !packet_nest(p) || decode_ethertype(p, type);
}

static const struct dissector ethertypes[] = {
	{ 0x0800, "IPv4", decode_ip4 },
	{ 0x0806, "ARP", decode_arp },
	{ 0x0842, "WOL", NULL },
	{ 0x22f3, "TRILL", NULL },
	{ 0x6002, "MOP RC", NULL },
	{ 0x6003, "DEC DNA", NULL },
	{ 0x6004, "LAT", NULL },
	{ 0x6558, "Ethernet", decode_ethernet },
	{ 0x8035, "RARP", NULL },
	{ 0x809b, "DDP", NULL },
	{ 0x80f3, "AARP", NULL },
	{ 0x8100, "VLAN", decode_vlan },
	{ 0x8137, "IPX", NULL },
	{ 0x86dd, "IPv6", decode_ip6 },
	{ 0x8808, "MAC CTRL", NULL },
	{ 0x8809, NULL, decode_slow },
	{ 0x8847, "MPLS", decode_mpls },
	{ 0x8848, "MPLS", decode_mpls },
	{ 0x8863, "PPPoED", decode_pppoe_discovery },
	{ 0x8864, "PPPoES", decode_pppoe_session },
	{ 0x886f, "MS NLB", NULL },
	{ 0x888e, "EAPOL", decode_eapol },
	{ 0x8892, "PN-RT", NULL },
	{ 0x88a2, "AoE", NULL },
	{ 0x88a4, "ECAT", NULL },
	{ 0x88a8, "VLAN", decode_vlan },
	{ 0x88ca, "TIPC", NULL },
	{ 0x88cc, "LLDP", decode_lldp },
	{ 0x88e5, "MACSEC", decode_macsec },
	{ 0x88e7, "0x88e7", decode_pbb },
	{ 0x88f7, NULL, decode_ptp },
	{ 0x8902, "CFM", NULL },
	{ 0x8906, "FCoE", NULL },
	{ 0x8914, "FIP", NULL },
	{ 0x894f, "NSH", decode_nsh },
	{ 0x9000, "LOOP", NULL },
	{ 0x9100, "VLAN", decode_vlan },
};

bool dissect(const struct dissector *rows, size_t count, unsigned number, struct packet *p)
{
	const struct packet whole = *p;
	char before[sizeof(p->out->protocol)];

	for (size_t i = 0; i < count; i++) {
		if (rows[i].number != number)
			continue;
		memcpy(before, p->out->protocol, sizeof(before));
		if (rows[i].name)
			packet_protocol(p, rows[i].name);
		if (!rows[i].decode) {
			packet_say(p, "%s, %zu bytes", rows[i].name, p->size);
			return true;
		}
		if (rows[i].decode(p))
			return true;
		memcpy(p->out->protocol, before, sizeof(before));
		*p = whole;
	}
	return false;
}

bool decode_known_ethertype(struct packet *p, unsigned type)
{
	return DISSECT(ethertypes, type, p);
}

bool decode_ethertype(struct packet *p, unsigned type)
{
	char name[16];

	if (decode_known_ethertype(p, type))
		return true;
	if (type <= 1500) { /* a length: IEEE 802.3 */
		packet_limit(p, type);
		return decode_llc(p);
	}
	snprintf(name, sizeof(name), "0x%04x", type);
	packet_protocol(p, name);
	packet_say(p, "Unknown Ethernet type %s, %zu bytes", name, p->size);
	return true;
}

bool decode_ethernet(struct packet *p)
{
	char mac[MAC_TEXT];
	unsigned type;

	packet_protocol(p, "Ethernet");
	if (!packet_has(p, 14))
		return packet_cut(p);
	snprintf(p->out->to, sizeof(p->out->to), "%s", mac_text(p->data, mac));
	snprintf(p->out->from, sizeof(p->out->from), "%s", mac_text(p->data + 6, mac));
	type = get_be16(p->data + 12);
	packet_skip(p, 14);
	return !packet_nest(p) || decode_ethertype(p, type);
}

void packet_summarize(const uint8_t *data, size_t captured, size_t size, struct packet_summary *out)
{
	packet_summarize_next(NULL, data, captured, size, out);
}

void packet_summarize_next(struct sequence_table *sequences, const uint8_t *data, size_t captured,
			   size_t size, struct packet_summary *out)
{
	struct packet packet = {
		.data = data,
		.captured = captured,
		.size = size > captured ? size : captured,
		.out = out,
		.sequences = sequences,
	};

	out->from[0] = out->to[0] = out->text[0] = '\0';
	decode_ethernet(&packet);
	for (size_t end = strlen(out->text); end && out->text[end - 1] == ' '; end--)
		out->text[end - 1] = '\0';
}

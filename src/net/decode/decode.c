/*
 * A packet in one line: the frame, its VLAN tags and ARP (RFC 826), LLDP and
 * LLC (IEEE 802.1AB, 802.2, 802.1D). Pure; any thread.
 */
#include "net/decode/decode.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "net/decode/parts.h"

static void decode_arp(struct packet *p)
{
	static const uint8_t ethernet_ip4[6] = { 0, 1, 8, 0, 6, 4 };
	static const uint8_t all[4] = { 255, 255, 255, 255 };
	char a[IP4_TEXT], b[IP4_TEXT], mac[MAC_TEXT];
	const uint8_t *sender, *target;
	unsigned op;

	packet_protocol(p, "ARP");
	if (!packet_has(p, 28)) {
		packet_cut(p);
		return;
	}
	op = get_be16(p->data + 6);
	if (memcmp(p->data, ethernet_ip4, sizeof(ethernet_ip4)) != 0) {
		packet_say(p, "Operation %u of hardware type %u, protocol type 0x%04x", op,
			   get_be16(p->data), get_be16(p->data + 2));
		return;
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
}

/* The names of TLVs (IEEE 802.1AB §8.5) that say who speaks, in the order they come in. */
static void decode_lldp(struct packet *p)
{
	enum { LLDP_END, LLDP_CHASSIS, LLDP_PORT, LLDP_NAME = 5 };
	unsigned type, size, subtype;
	char mac[MAC_TEXT];

	packet_protocol(p, "LLDP");
	for (unsigned count = 0; count < 32 && packet_has(p, 2); count++) {
		type = p->data[0] >> 1;
		size = get_be16(p->data) & 0x1ffu;
		packet_skip(p, 2);
		if (type == LLDP_END)
			return;
		if (!packet_has(p, size))
			break;
		subtype = size ? p->data[0] : 0;
		if ((type == LLDP_CHASSIS || type == LLDP_PORT) && size > 1) {
			packet_say(p, type == LLDP_PORT ? " Port " : "Chassis ");
			if (size == 7 && subtype == (type == LLDP_PORT ? 3 : 4))
				packet_say(p, "%s", mac_text(p->data + 1, mac));
			else
				packet_quote(p, p->data + 1, size - 1);
		} else if (type == LLDP_NAME) {
			packet_say(p, " Name ");
			packet_quote(p, p->data, size);
		}
		packet_skip(p, size);
	}
	packet_cut(p);
}

/* Bridge PDUs (IEEE 802.1D §9.3). */
static void decode_stp(struct packet *p)
{
	char mac[MAC_TEXT];

	packet_protocol(p, "STP");
	if (!packet_has(p, 4)) {
		packet_cut(p);
		return;
	}
	if (p->data[3] == 0x80) {
		packet_say(p, "Topology Change Notification");
		return;
	}
	if (!packet_has(p, 27)) {
		packet_cut(p);
		return;
	}
	packet_say(p, "%s Root = %u/%u/%s  Cost = %u  Port = 0x%04x",
		   p->data[3] == 2 ? (p->data[2] >= 3 ? "MST." : "RST.") : "Conf.",
		   get_be16(p->data + 5) & 0xf000u, get_be16(p->data + 5) & 0x0fffu,
		   mac_text(p->data + 7, mac), get_be32(p->data + 13), get_be16(p->data + 25));
}

static void decode_llc(struct packet *p)
{
	packet_protocol(p, "LLC");
	if (!packet_has(p, 3)) {
		packet_cut(p);
		return;
	}
	if (p->data[0] == 0x42 && p->data[1] == 0x42) {
		packet_skip(p, 3);
		decode_stp(p);
		return;
	}
	if (p->data[0] == 0xaa && packet_has(p, 8) && get_be32(p->data + 3) >> 8 == 0x00000c &&
	    get_be16(p->data + 6) == 0x2000)
		packet_protocol(p, "CDP");
	packet_say(p, "DSAP 0x%02x, SSAP 0x%02x, %zu bytes", p->data[0], p->data[1], p->size - 3);
}

static void decode_ethertype(struct packet *p, unsigned type);

/* IEEE 802.1Q §9.6 */
static void decode_vlan(struct packet *p)
{
	unsigned type;

	packet_protocol(p, "VLAN");
	if (!packet_has(p, 4)) {
		packet_cut(p);
		return;
	}
	packet_say(p, "[VLAN %u] ", get_be16(p->data) & 0xfffu);
	type = get_be16(p->data + 2);
	packet_skip(p, 4);
	if (p->depth++ < PACKET_DEPTH_MAX)
		decode_ethertype(p, type);
}

/* Protocols that have a name only have no function. */
static const struct {
	uint16_t type;
	const char *name;
	void (*decode)(struct packet *packet);
} ethertypes[] = {
	{ 0x0800, "IPv4", decode_ip4 },  { 0x0806, "ARP", decode_arp },
	{ 0x0842, "WOL", NULL },         { 0x8035, "RARP", NULL },
	{ 0x8100, "VLAN", decode_vlan }, { 0x86dd, "IPv6", decode_ip6 },
	{ 0x8809, "LACP", NULL },        { 0x8847, "MPLS", NULL },
	{ 0x8863, "PPPoED", NULL },      { 0x8864, "PPPoES", NULL },
	{ 0x888e, "EAPOL", NULL },       { 0x88a2, "AoE", NULL },
	{ 0x88a8, "VLAN", decode_vlan }, { 0x88cc, "LLDP", decode_lldp },
	{ 0x88e5, "MACSEC", NULL },      { 0x88f7, "PTPv2", NULL },
	{ 0x8906, "FCoE", NULL },        { 0x9000, "LOOP", NULL },
};

static void decode_ethertype(struct packet *p, unsigned type)
{
	char name[16];

	for (size_t i = 0; i < ARRAY_SIZE(ethertypes); i++) {
		if (ethertypes[i].type != type)
			continue;
		if (ethertypes[i].decode) {
			ethertypes[i].decode(p);
			return;
		}
		packet_protocol(p, ethertypes[i].name);
		packet_say(p, "%s, %zu bytes", ethertypes[i].name, p->size);
		return;
	}
	if (type <= 1500) { /* a length: IEEE 802.3 */
		packet_limit(p, type);
		decode_llc(p);
		return;
	}
	snprintf(name, sizeof(name), "0x%04x", type);
	packet_protocol(p, name);
	packet_say(p, "Unknown Ethernet type %s, %zu bytes", name, p->size);
}

void packet_summarize(const uint8_t *data, size_t captured, size_t size, struct packet_summary *out)
{
	struct packet packet = {
		.data = data,
		.captured = captured,
		.size = size > captured ? size : captured,
		.out = out,
	};
	char mac[MAC_TEXT];
	unsigned type;

	out->from[0] = out->to[0] = out->text[0] = '\0';
	packet_protocol(&packet, "Ethernet");
	if (captured < 14) {
		packet_cut(&packet);
		return;
	}
	snprintf(out->to, sizeof(out->to), "%s", mac_text(data, mac));
	snprintf(out->from, sizeof(out->from), "%s", mac_text(data + 6, mac));
	type = get_be16(data + 12);
	packet_skip(&packet, 14);
	decode_ethertype(&packet, type);
	for (size_t end = strlen(out->text); end && out->text[end - 1] == ' '; end--)
		out->text[end - 1] = '\0';
}

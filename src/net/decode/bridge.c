/*
 * What bridges and their ports tell each other: LLDP (IEEE 802.1AB), LLC (IEEE 802.2) with
 * spanning trees (IEEE 802.1D, 802.1Q) and Cisco's protocols, slow protocols (IEEE 802.3
 * annex 57A), EAPOL (IEEE 802.1X). Pure; any thread.
 */
#include "base/bytes.h"
#include "base/checked.h"
#include "net/decode/parts.h"

/* The names of TLVs (IEEE 802.1AB §8.5) that say who speaks, in the order they come in. */
bool decode_lldp(struct packet *p)
{
	enum { LLDP_END, LLDP_CHASSIS, LLDP_PORT, LLDP_NAME = 5 };
	unsigned type, size, subtype;
	char mac[MAC_TEXT];

	for (unsigned count = 0; count < 32 && packet_has(p, 2); count++) {
		type = p->data[0] >> 1;
		size = get_be16(p->data) & 0x1ffu;
		packet_skip(p, 2);
		if (type == LLDP_END)
			return true;
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
	return true;
}

/* Bridge PDUs (IEEE 802.1D §9.3). */
static bool decode_stp(struct packet *p)
{
	char mac[MAC_TEXT];

	packet_protocol(p, "STP");
	if (!packet_has(p, 4))
		return packet_cut(p);
	if (p->data[3] == 0x80) {
		packet_say(p, "Topology Change Notification");
		return true;
	}
	if (!packet_has(p, 27))
		return packet_cut(p);
	packet_say(p, "%s Root = %u/%u/%s  Cost = %u  Port = 0x%04x",
		   p->data[3] == 2 ? (p->data[2] >= 3 ? "MST." : "RST.") : "Conf.",
		   get_be16(p->data + 5) & 0xf000u, get_be16(p->data + 5) & 0x0fffu,
		   mac_text(p->data + 7, mac), get_be32(p->data + 13), get_be16(p->data + 25));
	return true;
}

/* The strings of the TLVs of CDP that name the sender and its port. */
static bool decode_cdp(struct packet *p)
{
	size_t at = 4;

	if (!packet_has(p, 4))
		return packet_cut(p);
	packet_say(p, "CDP version %u", p->data[0]);
	for (unsigned i = 0; i < 32 && range_inside(at, 4, p->captured); i++) {
		unsigned type = get_be16(p->data + at), size = get_be16(p->data + at + 2);

		if (size < 4 || !range_inside(at, size, p->captured))
			break;
		if (type == 1 || type == 3) {
			packet_say(p, type == 1 ? " Device " : " Port ");
			packet_quote(p, p->data + at + 4, size - 4);
		}
		at += size;
	}
	return true;
}

/* By the number behind Cisco's OUI in a SNAP header. */
static const struct dissector cisco_types[] = {
	{ 0x0102, "DRIP", NULL },        { 0x0104, "PAGP", NULL }, { 0x010b, "STP", decode_stp },
	{ 0x010c, "VLAN Bridge", NULL }, { 0x0111, "UDLD", NULL }, { 0x2000, "CDP", decode_cdp },
	{ 0x2001, "CGMP", NULL },        { 0x2003, "VTP", NULL },  { 0x2004, "DTP", NULL },
};

static bool decode_snap(struct packet *p)
{
	uint32_t oui;
	unsigned type;

	if (!packet_has(p, 5))
		return packet_cut(p);
	oui = get_be32(p->data) >> 8;
	type = get_be16(p->data + 3);
	packet_skip(p, 5);
	if (oui == 0x00000c && DISSECT(cisco_types, type, p))
		return true;
	if ((oui == 0 || oui == 0x0000f8) && type > 1500)
		return !packet_nest(p) || decode_ethertype(p, type);
	if (oui == 0x080007 && type == 0x809b) {
		packet_protocol(p, "DDP");
		packet_say(p, "AppleTalk, %zu bytes", p->size);
		return true;
	}
	if (oui == 0x0080c2 && (type == 1 || type == 7) && packet_has(p, type == 1 ? 0 : 2)) {
		return !packet_nest(p) || decode_ethernet(p); /* RFC 2684 */
	}
	packet_protocol(p, "LLC");
	packet_say(p, "SNAP, OUI 0x%06x, PID 0x%04x, %zu bytes", oui, type, p->size);
	return true;
}

/* By the DSAP, with their control byte skipped. */
static const struct dissector saps[] = {
	{ 0x06, "IPv4", decode_ip4 }, { 0x42, "STP", decode_stp }, { 0xaa, "LLC", decode_snap },
	{ 0xe0, "IPX", NULL },        { 0xfe, NULL, decode_isis },
};

bool decode_llc(struct packet *p)
{
	unsigned dsap, ssap;

	packet_protocol(p, "LLC");
	if (!packet_has(p, 3))
		return packet_cut(p);
	dsap = p->data[0];
	ssap = p->data[1];
	if (dsap == 0xff && ssap == 0xff) { /* IPX without LLC has no checksum */
		packet_protocol(p, "IPX");
		packet_say(p, "IPX, %zu bytes", p->size);
		return true;
	}
	if (p->data[2] == 3) { /* unnumbered information */
		packet_skip(p, 3);
		if (DISSECT(saps, dsap, p))
			return true;
	}
	packet_say(p, "DSAP 0x%02x, SSAP 0x%02x, %zu bytes", dsap, ssap, p->size);
	return true;
}

bool decode_slow(struct packet *p)
{
	static const struct dissector kinds[] = {
		{ 1, "LACP", NULL },
		{ 2, "MARKER", NULL },
		{ 3, "OAM", NULL },
		{ 10, "ESMC", NULL },
	};
	char mac[MAC_TEXT];

	packet_protocol(p, "Slow Protocols");
	if (!packet_has(p, 2))
		return packet_cut(p);
	if (p->data[0] == 1 && packet_has(p, 20)) { /* IEEE 802.1AX §6.4.2 */
		packet_protocol(p, "LACP");
		packet_say(p, "v%u ACTOR %s P: %u K: %u", p->data[1], mac_text(p->data + 6, mac),
			   get_be16(p->data + 16), get_be16(p->data + 12));
		return true;
	}
	if (!DISSECT(kinds, p->data[0], p))
		packet_say(p, "Unknown subtype %u", p->data[0]);
	return true;
}

bool decode_eapol(struct packet *p)
{
	static const struct number_name codes[] = {
		{ 1, "Request" },
		{ 2, "Response" },
		{ 3, "Success" },
		{ 4, "Failure" },
	};
	static const struct number_name types[] = {
		{ 1, "Identity" },      { 2, "Notification" }, { 3, "Legacy Nak" },
		{ 4, "MD5-Challenge" }, { 13, "TLS" },         { 21, "TTLS" },
		{ 25, "PEAP" },         { 26, "MS-CHAPv2" },
	};
	static const struct number_name frames[] = {
		{ 1, "Start" }, { 2, "Logoff" }, { 3, "Key" }, { 4, "Encapsulated ASF Alert" },
		{ 5, "MKA" },
	};

	if (!packet_has(p, 4))
		return packet_cut(p);
	if (p->data[1] != 0 || !packet_has(p, 8)) {
		SAY_NAME(p, frames, "EAPOL type", p->data[1]);
		if (p->data[1] == 5)
			packet_protocol(p, "EAPOL-MKA");
		return true;
	}
	packet_protocol(p, "EAP"); /* RFC 3748 §4 */
	SAY_NAME(p, codes, "Code", p->data[4]);
	if (p->data[4] <= 2 && packet_has(p, 9)) {
		packet_say(p, ", ");
		SAY_NAME(p, types, "type", p->data[8]);
	}
	return true;
}

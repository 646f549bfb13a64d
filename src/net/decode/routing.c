/*
 * What routers tell each other: OSPF (RFC 2328, 5340), BGP (RFC 4271), IS-IS (ISO 10589), RIP
 * (RFC 2453, 2080), PIM (RFC 7761), EIGRP (RFC 7868), LDP (RFC 5036), BFD (RFC 5880), and who
 * stands in for whom: VRRP (RFC 9568), HSRP (RFC 2281), GLBP. Pure; any thread.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "net/decode/parts.h"

bool decode_ospf(struct packet *p)
{
	static const struct number_name types[] = {
		{ 1, "Hello Packet" }, { 2, "DB Description" }, { 3, "LS Request" },
		{ 4, "LS Update" },    { 5, "LS Acknowledge" },
	};
	char router[IP4_TEXT], area[IP4_TEXT];

	if (!packet_has(p, 12))
		return packet_cut(p);
	SAY_NAME(p, types, "Type", p->data[1]);
	packet_say(p, ", router %s, area %s", ip4_text(p->data + 4, router),
		   ip4_text(p->data + 8, area));
	return true;
}

bool decode_pim(struct packet *p)
{
	static const struct number_name types[] = {
		{ 0, "Hello" },         { 1, "Register" },  { 2, "Register-stop" },
		{ 3, "Join/Prune" },    { 4, "Bootstrap" }, { 5, "Assert" },
		{ 6, "Graft" },         { 7, "Graft-Ack" }, { 8, "Candidate-RP-Advertisement" },
		{ 9, "State-Refresh" },
	};
	static const struct number_name types1[] = {
		{ 0, "Query" },      { 1, "Register" },     { 2, "Register-stop" },
		{ 3, "Join/Prune" }, { 4, "RP-Reachable" }, { 5, "Assert" },
		{ 6, "Graft" },      { 7, "Graft-Ack" },
	};

	if (!packet_has(p, 4))
		return packet_cut(p);
	if (p->data[0] >> 4 == 2) {
		packet_protocol(p, "PIMv2");
		SAY_NAME(p, types, "Type", p->data[0] & 15);
		return true;
	}
	packet_protocol(p, p->data[0] == 0x14 ? "PIMv1" : "PIM");
	SAY_NAME(p, types1, "Type", p->data[1]);
	return true;
}

bool decode_eigrp(struct packet *p)
{
	static const struct number_name types[] = {
		{ 1, "Update" }, { 2, "Request" },    { 3, "Query" },      { 4, "Reply" },
		{ 5, "Hello" },  { 10, "SIA-Query" }, { 11, "SIA-Reply" },
	};

	if (!packet_has(p, 20))
		return packet_cut(p);
	SAY_NAME(p, types, "Opcode", p->data[1]);
	return true;
}

bool decode_vrrp(struct packet *p)
{
	if (!packet_has(p, 8))
		return packet_cut(p);
	if ((p->data[0] & 15) != 1) {
		packet_say(p, "Type %u", p->data[0] & 15);
		return true;
	}
	packet_say(p, "Announcement (v%u), group %u, priority %u%s", p->data[0] >> 4, p->data[1],
		   p->data[2], p->data[2] ? "" : " (stops being master)");
	return true;
}

bool decode_hsrp(struct packet *p)
{
	static const struct number_name ops[] = {
		{ 0, "Hello" },
		{ 1, "Coup" },
		{ 2, "Resign" },
		{ 3, "Advertise" },
	};
	static const struct number_name states[] = {
		{ 0, "Initial" }, { 1, "Learn" },   { 2, "Listen" },
		{ 4, "Speak" },   { 8, "Standby" }, { 16, "Active" },
	};
	static const struct number_name states2[] = {
		{ 1, "Init" },  { 2, "Learn" },   { 3, "Listen" },
		{ 4, "Speak" }, { 5, "Standby" }, { 6, "Active" },
	};

	if (packet_has(p, 6) && p->data[0] == 1 && p->data[1] >= 40) { /* version 2: TLVs */
		packet_protocol(p, "HSRPv2");
		SAY_NAME(p, ops, "Opcode", p->data[3]);
		packet_say(p, " (state ");
		SAY_NAME(p, states2, "number", p->data[4]);
		packet_say(p, ")");
		return true;
	}
	if (!packet_has(p, 8))
		return packet_cut(p);
	SAY_NAME(p, ops, "Opcode", p->data[1]);
	if (p->data[1] == 3)
		return true;
	packet_say(p, " (state ");
	SAY_NAME(p, states, "number", p->data[2]);
	packet_say(p, "), group %u, priority %u", p->data[6], p->data[5]);
	return true;
}

bool decode_glbp(struct packet *p)
{
	if (!packet_has(p, 4))
		return packet_cut(p);
	packet_say(p, "G: %u, L: %zu", get_be16(p->data + 2), p->size);
	return true;
}

bool decode_rip(struct packet *p)
{
	static const struct number_name commands[] = {
		{ 1, "Request" },
		{ 2, "Response" },
	};
	bool next = p->from_port == 521 || p->to_port == 521;

	if (!packet_has(p, 4))
		return packet_cut(p);
	packet_protocol(p, next              ? "RIPng"
			   : p->data[1] == 2 ? "RIPv2"
			   : p->data[1] == 1 ? "RIPv1"
					     : "RIP");
	SAY_NAME(p, commands, "Command", p->data[0]);
	packet_say(p, ", %zu routes", (p->size - 4) / 20);
	return true;
}

bool decode_bfd(struct packet *p)
{
	static const struct number_name states[] = {
		{ 0, "AdminDown" },
		{ 1, "Down" },
		{ 2, "Init" },
		{ 3, "Up" },
	};

	if (!packet_has(p, 24))
		return false;
	packet_say(p, "State: ");
	SAY_NAME(p, states, "number", p->data[1] >> 6);
	packet_say(p, ", Diagnostic %u, My 0x%08x, Your 0x%08x", p->data[0] & 31u,
		   get_be32(p->data + 4), get_be32(p->data + 8));
	return true;
}

bool decode_bgp(struct packet *p)
{
	static const struct number_name types[] = {
		{ 1, "OPEN" },      { 2, "UPDATE" },        { 3, "NOTIFICATION" },
		{ 4, "KEEPALIVE" }, { 5, "ROUTE-REFRESH" }, { 6, "CAPABILITY" },
	};
	size_t at = 0;

	for (unsigned i = 0; i < 8 && range_inside(at, 19, p->captured); i++) {
		size_t size = get_be16(p->data + at + 16);

		if (get_be32(p->data + at) != 0xffffffff || size < 19)
			break;
		if (!i && !packet_whole(p, size))
			return false;
		packet_say(p, i ? ", " : "");
		SAY_NAME(p, types, "type", p->data[at + 18]);
		packet_say(p, " Message");
		at += size;
	}
	if (!at)
		packet_say(p, "Continuation, %zu bytes", p->size);
	return true;
}

bool decode_ldp(struct packet *p)
{
	static const struct number_name types[] = {
		{ 0x001, "Notification" },
		{ 0x100, "Hello" },
		{ 0x200, "Initialization" },
		{ 0x201, "Keep Alive" },
		{ 0x300, "Address" },
		{ 0x301, "Address Withdrawal" },
		{ 0x400, "Label Mapping" },
		{ 0x401, "Label Request" },
		{ 0x402, "Label Withdrawal" },
		{ 0x403, "Label Release" },
		{ 0x404, "Label Abort Request" },
	};

	if (!packet_has(p, 12) || get_be16(p->data) != 1 ||
	    !packet_whole(p, get_be16(p->data + 2) + 4u))
		return false;
	SAY_NAME(p, types, "Type", get_be16(p->data + 10) & 0x7fff);
	packet_say(p, " Message");
	return true;
}

/* ISO 10589 §9, behind an LLC header. */
bool decode_isis(struct packet *p)
{
	static const struct {
		uint8_t type;
		const char *protocol, *text;
	} types[] = {
		{ 15, "ISIS HELLO", "L1 HELLO" },  { 16, "ISIS HELLO", "L2 HELLO" },
		{ 17, "ISIS HELLO", "P2P HELLO" }, { 18, "ISIS LSP", "L1 LSP" },
		{ 20, "ISIS LSP", "L2 LSP" },      { 24, "ISIS CSNP", "L1 CSNP" },
		{ 25, "ISIS CSNP", "L2 CSNP" },    { 26, "ISIS PSNP", "L1 PSNP" },
		{ 27, "ISIS PSNP", "L2 PSNP" },
	};
	static const struct number_name networks[] = {
		{ 0x81, "CLNP" },
		{ 0x82, "ESIS" },
		{ 0x83, "ISIS" },
	};
	const char *name = packet_has(p, 1) ? NAME_FIND(networks, p->data[0]) : NULL;

	if (!name)
		return false;
	packet_protocol(p, name);
	for (size_t i = 0; p->data[0] == 0x83 && packet_has(p, 5) && i < ARRAY_SIZE(types); i++) {
		if (types[i].type != (p->data[4] & 31))
			continue;
		packet_protocol(p, types[i].protocol);
		packet_say(p, "%s", types[i].text);
		return true;
	}
	packet_say(p, "%s, %zu bytes", name, p->size);
	return true;
}

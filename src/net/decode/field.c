/*
 * Things and plants: MQTT (OASIS), CoAP (RFC 7252), Modbus, BACnet, DNP3 (IEEE 1815),
 * OpenFlow.
 * Pure; any thread.
 */
#include "base/bytes.h"
#include "base/checked.h"
#include "net/decode/parts.h"

bool decode_mqtt(struct packet *p)
{
	static const char *const types[] = {
		NULL,
		"Connect Command",
		"Connect Ack",
		"Publish Message",
		"Publish Ack",
		"Publish Received",
		"Publish Release",
		"Publish Complete",
		"Subscribe Request",
		"Subscribe Ack",
		"Unsubscribe Request",
		"Unsubscribe Ack",
		"Ping Request",
		"Ping Response",
		"Disconnect Req",
		"Authentication Exchange",
	};
	size_t size = 0, at = 1;

	for (unsigned shift = 0; shift < 28; shift += 7, at++) {
		if (!packet_has(p, at + 1))
			return false;
		size |= (size_t)(p->data[at] & 127) << shift;
		if (!(p->data[at] & 128))
			break;
	}
	at++;
	if (!types[p->data[0] >> 4] || !packet_whole(p, at + size))
		return false;
	packet_say(p, "%s", types[p->data[0] >> 4]);
	if (p->data[0] >> 4 == 3 && range_inside(at, 2, p->captured) &&
	    range_inside(at + 2, get_be16(p->data + at), p->captured)) {
		packet_say(p, " [");
		packet_quote(p, p->data + at + 2, get_be16(p->data + at));
		packet_say(p, "]");
	}
	return true;
}

bool decode_coap(struct packet *p)
{
	static const char *const types[] = { "CON", "NON", "ACK", "RST" };
	static const struct number_name codes[] = {
		{ 0, "Empty Message" },
		{ 1, "GET" },
		{ 2, "POST" },
		{ 3, "PUT" },
		{ 4, "DELETE" },
		{ 65, "2.01 Created" },
		{ 66, "2.02 Deleted" },
		{ 67, "2.03 Valid" },
		{ 68, "2.04 Changed" },
		{ 69, "2.05 Content" },
		{ 95, "2.31 Continue" },
		{ 128, "4.00 Bad Request" },
		{ 129, "4.01 Unauthorized" },
		{ 132, "4.04 Not Found" },
		{ 133, "4.05 Method Not Allowed" },
		{ 160, "5.00 Internal Server Error" },
	};

	if (!packet_has(p, 4) || p->data[0] >> 6 != 1)
		return false;
	packet_say(p, "%s, MID:%u, ", types[p->data[0] >> 4 & 3], get_be16(p->data + 2));
	SAY_NAME(p, codes, "Code", p->data[1]);
	return true;
}

bool decode_modbus(struct packet *p)
{
	static const struct number_name functions[] = {
		{ 1, "Read Coils" },
		{ 2, "Read Discrete Inputs" },
		{ 3, "Read Holding Registers" },
		{ 4, "Read Input Registers" },
		{ 5, "Write Single Coil" },
		{ 6, "Write Single Register" },
		{ 7, "Read Exception Status" },
		{ 8, "Diagnostics" },
		{ 15, "Write Multiple Coils" },
		{ 16, "Write Multiple Registers" },
		{ 17, "Report Slave ID" },
		{ 22, "Mask Write Register" },
		{ 23, "Read Write Register" },
		{ 43, "Encapsulated Interface Transport" },
	};

	if (!packet_has(p, 8) || get_be16(p->data + 2) || get_be16(p->data + 4) < 2 ||
	    !packet_whole(p, get_be16(p->data + 4) + 6u))
		return false;
	packet_say(p, p->from_port == 502 ? "Response: " : "Query: ");
	packet_say(p, "Trans: %u; Unit: %u, Func: ", get_be16(p->data), p->data[6]);
	SAY_NAME(p, functions, "function", p->data[7] & 0x7f);
	packet_say(p, p->data[7] & 0x80 ? ". Exception returned" : "");
	return true;
}

/* BACnet/IP: ANSI/ASHRAE 135 annex J, and what the network layer carries, §6.2. */
bool decode_bacnet(struct packet *p)
{
	size_t at = 4;

	if (!packet_has(p, 6) || p->data[0] != 0x81)
		return false;
	if (p->data[1] == 4) /* forwarded, with the address of the sender */
		at += 6;
	packet_protocol(p, "BVLC");
	if (packet_has(p, at + 2) && p->data[at] == 1)
		packet_protocol(p, p->data[at + 1] & 0x80 ? "BACnet-NPDU" : "BACnet-APDU");
	packet_say(p, "Function %u, %zu bytes", p->data[1], p->size);
	return true;
}

bool decode_dnp3(struct packet *p)
{
	static const struct number_name functions[] = {
		{ 0, "Confirm" },
		{ 1, "Read" },
		{ 2, "Write" },
		{ 3, "Select" },
		{ 4, "Operate" },
		{ 5, "Direct Operate" },
		{ 13, "Cold Restart" },
		{ 14, "Warm Restart" },
		{ 20, "Enable Spontaneous Messages" },
		{ 21, "Disable Spontaneous Messages" },
		{ 129, "Response" },
		{ 130, "Unsolicited Response" },
	};

	if (!packet_has(p, 10) || get_be16(p->data) != 0x0564)
		return false;
	packet_say(p, "from %u to %u", p->data[6] | (unsigned)p->data[7] << 8,
		   p->data[4] | (unsigned)p->data[5] << 8);
	if (p->data[2] > 5 && packet_has(p, 13)) {
		packet_say(p, ", ");
		SAY_NAME(p, functions, "function", p->data[12]);
	}
	return true;
}

bool decode_openflow(struct packet *p)
{
	static const struct number_name types[] = {
		{ 0, "OFPT_HELLO" },          { 1, "OFPT_ERROR" },
		{ 2, "OFPT_ECHO_REQUEST" },   { 3, "OFPT_ECHO_REPLY" },
		{ 4, "OFPT_EXPERIMENTER" },   { 5, "OFPT_FEATURES_REQUEST" },
		{ 6, "OFPT_FEATURES_REPLY" }, { 10, "OFPT_PACKET_IN" },
		{ 11, "OFPT_FLOW_REMOVED" },  { 12, "OFPT_PORT_STATUS" },
		{ 13, "OFPT_PACKET_OUT" },    { 14, "OFPT_FLOW_MOD" },
	};

	if (!packet_has(p, 8) || !p->data[0] || p->data[0] > 6 ||
	    !packet_whole(p, get_be16(p->data + 2)))
		return false;
	packet_say(p, "version %u, ", p->data[0]);
	SAY_NAME(p, types, "Type", p->data[1]);
	return true;
}

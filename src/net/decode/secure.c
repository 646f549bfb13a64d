/*
 * Who may what, and keys: RADIUS (RFC 2865), TACACS+ (RFC 8907), Diameter (RFC 6733),
 * Kerberos (RFC 4120), LDAP (RFC 4511), ISAKMP (RFC 7296), WireGuard. Pure; any thread.
 */
#include "base/bytes.h"
#include "base/checked.h"
#include "net/decode/parts.h"

bool decode_radius(struct packet *p)
{
	static const struct number_name codes[] = {
		{ 1, "Access-Request" },
		{ 2, "Access-Accept" },
		{ 3, "Access-Reject" },
		{ 4, "Accounting-Request" },
		{ 5, "Accounting-Response" },
		{ 11, "Access-Challenge" },
		{ 12, "Status-Server" },
		{ 13, "Status-Client" },
		{ 40, "Disconnect-Request" },
		{ 41, "Disconnect-ACK" },
		{ 42, "Disconnect-NAK" },
		{ 43, "CoA-Request" },
		{ 44, "CoA-ACK" },
		{ 45, "CoA-NAK" },
	};
	size_t at = 20;

	if (!packet_has(p, 20))
		return false;
	SAY_NAME(p, codes, "Code", p->data[0]);
	packet_say(p, " id=%u", p->data[1]);
	for (unsigned i = 0; i < 32 && range_inside(at, 2, p->captured); i++) {
		size_t size = p->data[at + 1];

		if (size < 2 || !range_inside(at, size, p->captured))
			break;
		if (p->data[at] == 1) {
			packet_say(p, ", User-Name ");
			packet_quote(p, p->data + at + 2, size - 2);
		}
		at += size;
	}
	return true;
}

bool decode_tacacs(struct packet *p)
{
	static const struct number_name types[] = {
		{ 1, "Authentication" },
		{ 2, "Authorization" },
		{ 3, "Accounting" },
	};

	if (!packet_has(p, 12) || p->data[0] >> 4 != 12 ||
	    !packet_whole(p, 12 + (size_t)get_be32(p->data + 8)))
		return false;
	SAY_NAME(p, types, "Type", p->data[1]);
	packet_say(p, " %s, sequence %u", p->data[2] & 1 ? "request" : "reply", p->data[2]);
	return true;
}

bool decode_diameter(struct packet *p)
{
	static const struct number_name commands[] = {
		{ 257, "Capabilities-Exchange" },
		{ 258, "Re-Auth" },
		{ 271, "Accounting" },
		{ 272, "Credit-Control" },
		{ 274, "Abort-Session" },
		{ 275, "Session-Termination" },
		{ 280, "Device-Watchdog" },
		{ 282, "Disconnect-Peer" },
		{ 316, "Update-Location" },
		{ 318, "Authentication-Information" },
	};

	if (!packet_has(p, 20) || p->data[0] != 1 ||
	    !packet_whole(p, get_be32(p->data) & 0xffffffu))
		return false;
	SAY_NAME(p, commands, "Command", get_be32(p->data + 4) & 0xffffffu);
	packet_say(p, " %s", p->data[4] & 0x80 ? "Request" : "Answer");
	return true;
}

bool decode_isakmp(struct packet *p)
{
	static const struct number_name exchanges[] = {
		{ 1, "Base" },           { 2, "Identity Protection (Main Mode)" },
		{ 4, "Aggressive" },     { 5, "Informational" },
		{ 32, "Quick Mode" },    { 34, "IKE_SA_INIT" },
		{ 35, "IKE_AUTH" },      { 36, "CREATE_CHILD_SA" },
		{ 37, "INFORMATIONAL" },
	};

	if (!packet_has(p, 28))
		return packet_cut(p);
	SAY_NAME(p, exchanges, "Exchange", p->data[18]);
	if (p->data[17] >> 4 == 2)
		packet_say(p, " MID=%02u %s", get_be32(p->data + 20),
			   p->data[19] & 0x20 ? "Response" : "Request");
	return true;
}

static const struct number_name kerberos_types[] = {
	{ 0x6a, "AS-REQ" },   { 0x6b, "AS-REP" },    { 0x6c, "TGS-REQ" },  { 0x6d, "TGS-REP" },
	{ 0x6e, "AP-REQ" },   { 0x6f, "AP-REP" },    { 0x74, "KRB-SAFE" }, { 0x75, "KRB-PRIV" },
	{ 0x76, "KRB-CRED" }, { 0x7e, "KRB Error" },
};

bool decode_kerberos(struct packet *p)
{
	size_t at = p->stream ? 4 : 0;
	const char *type = packet_has(p, at + 2) ? NAME_FIND(kerberos_types, p->data[at]) : NULL;

	if (!type || (p->stream && !packet_whole(p, 4 + (size_t)get_be32(p->data))))
		return false;
	packet_say(p, "%s", type);
	return true;
}

bool decode_ldap(struct packet *p)
{
	static const struct number_name operations[] = {
		{ 0x60, "bindRequest" },          { 0x61, "bindResponse" },
		{ 0x42, "unbindRequest" },        { 0x63, "searchRequest" },
		{ 0x64, "searchResEntry" },       { 0x65, "searchResDone" },
		{ 0x66, "modifyRequest" },        { 0x67, "modifyResponse" },
		{ 0x68, "addRequest" },           { 0x69, "addResponse" },
		{ 0x4a, "delRequest" },           { 0x6b, "delResponse" },
		{ 0x6c, "modDNRequest" },         { 0x6d, "modDNResponse" },
		{ 0x6e, "compareRequest" },       { 0x6f, "compareResponse" },
		{ 0x50, "abandonRequest" },       { 0x73, "searchResRef" },
		{ 0x77, "extendedReq" },          { 0x78, "extendedResp" },
		{ 0x79, "intermediateResponse" },
	};
	size_t at = 2, size;

	if (!packet_has(p, 7) || p->data[0] != 0x30)
		return false;
	size = p->data[1];
	if (size & 0x80) { /* at most four bytes of length: RFC 4511 §5.1 */
		size_t bytes = size & 0x7f;

		if (!bytes || bytes > 4 || !packet_has(p, 2 + bytes + 5))
			return false;
		for (size = 0; bytes; bytes--)
			size = size << 8 | p->data[at++];
	}
	if (!packet_whole(p, at + size) || p->data[at] != 2 || p->data[at + 1] > 4)
		return false;
	at += 2u + p->data[at + 1];
	if (!packet_has(p, at + 1))
		return false;
	SAY_NAME(p, operations, "Operation", p->data[at]);
	return true;
}

/* By the sizes of its messages, WireGuard's paper §5.4. */
bool decode_wireguard(struct packet *p)
{
	static const struct {
		uint8_t type;
		uint16_t size;
		const char *name;
	} messages[] = {
		{ 1, 148, "Handshake Initiation" },
		{ 2, 92, "Handshake Response" },
		{ 3, 64, "Cookie Reply" },
		{ 4, 0, "Transport Data" },
	};

	if (!packet_has(p, 4) || get_be32(p->data) & 0xffffff)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		if (messages[i].type != p->data[0])
			continue;
		if (messages[i].size ? p->size != messages[i].size : p->size < 32 || p->size % 16)
			return false;
		packet_protocol(p, "WireGuard");
		packet_say(p, "%s, %zu bytes", messages[i].name, p->size);
		return true;
	}
	return false;
}

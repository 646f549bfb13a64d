/*
 * What configures and watches hosts: DHCP (RFC 2131), DHCPv6 (RFC 8415), NTP (RFC 5905),
 * PTP (IEEE 1588), TFTP (RFC 1350), SNMP (RFC 3416), messages of syslog by RFC 5424,
 * NetFlow (RFC 3954, 7011), IPMI. Pure; any thread.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "net/decode/parts.h"
#include "net/service/dhcp_message.h"

bool decode_dhcp(struct packet *p)
{
	struct dhcp_message message;
	const char *type;
	uint32_t address;
	uint8_t bytes[4];
	char text[IP4_TEXT];

	if (dhcp_message_read(&message, p->data, p->captured) < 0) {
		packet_protocol(p, "BOOTP");
		return packet_cut(p);
	}
	if (!message.type)
		packet_protocol(p, "BOOTP");
	type = dhcp_type_name(message.type);
	if (type)
		packet_say(p, "DHCP %s", type);
	else if (message.type)
		packet_say(p, "DHCP message of unknown type %u", message.type);
	else
		packet_say(p, message.op == DHCP_BOOTREQUEST ? "Boot Request" : "Boot Reply");
	address = message.yiaddr      ? message.yiaddr
		  : message.requested ? message.requested
				      : message.ciaddr;
	put_be32(bytes, address);
	if (address)
		packet_say(p, " %s", ip4_text(bytes, text));
	if (message.hostname) {
		packet_say(p, " \"");
		packet_quote(p, message.hostname, message.hostname_size);
		packet_say(p, "\"");
	}
	packet_say(p, " - Transaction ID 0x%x", message.xid);
	return true;
}

bool decode_ntp(struct packet *p)
{
	static const struct number_name modes[] = {
		{ 1, "symmetric active" }, { 2, "symmetric passive" }, { 3, "client" },
		{ 4, "server" },           { 5, "broadcast" },         { 6, "control" },
		{ 7, "private" },
	};
	const char *mode;

	if (!packet_has(p, 1))
		return packet_cut(p);
	mode = NAME_FIND(modes, p->data[0] & 7u);
	packet_say(p, "NTP Version %u, %s", p->data[0] >> 3 & 7u, mode ? mode : "reserved");
	return true;
}

bool decode_tftp(struct packet *p)
{
	static const struct number_name names[] = {
		{ 1, "Read Request" },    { 2, "Write Request" }, { 3, "Data Packet" },
		{ 4, "Acknowledgement" }, { 5, "Error Code" },    { 6, "Option Acknowledgement" },
	};
	const char *name;

	if (!packet_has(p, 4))
		return packet_cut(p);
	name = NAME_FIND(names, get_be16(p->data));
	packet_say(p, "%s", name ? name : "Unknown operation");
	if (get_be16(p->data) <= 2) {
		packet_say(p, ", File: ");
		packet_quote(p, p->data + 2, strnlen((const char *)p->data + 2, p->captured - 2));
	} else if (get_be16(p->data) < 6) {
		packet_say(p, " %u", get_be16(p->data + 2));
	}
	return true;
}

bool decode_dhcp6(struct packet *p)
{
	static const struct number_name types[] = {
		{ 1, "Solicit" },
		{ 2, "Advertise" },
		{ 3, "Request" },
		{ 4, "Confirm" },
		{ 5, "Renew" },
		{ 6, "Rebind" },
		{ 7, "Reply" },
		{ 8, "Release" },
		{ 9, "Decline" },
		{ 10, "Reconfigure" },
		{ 11, "Information-request" },
		{ 12, "Relay-forw" },
		{ 13, "Relay-reply" },
		{ 14, "Leasequery" },
		{ 15, "Leasequery-reply" },
	};
	char address[IP6_TEXT];
	size_t at = 4;

	if (!packet_has(p, 4))
		return packet_cut(p);
	SAY_NAME(p, types, "Type", p->data[0]);
	if (p->data[0] == 12 || p->data[0] == 13) {
		if (packet_has(p, 18))
			packet_say(p, " L: %s", ip6_text(p->data + 2, address));
		return true;
	}
	packet_say(p, " XID: 0x%06x", get_be32(p->data) & 0xffffffu);
	for (unsigned i = 0; i < 32 && range_inside(at, 4, p->captured); i++) {
		unsigned option = get_be16(p->data + at);
		size_t size = get_be16(p->data + at + 2);

		at += 4;
		/* IA_NA with an IA address in it: RFC 8415 §21.4 and §21.6 */
		if (option == 3 && size >= 12 + 4 + 24 && range_inside(at, size, p->captured) &&
		    get_be16(p->data + at + 12) == 5)
			packet_say(p, " IAA: %s", ip6_text(p->data + at + 16, address));
		at += size;
	}
	return true;
}

/*
 * The tag and the size of a BER element at *at; *at moves to its value.
 * false where it is not there or has no definite length.
 */
static bool take_element(const struct packet *p, size_t *at, unsigned *tag, size_t *size)
{
	size_t bytes;

	if (!range_inside(*at, 2, p->captured))
		return false;
	*tag = p->data[*at];
	*size = p->data[*at + 1];
	*at += 2;
	if (*size < 0x80)
		return true;
	bytes = *size & 0x7f;
	if (!bytes || bytes > 4 || !range_inside(*at, bytes, p->captured))
		return false;
	for (*size = 0; bytes; bytes--)
		*size = *size << 8 | p->data[(*at)++];
	return true;
}

bool decode_snmp(struct packet *p)
{
	static const struct number_name pdus[] = {
		{ 0xa0, "get-request" },   { 0xa1, "get-next-request" },
		{ 0xa2, "get-response" },  { 0xa3, "set-request" },
		{ 0xa4, "trap" },          { 0xa5, "getBulkRequest" },
		{ 0xa6, "informRequest" }, { 0xa7, "snmpV2-trap" },
		{ 0xa8, "report" },
	};
	size_t at = 0, size;
	unsigned tag, version;

	if (!take_element(p, &at, &tag, &size) || tag != 0x30 ||
	    !take_element(p, &at, &tag, &size) || tag != 2 || size != 1 ||
	    !range_inside(at, 1, p->captured))
		return packet_cut(p);
	version = p->data[at++];
	if (version == 3) {
		packet_say(p, "SNMPv3");
		return true;
	}
	packet_say(p, version ? "SNMPv2c " : "SNMPv1 ");
	if (!take_element(p, &at, &tag, &size) || !range_inside(at, size, p->captured))
		return packet_cut(p);
	packet_say(p, "community ");
	packet_quote(p, p->data + at, size);
	at += size;
	if (!take_element(p, &at, &tag, &size))
		return true;
	packet_say(p, " ");
	SAY_NAME(p, pdus, "PDU", tag);
	return true;
}

bool decode_syslog(struct packet *p)
{
	static const char *const severities[] = { "EMERG",   "ALERT",  "CRIT", "ERR",
						  "WARNING", "NOTICE", "INFO", "DEBUG" };
	static const char *const facilities[] = {
		"KERN",   "USER",   "MAIL",     "DAEMON", "AUTH",   "SYSLOG", "LPR",    "NEWS",
		"UUCP",   "CRON",   "AUTHPRIV", "FTP",    "NTP",    "AUDIT",  "ALERT",  "CLOCK",
		"LOCAL0", "LOCAL1", "LOCAL2",   "LOCAL3", "LOCAL4", "LOCAL5", "LOCAL6", "LOCAL7",
	};
	unsigned priority = 0;
	size_t at = 1;

	if (packet_has(p, 3) && p->data[0] == '<') {
		while (at < 4 && packet_has(p, at + 1) && p->data[at] >= '0' && p->data[at] <= '9')
			priority = priority * 10 + (p->data[at++] - '0');
		if (packet_has(p, at + 1) && p->data[at] == '>' && priority / 8 < 24) {
			packet_say(p, "%s.%s: ", facilities[priority / 8],
				   severities[priority % 8]);
			packet_skip(p, at + 1);
		}
	}
	packet_quote_line(p, 160);
	return true;
}

bool decode_ptp(struct packet *p)
{
	static const struct number_name types[] = {
		{ 0, "Sync" },
		{ 1, "Delay_Req" },
		{ 2, "Peer_Delay_Req" },
		{ 3, "Peer_Delay_Resp" },
		{ 8, "Follow_Up" },
		{ 9, "Delay_Resp" },
		{ 10, "Peer_Delay_Resp_Follow_Up" },
		{ 11, "Announce" },
		{ 12, "Signalling" },
		{ 13, "Management" },
	};
	unsigned version;

	packet_protocol(p, "PTP");
	if (!packet_has(p, 2))
		return packet_cut(p);
	version = p->data[1] & 15;
	packet_protocol(p, version == 1 ? "PTPv1" : "PTPv2");
	if (version == 2)
		SAY_NAME(p, types, "Message", p->data[0] & 15);
	else
		packet_say(p, "PTP version %u", version);
	return true;
}

/* IPMI and ASF by RMCP. */
bool decode_rmcp(struct packet *p)
{
	static const struct number_name classes[] = { { 6, "ASF" }, { 7, "IPMI" }, { 8, "OEM" } };

	if (!packet_has(p, 4))
		return packet_cut(p);
	if (p->data[3] & 0x80)
		packet_say(p, "ACK, ");
	else if ((p->data[3] & 31) == 7)
		packet_protocol(p, packet_has(p, 5) && p->data[4] == 6 ? "RMCP+" : "IPMB");
	else if ((p->data[3] & 31) == 6)
		packet_protocol(p, "ASF");
	SAY_NAME(p, classes, "Class", p->data[3] & 31);
	return true;
}

bool decode_netflow(struct packet *p)
{
	if (!packet_has(p, 4) || get_be16(p->data) > 10 || !get_be16(p->data))
		return false;
	packet_say(p, "NetFlow/IPFIX version %u, ", get_be16(p->data));
	packet_say(p, get_be16(p->data) == 10 ? "%u bytes" : "%u records", get_be16(p->data + 2));
	return true;
}

/*
 * What UDP and TCP carry: DHCP (RFC 2131), DNS (RFC 1035), and what can be
 * said of others by their port or their first bytes. Pure; any thread.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "net/decode/parts.h"
#include "net/service/dhcp_message.h"

#define LINE_MAX_SHOWN 120u

static void decode_dhcp(struct packet *p)
{
	struct dhcp_message message;
	const char *type;
	uint32_t address;
	uint8_t bytes[4];
	char text[IP4_TEXT];

	packet_protocol(p, "DHCP");
	if (dhcp_message_read(&message, p->data, p->captured) < 0) {
		packet_cut(p);
		return;
	}
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
}

static const struct number_name dns_types[] = {
	{ 1, "A" },      { 2, "NS" },     { 5, "CNAME" },  { 6, "SOA" },     { 12, "PTR" },
	{ 13, "HINFO" }, { 15, "MX" },    { 16, "TXT" },   { 28, "AAAA" },   { 29, "LOC" },
	{ 33, "SRV" },   { 35, "NAPTR" }, { 39, "DNAME" }, { 41, "OPT" },    { 43, "DS" },
	{ 44, "SSHFP" }, { 46, "RRSIG" }, { 47, "NSEC" },  { 48, "DNSKEY" }, { 52, "TLSA" },
	{ 64, "SVCB" },  { 65, "HTTPS" }, { 252, "AXFR" }, { 255, "ANY" },   { 257, "CAA" },
};

static const struct number_name dns_operations[] = {
	{ 0, "Standard query" },           { 1, "Inverse query" },  { 2, "Server status request" },
	{ 4, "Zone change notification" }, { 5, "Dynamic update" },
};

static const struct number_name dns_errors[] = {
	{ 1, "Format error" },    { 2, "Server failure" }, { 3, "No such name" },
	{ 4, "Not implemented" }, { 5, "Refused" },
};

/*
 * Says the name at offset at, if say, and returns the offset behind it, or 0 if
 * it is malformed. Pointers must lead backwards (RFC 1035 §4.1.4), so that
 * they come to an end, and a name has 255 bytes at most.
 */
static size_t take_name(const struct packet *p, size_t at, bool say)
{
	size_t end = 0, lowest = at, used = 0;
	const char *before = "";

	for (;;) {
		unsigned size;

		if (at >= p->captured)
			return 0;
		size = p->data[at];
		if ((size & 0xc0) == 0xc0) {
			if (at + 1 >= p->captured)
				return 0;
			if (!end)
				end = at + 2;
			at = get_be16(p->data + at) & 0x3fffu;
			if (at >= lowest)
				return 0;
			lowest = at;
			continue;
		}
		if (size & 0xc0 || !range_inside(at + 1, size, p->captured))
			return 0;
		if (!size)
			break;
		used += size + 1;
		if (used > 255)
			return 0;
		if (say) {
			packet_say(p, "%s", before);
			packet_quote(p, p->data + at + 1, size);
		}
		before = ".";
		at += 1 + size;
	}
	if (say && !used)
		packet_say(p, "<Root>");
	return end ? end : at + 1;
}

static void say_dns_type(const struct packet *p, unsigned type)
{
	const char *name = NAME_FIND(dns_types, type);

	if (name)
		packet_say(p, " %s ", name);
	else
		packet_say(p, " TYPE%u ", type);
}

/* One resource record; the offset behind it or 0. */
static size_t take_record(const struct packet *p, size_t at)
{
	char text[IP6_TEXT];
	unsigned type, size;

	at = take_name(p, at, false);
	if (!at || !range_inside(at, 10, p->captured))
		return 0;
	type = get_be16(p->data + at);
	size = get_be16(p->data + at + 8);
	at += 10;
	if (!range_inside(at, size, p->captured))
		return 0;
	say_dns_type(p, type);
	if (type == 1 && size == 4)
		packet_say(p, "%s", ip4_text(p->data + at, text));
	else if (type == 28 && size == 16)
		packet_say(p, "%s", ip6_text(p->data + at, text));
	else if (type == 2 || type == 5 || type == 12)
		take_name(p, at, true);
	else if (type == 33 && size > 6)
		take_name(p, at + 6, true);
	else if (type == 15 && size > 2)
		take_name(p, at + 2, true);
	return at + size;
}

static void decode_dns(struct packet *p, const char *protocol)
{
	unsigned flags, questions, answers;
	const char *operation, *error;
	size_t at = 12;

	packet_protocol(p, protocol);
	if (!packet_has(p, 12)) {
		packet_cut(p);
		return;
	}
	flags = get_be16(p->data + 2);
	questions = get_be16(p->data + 4);
	answers = get_be16(p->data + 6);
	operation = NAME_FIND(dns_operations, flags >> 11 & 15u);
	packet_say(p, "%s%s 0x%04x", operation ? operation : "Unknown operation",
		   flags & 0x8000 ? " response" : "", get_be16(p->data));
	error = flags & 0x8000 ? NAME_FIND(dns_errors, flags & 15u) : NULL;
	if (error)
		packet_say(p, " %s", error);
	/* More than fits a line is not looked at. */
	for (unsigned i = 0; i < questions && i < 8; i++) {
		size_t end = take_name(p, at, false);

		if (!end || !range_inside(end, 4, p->captured)) {
			packet_cut(p);
			return;
		}
		say_dns_type(p, get_be16(p->data + end));
		take_name(p, at, true);
		at = end + 4;
	}
	for (unsigned i = 0; i < answers && i < 16 && questions <= 8; i++) {
		at = take_record(p, at);
		if (!at) {
			packet_cut(p);
			return;
		}
	}
}

static void decode_mdns(struct packet *p)
{
	decode_dns(p, "MDNS");
}

static void decode_llmnr(struct packet *p)
{
	decode_dns(p, "LLMNR");
}

static void decode_plain_dns(struct packet *p)
{
	decode_dns(p, "DNS");
}

static void decode_ntp(struct packet *p)
{
	static const struct number_name modes[] = {
		{ 1, "symmetric active" }, { 2, "symmetric passive" }, { 3, "client" },
		{ 4, "server" },           { 5, "broadcast" },         { 6, "control" },
		{ 7, "private" },
	};
	const char *mode;

	packet_protocol(p, "NTP");
	if (!packet_has(p, 1)) {
		packet_cut(p);
		return;
	}
	mode = NAME_FIND(modes, p->data[0] & 7u);
	packet_say(p, "NTP Version %u, %s", p->data[0] >> 3 & 7u, mode ? mode : "reserved");
}

static void decode_tftp(struct packet *p)
{
	static const struct number_name names[] = {
		{ 1, "Read Request" },    { 2, "Write Request" }, { 3, "Data Packet" },
		{ 4, "Acknowledgement" }, { 5, "Error Code" },    { 6, "Option Acknowledgement" },
	};
	const char *name;

	packet_protocol(p, "TFTP");
	if (!packet_has(p, 4)) {
		packet_cut(p);
		return;
	}
	name = NAME_FIND(names, get_be16(p->data));
	packet_say(p, "%s", name ? name : "Unknown operation");
	if (get_be16(p->data) <= 2) {
		packet_say(p, ", File: ");
		packet_quote(p, p->data + 2, strnlen((const char *)p->data + 2, p->captured - 2));
	} else if (get_be16(p->data) < 6) {
		packet_say(p, " %u", get_be16(p->data + 2));
	}
}

static void decode_ssdp(struct packet *p)
{
	packet_protocol(p, "SSDP");
	packet_quote_line(p, LINE_MAX_SHOWN);
}

/* Ports by which UDP is known; either end's will do. Those without a function have a name only. */
static const struct {
	uint16_t port;
	const char *name;
	void (*decode)(struct packet *packet);
} udp_ports[] = {
	{ 53, "DNS", decode_plain_dns }, { 67, "DHCP", decode_dhcp },
	{ 68, "DHCP", decode_dhcp },     { 69, "TFTP", decode_tftp },
	{ 123, "NTP", decode_ntp },      { 137, "NBNS", NULL },
	{ 161, "SNMP", NULL },           { 443, "QUIC", NULL },
	{ 500, "ISAKMP", NULL },         { 514, "Syslog", NULL },
	{ 546, "DHCPv6", NULL },         { 547, "DHCPv6", NULL },
	{ 1900, "SSDP", decode_ssdp },   { 4789, "VXLAN", NULL },
	{ 5353, "MDNS", decode_mdns },   { 5355, "LLMNR", decode_llmnr },
	{ 51820, "WireGuard", NULL },
};

bool decode_udp_payload(struct packet *p, unsigned from, unsigned to)
{
	if (!p->captured)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(udp_ports); i++) {
		if (udp_ports[i].port != from && udp_ports[i].port != to)
			continue;
		if (udp_ports[i].decode) {
			udp_ports[i].decode(p);
		} else {
			packet_protocol(p, udp_ports[i].name);
			packet_say(p, "%u > %u Len=%zu", from, to, p->size);
		}
		return true;
	}
	return false;
}

/* What the first bytes of a segment say, at any port. */
static const struct {
	const char *start;
	const char *protocol;
} tcp_starts[] = {
	{ "GET ", "HTTP" },          { "HEAD ", "HTTP" },   { "POST ", "HTTP" },
	{ "PUT ", "HTTP" },          { "DELETE ", "HTTP" }, { "OPTIONS ", "HTTP" },
	{ "CONNECT ", "HTTP" },      { "PATCH ", "HTTP" },  { "HTTP/1.", "HTTP" },
	{ "PRI * HTTP/2", "HTTP2" }, { "SSH-", "SSH" },     { "RFB 00", "VNC" },
};

/* Ports whose protocol is lines of text. */
static const struct number_name tcp_text_ports[] = {
	{ 21, "FTP" }, { 25, "SMTP" }, { 110, "POP" }, { 143, "IMAP" }, { 587, "SMTP" },
};

/* The server's name in a TLS ClientHello: RFC 8446 §4.1.2, RFC 6066 §3. */
static void say_server_name(const struct packet *p)
{
	size_t at = 5 + 4 + 2 + 32, end;

	/* session, cipher suites, compression methods */
	for (unsigned i = 0; i < 3; i++) {
		size_t wide = i == 1 ? 2 : 1;

		if (!range_inside(at, wide, p->captured))
			return;
		at += wide + (wide == 2 ? get_be16(p->data + at) : p->data[at]);
	}
	if (!range_inside(at, 2, p->captured))
		return;
	end = at + 2 + get_be16(p->data + at);
	if (end > p->captured)
		end = p->captured;
	at += 2;
	while (range_inside(at, 4, end)) {
		unsigned type = get_be16(p->data + at);
		size_t size = get_be16(p->data + at + 2);

		at += 4;
		if (!range_inside(at, size, end))
			return;
		if (type == 0 && size > 5) {
			size_t name = get_be16(p->data + at + 3);

			if (name > size - 5)
				return;
			packet_say(p, " (SNI=");
			packet_quote(p, p->data + at + 5, name);
			packet_say(p, ")");
			return;
		}
		at += size;
	}
}

static bool decode_tls(struct packet *p)
{
	static const struct number_name records[] = {
		{ 20, "Change Cipher Spec" },
		{ 21, "Alert" },
		{ 22, "Handshake" },
		{ 23, "Application Data" },
	};
	static const struct number_name handshakes[] = {
		{ 1, "Client Hello" },         { 2, "Server Hello" },
		{ 4, "New Session Ticket" },   { 11, "Certificate" },
		{ 12, "Server Key Exchange" }, { 14, "Server Hello Done" },
		{ 16, "Client Key Exchange" },
	};
	const char *record = packet_has(p, 5) ? NAME_FIND(records, p->data[0]) : NULL;
	const char *handshake = NULL;

	if (!record || p->data[1] != 3 || p->data[2] > 4 || get_be16(p->data + 3) > 16640)
		return false;
	packet_protocol(p, "TLS");
	if (p->data[0] == 22 && packet_has(p, 6))
		handshake = NAME_FIND(handshakes, p->data[5]);
	packet_say(p, "%s", handshake ? handshake : record);
	if (handshake && p->data[5] == 1)
		say_server_name(p);
	return true;
}

bool decode_tcp_payload(struct packet *p, unsigned from, unsigned to)
{
	const char *text = NAME_FIND(tcp_text_ports, from);

	for (size_t i = 0; i < ARRAY_SIZE(tcp_starts) && !text; i++) {
		size_t size = strlen(tcp_starts[i].start);

		if (packet_has(p, size) && memcmp(p->data, tcp_starts[i].start, size) == 0)
			text = tcp_starts[i].protocol;
	}
	if (!text)
		text = NAME_FIND(tcp_text_ports, to);
	if (text) {
		packet_protocol(p, text);
		packet_quote_line(p, LINE_MAX_SHOWN);
		return true;
	}
	if ((from == 53 || to == 53) && packet_has(p, 14)) {
		packet_skip(p, 2);
		decode_plain_dns(p);
		return true;
	}
	return decode_tls(p);
}

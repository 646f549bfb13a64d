/*
 * Lines of text, HTTP (RFC 9112), SSH (RFC 4253), TLS (RFC 8446), DTLS (RFC 9147), QUIC
 * (RFC 9000), and what is told by its first bytes at any port. Pure; any thread.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "net/decode/parts.h"

#define LINE_MAX_SHOWN 120u

bool decode_line(struct packet *p)
{
	if (p->stream && decode_tls(p)) /* STARTTLS */
		return true;
	packet_quote_line(p, LINE_MAX_SHOWN);
	return true;
}

static bool begins(const struct packet *p, const char *start)
{
	size_t size = strlen(start);

	return packet_has(p, size) && memcmp(p->data, start, size) == 0;
}

/* Methods of HTTP, of WebDAV and of UPnP, and the start of an answer. */
static const char *const http_starts[] = {
	"GET ",      "HEAD ",   "POST ",      "PUT ",         "DELETE ",      "OPTIONS ",
	"CONNECT ",  "PATCH ",  "TRACE ",     "HTTP/1.",      "PROPFIND ",    "PROPPATCH ",
	"MKCOL ",    "COPY ",   "MOVE ",      "LOCK ",        "UNLOCK ",      "REPORT ",
	"M-SEARCH ", "NOTIFY ", "SUBSCRIBE ", "UNSUBSCRIBE ", "RPC_CONNECT ",
};

/* Where the value of a field begins in a header that ends at end, or end. name is lower case. */
static size_t find_field(const struct packet *p, size_t end, const char *name)
{
	size_t size = strlen(name);

	for (size_t at = 0; at + size < end; at++) {
		size_t i = 0;

		if (p->data[at] != '\n')
			continue;
		while (i < size && (p->data[at + 1 + i] | 0x20) == (name[i] | 0x20))
			i++;
		if (i < size)
			continue;
		for (at += 1 + size; at < end && p->data[at] == ' '; at++)
			continue;
		return at;
	}
	return end;
}

static size_t content_length(const struct packet *p, size_t end)
{
	size_t length = 0;

	for (size_t at = find_field(p, end, "content-length:"); at < end; at++) {
		if (p->data[at] < '0' || p->data[at] > '9' || length > 1u << 30)
			break;
		length = length * 10 + (p->data[at] - '0');
	}
	return length;
}

/* The name of HTTP with what it carries. */
static const char *body_type(const struct packet *p, size_t end)
{
	static const struct {
		const char *type, *name;
	} types[] = {
		{ "application/json", "HTTP/JSON" },
		{ "application/xml", "HTTP/XML" },
		{ "text/xml", "HTTP/XML" },
		{ "application/ocsp-", "OCSP" },
	};
	size_t at = find_field(p, end, "content-type:");

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		size_t size = strlen(types[i].type);

		if (range_inside(at, size, end) && memcmp(p->data + at, types[i].type, size) == 0)
			return types[i].name;
	}
	return "HTTP";
}

/* Where the header ends, or 0. */
static size_t header_end(const struct packet *p)
{
	for (size_t at = 3; at < p->captured; at++)
		if (p->data[at] == '\n' && (p->data[at - 1] == '\n' ||
					    (p->data[at - 1] == '\r' && p->data[at - 2] == '\n')))
			return at + 1;
	return 0;
}

bool decode_http(struct packet *p)
{
	size_t end, body;

	if (begins(p, "PRI * HTTP/2")) {
		packet_protocol(p, "HTTP2");
		packet_say(p, "Magic");
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(http_starts); i++) {
		if (!begins(p, http_starts[i]))
			continue;
		end = header_end(p);
		if (!end && !packet_whole(p, p->size + 1))
			return false;
		body = !end || begins(p, "HEAD ") ? 0 : content_length(p, end);
		if (!packet_whole(p, end + body))
			return false;
		packet_protocol(p, body ? body_type(p, end) : "HTTP");
		packet_quote_line(p, LINE_MAX_SHOWN);
		return true;
	}
	return false;
}

bool decode_ssh(struct packet *p)
{
	static const struct number_name messages[] = {
		{ 1, "Disconnect" },
		{ 20, "Key Exchange Init" },
		{ 21, "New Keys" },
		{ 30, "Diffie-Hellman Key Exchange Init" },
		{ 31, "Diffie-Hellman Key Exchange Reply" },
	};

	if (begins(p, "SSH-")) {
		packet_protocol(p, "SSH");
		packet_quote_line(p, LINE_MAX_SHOWN);
		return true;
	}
	/* A packet that is not encrypted yet: RFC 4253 §6 */
	if (packet_has(p, 6) && get_be32(p->data) < 35000 && p->data[4] < 64 &&
	    NAME_FIND(messages, p->data[5]) && p->data[5] >= 20) {
		if (!packet_whole(p, get_be32(p->data) + 4u))
			return false;
		packet_protocol(p, "SSHv2");
		SAY_NAME(p, messages, "Message", p->data[5]);
		return true;
	}
	packet_protocol(p, "SSHv2");
	packet_say(p, "Encrypted packet (len=%zu)", p->size);
	return true;
}

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

static const struct number_name tls_records[] = {
	{ 20, "Change Cipher Spec" },
	{ 21, "Alert" },
	{ 22, "Handshake" },
	{ 23, "Application Data" },
};

static const struct number_name tls_handshakes[] = {
	{ 0, "Hello Request" },        { 1, "Client Hello" },         { 2, "Server Hello" },
	{ 3, "Hello Verify Request" }, { 4, "New Session Ticket" },   { 11, "Certificate" },
	{ 12, "Server Key Exchange" }, { 13, "Certificate Request" }, { 14, "Server Hello Done" },
	{ 16, "Client Key Exchange" },
};

static const struct number_name tls_versions[] = {
	{ 0x0300, "SSLv3" },    { 0x0301, "TLSv1" },   { 0x0302, "TLSv1.1" },
	{ 0x0303, "TLSv1.2" },  { 0x0304, "TLSv1.3" }, { 0xfeff, "DTLSv1.0" },
	{ 0xfefd, "DTLSv1.2" },
};

/* The version that a ServerHello chose: in its extension 43 (RFC 8446 §4.2.1) or its head. */
static unsigned chosen_version(const struct packet *p)
{
	size_t at = 5 + 4 + 2 + 32;

	if (!packet_has(p, at + 1))
		return get_be16(p->data + 1);
	at += 1u + p->data[at] + 3u + 2u;
	while (range_inside(at, 6, p->captured)) {
		if (get_be16(p->data + at) == 43)
			return get_be16(p->data + at + 4);
		at += 4u + get_be16(p->data + at + 2);
	}
	return get_be16(p->data + 9);
}

bool decode_tls(struct packet *p)
{
	const char *record = packet_has(p, 5) ? NAME_FIND(tls_records, p->data[0]) : NULL;
	const char *handshake = NULL, *version;

	if (!record || p->data[1] != 3 || p->data[2] > 4 || get_be16(p->data + 3) > 16640 + 2048 ||
	    !packet_whole(p, get_be16(p->data + 3) + 5u))
		return false;
	if (p->data[0] == 22 && packet_has(p, 6))
		handshake = NAME_FIND(tls_handshakes, p->data[5]);
	version = NAME_FIND(tls_versions, handshake && p->data[5] == 2 ? chosen_version(p)
								       : get_be16(p->data + 1));
	packet_protocol(p, version ? version : "TLS");
	packet_say(p, "%s", handshake ? handshake : record);
	if (handshake && p->data[5] == 1)
		say_server_name(p);
	return true;
}

bool decode_dtls(struct packet *p)
{
	const char *record = packet_has(p, 13) ? NAME_FIND(tls_records, p->data[0]) : NULL;
	const char *version = record ? NAME_FIND(tls_versions, get_be16(p->data + 1)) : NULL;
	const char *handshake = NULL;

	if (!version || p->data[1] != 0xfe || get_be16(p->data + 11) > p->size - 13)
		return false;
	if (p->data[0] == 22 && packet_has(p, 14) && !get_be16(p->data + 3))
		handshake = NAME_FIND(tls_handshakes, p->data[13]);
	/* What the client says first is older than the version that is chosen. */
	packet_protocol(p, handshake && p->data[13] == 1 ? "DTLS" : version);
	packet_say(p, "%s", handshake ? handshake : record);
	return true;
}

/* A long header, RFC 9000 §17.2: the version that is known, and an ID of at most 20 bytes. */
bool decode_quic(struct packet *p)
{
	static const char *const types[] = { "Initial", "0-RTT", "Handshake", "Retry" };
	static const char *const types2[] = { "Retry", "Initial", "0-RTT", "Handshake" };
	uint32_t version;
	unsigned type;

	if (packet_has(p, 21) && (p->data[0] & 0xc0) == 0x40 &&
	    (p->from_port == 443 || p->to_port == 443)) { /* RFC 9000 §17.3 */
		packet_protocol(p, "QUIC");
		packet_say(p, "Protected Payload, %zu bytes", p->size);
		return true;
	}
	if (!packet_has(p, 7) || !(p->data[0] & 0x80) || p->data[5] > 20)
		return false;
	version = get_be32(p->data + 1);
	if (version && version != 1 && version != 0x6b3343cf && version >> 8 != 0xff0000)
		return false;
	type = p->data[0] >> 4 & 3;
	packet_protocol(p, "QUIC");
	packet_say(p, "%s, DCID=",
		   !version                ? "Version Negotiation"
		   : version == 0x6b3343cf ? types2[type]
					   : types[type]);
	for (unsigned i = 0; i < p->data[5] && packet_has(p, 7 + i); i++)
		packet_say(p, "%02x", p->data[6 + i]);
	return true;
}

/* A request's or an answer's first line, RFC 3261 §7. */
bool decode_sip(struct packet *p)
{
	static const char version[] = "SIP/2.0";
	bool known = begins(p, version);

	for (size_t at = 3; !known && at + 7 <= p->captured && p->data[at] != '\n' && at < 256;
	     at++)
		known = memcmp(p->data + at, version, 7) == 0;
	if (!known)
		return false;
	packet_protocol(p, "SIP");
	return decode_line(p);
}

/* RFC 8489 §5 */
bool decode_stun(struct packet *p)
{
	static const struct number_name methods[] = {
		{ 1, "Binding" }, { 3, "Allocate" },         { 4, "Refresh" },     { 6, "Send" },
		{ 7, "Data" },    { 8, "CreatePermission" }, { 9, "ChannelBind" },
	};
	static const char *const classes[] = { "Request", "Indication", "Success Response",
					       "Error Response" };
	unsigned type;

	if (!packet_has(p, 20) || p->data[0] & 0xc0 || get_be32(p->data + 4) != 0x2112a442)
		return false;
	type = get_be16(p->data);
	packet_protocol(p, "STUN");
	SAY_NAME(p, methods, "Method", (type & 15) | (type >> 1 & 0x70) | (type >> 2 & 0xf80));
	packet_say(p, " %s", classes[(type >> 4 & 1) | (type >> 7 & 2)]);
	return true;
}

bool decode_bittorrent(struct packet *p)
{
	if (p->stream && begins(p, "\x13"
				   "BitTorrent protocol")) {
		packet_protocol(p, "BitTorrent");
		packet_say(p, "Handshake");
		return true;
	}
	if (!p->stream &&
	    (begins(p, "d1:ad2:id20:") || begins(p, "d1:rd2:id20:") || begins(p, "d1:eli"))) {
		packet_protocol(p, "BT-DHT");
		packet_say(p, "%s",
			   p->data[3] == 'a'   ? "Query"
			   : p->data[3] == 'r' ? "Response"
					       : "Error");
		return true;
	}
	return false;
}

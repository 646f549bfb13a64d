/* UDP (RFC 768), TCP (RFC 9293) and SCTP (RFC 9260) in one line. Pure; any thread. */
#include "base/bytes.h"
#include "base/checked.h"
#include "net/decode/parts.h"

bool decode_udp(struct packet *p)
{
	unsigned from, to, size;

	if (!packet_has(p, 8))
		return packet_cut(p);
	from = get_be16(p->data);
	to = get_be16(p->data + 2);
	size = get_be16(p->data + 4);
	if (!size && p->size > 0xffff) /* RFC 2675 §4 */
		size = (unsigned)p->size;
	if (size < 8) {
		packet_say(p, "%u > %u [Bad UDP length %u, %zu bytes are there]", from, to, size,
			   p->size);
		return true;
	}
	packet_limit(p, size);
	packet_skip(p, 8);
	p->from_port = (uint16_t)from;
	p->to_port = (uint16_t)to;
	p->stream = false;
	if (size - 8 > p->size)
		packet_say(p, "[UDP length %u, but %zu bytes are there] ", size, p->size + 8);
	if (!decode_udp_payload(p))
		packet_say(p, "%u > %u Len=%zu", from, to, p->size);
	return true;
}

static void say_tcp_flags(const struct packet *p, unsigned flags)
{
	static const char *const names[] = {
		"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"
	};
	const char *before = "";

	packet_say(p, "[");
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(flags & 1u << i))
			continue;
		packet_say(p, "%s%s", before, names[i]);
		before = ", ";
	}
	packet_say(p, flags ? "]" : "<None>]");
}

static bool has_tcp_option(const struct packet *p, size_t end, unsigned kind)
{
	for (size_t at = 20; at < end && p->data[at];
	     at += p->data[at] == 1 ? 1 : p->data[at + 1]) {
		if (p->data[at] != 1 && (end - at < 2 || p->data[at + 1] < 2))
			return false;
		if (p->data[at] == kind)
			return true;
	}
	return false;
}

/* The options that are set up at the start of a connection. */
static void say_tcp_options(const struct packet *p, size_t end)
{
	size_t at = 20;

	while (at < end) {
		unsigned kind = p->data[at], size;

		if (kind == 0)
			return;
		if (kind == 1) {
			at++;
			continue;
		}
		if (end - at < 2 || p->data[at + 1] < 2 || p->data[at + 1] > end - at)
			return;
		size = p->data[at + 1];
		if (kind == 2 && size == 4)
			packet_say(p, " MSS=%u", get_be16(p->data + at + 2));
		else if (kind == 3 && size == 3)
			packet_say(p, " WS=%u", 1u << (p->data[at + 2] & 15u));
		else if (kind == 4)
			packet_say(p, " SACK_PERM");
		at += size;
	}
}

bool decode_tcp(struct packet *p)
{
	const struct packet segment = *p;
	uint32_t sequence, acknowledged;
	unsigned from, to, flags;
	size_t header;

	if (!packet_has(p, 20))
		return packet_cut(p);
	from = get_be16(p->data);
	to = get_be16(p->data + 2);
	header = (p->data[12] >> 4) * 4u;
	flags = p->data[13];
	if (header < 20 || header > p->size) {
		packet_say(p, "%u > %u [Bogus TCP header length %zu]", from, to, header);
		return true;
	}
	sequence = get_be32(segment.data + 4);
	acknowledged = get_be32(segment.data + 8);
	sequence_relative(p, from, to, flags, &sequence, &acknowledged);
	packet_skip(p, header < p->captured ? header : p->captured);
	p->from_port = (uint16_t)from;
	p->to_port = (uint16_t)to;
	p->stream = true;
	if (p->captured && decode_tcp_payload(p))
		return true;
	if (has_tcp_option(&segment, header < segment.captured ? header : segment.captured, 30))
		packet_protocol(p, "MPTCP"); /* RFC 8684 */
	packet_say(p, "%u > %u ", from, to);
	say_tcp_flags(p, flags);
	packet_say(p, " Seq=%u", sequence);
	if (flags & 0x10)
		packet_say(p, " Ack=%u", acknowledged);
	packet_say(p, " Win=%u Len=%zu", get_be16(segment.data + 14), segment.size - header);
	if (flags & 2)
		say_tcp_options(&segment, header < segment.captured ? header : segment.captured);
	return true;
}

static const struct number_name sctp_chunks[] = {
	{ 0, "DATA" },
	{ 1, "INIT" },
	{ 2, "INIT_ACK" },
	{ 3, "SACK" },
	{ 4, "HEARTBEAT" },
	{ 5, "HEARTBEAT_ACK" },
	{ 6, "ABORT" },
	{ 7, "SHUTDOWN" },
	{ 8, "SHUTDOWN_ACK" },
	{ 9, "ERROR" },
	{ 10, "COOKIE_ECHO" },
	{ 11, "COOKIE_ACK" },
	{ 14, "SHUTDOWN_COMPLETE" },
	{ 64, "I_DATA" },
	{ 192, "FORWARD_TSN" },
};

/* What a DATA chunk carries (RFC 9260 §15.5). */
static const struct dissector sctp_payloads[] = {
	{ 2, "M2UA", NULL },
	{ 3, "M3UA (RFC 4666)", NULL },
	{ 46, "DIAMETER", decode_diameter },
};

bool decode_sctp(struct packet *p)
{
	size_t at = 12;

	if (!packet_has(p, 12))
		return packet_cut(p);
	p->from_port = get_be16(p->data);
	p->to_port = get_be16(p->data + 2);
	packet_say(p, "%u > %u", p->from_port, p->to_port);
	for (unsigned i = 0; i < 8 && range_inside(at, 4, p->captured); i++) {
		size_t size = get_be16(p->data + at + 2);

		packet_say(p, " ");
		SAY_NAME(p, sctp_chunks, "chunk", p->data[at]);
		if (p->data[at] == 0 && size > 16 && range_inside(at, 16, p->captured)) {
			struct packet data = *p;

			packet_skip(&data, at + 16);
			packet_limit(&data, size - 16);
			packet_say(p, " ");
			if (DISSECT(sctp_payloads, get_be32(p->data + at + 12), &data))
				return true;
		}
		if (size < 4)
			break;
		at += (size + 3) & ~(size_t)3;
	}
	return true;
}

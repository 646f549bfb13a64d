/*
 * Names of hosts: DNS (RFC 1035) with MDNS (RFC 6762) and LLMNR (RFC 4795), NetBIOS
 * (RFC 1002). Pure; any thread.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "net/decode/parts.h"

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

bool decode_dns(struct packet *p)
{
	unsigned flags, questions, answers;
	const char *operation, *error;
	size_t at = 12;

	if (p->stream) { /* a length comes first: RFC 1035 §4.2.2 */
		if (!packet_has(p, 2) || !packet_whole(p, get_be16(p->data) + 2u))
			return false;
		packet_skip(p, 2);
		p->stream = false;
	}
	if (!packet_has(p, 12))
		return packet_cut(p);
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

		if (!end || !range_inside(end, 4, p->captured))
			return packet_cut(p);
		say_dns_type(p, get_be16(p->data + end));
		take_name(p, at, true);
		at = end + 4;
	}
	for (unsigned i = 0; i < answers && i < 16 && questions <= 8; i++) {
		at = take_record(p, at);
		if (!at)
			return packet_cut(p);
	}
	return true;
}

/* A name as NetBIOS packs it into a label: RFC 1001 §14.1. */
static void say_netbios_name(const struct packet *p, size_t at)
{
	uint8_t name[16];
	size_t used = 0;

	if (!range_inside(at, 33, p->captured) || p->data[at] != 32)
		return;
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = (uint8_t)((p->data[at + 1 + 2 * i] - 'A') * 16 +
				    ((p->data[at + 2 + 2 * i] - 'A') & 15));
	while (used < 15 && name[used] && name[used] != ' ')
		used++;
	packet_say(p, " ");
	packet_quote(p, name, used);
	packet_say(p, "<%02x>", name[15]);
}

bool decode_nbns(struct packet *p)
{
	static const struct number_name operations[] = {
		{ 0, "Name query" }, { 5, "Registration" }, { 6, "Release" },
		{ 7, "WACK" },       { 8, "Refresh" },
	};
	unsigned flags;

	if (!packet_has(p, 12))
		return packet_cut(p);
	flags = get_be16(p->data + 2);
	SAY_NAME(p, operations, "Operation", flags >> 11 & 15);
	packet_say(p, flags & 0x8000 ? " response" : "");
	say_netbios_name(p, 12);
	return true;
}

bool decode_nbds(struct packet *p)
{
	static const struct number_name types[] = {
		{ 16, "Direct_unique datagram" },
		{ 17, "Direct_group datagram" },
		{ 18, "Broadcast datagram" },
		{ 19, "Datagram error" },
	};
	static const struct number_name commands[] = {
		{ 1, "Host Announcement" },
		{ 2, "Request Announcement" },
		{ 8, "Browser Election Request" },
		{ 9, "Get Backup List Request" },
		{ 10, "Get Backup List Response" },
		{ 11, "Become Backup Browser" },
		{ 12, "Domain/Workgroup Announcement" },
		{ 15, "Local Master Announcement" },
	};
	static const char browse[] = "\\MAILSLOT\\BROWSE";

	if (!packet_has(p, 14))
		return packet_cut(p);
	/* Two names, then a transaction of SMB (MS-BRWS) with the slot's name at its end. */
	if (packet_has(p, 82 + 69 + sizeof(browse) + 1) && p->data[82] == 0xff &&
	    memcmp(p->data + 82 + 69, browse, sizeof(browse)) == 0) {
		packet_protocol(p, "BROWSER");
		SAY_NAME(p, commands, "Command", p->data[82 + 69 + sizeof(browse)]);
		return true;
	}
	SAY_NAME(p, types, "Type", p->data[0]);
	say_netbios_name(p, 14);
	return true;
}

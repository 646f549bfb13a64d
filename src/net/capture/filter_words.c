/*
 * Packet filters without names of hosts; see filter_words.h.
 *
 * libpcap's scanner makes a name of what it does not know, and what a name
 * means (and who is asked) depends on the words before it. The rule here is
 * therefore the other way round: a word must be known to need nobody. Addresses
 * are written anew in one canonical form, so that both scanners agree on them.
 */
#include "net/capture/filter_words.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "net/frame/frame.h"

/*
 * Words of pcap-filter(7) that every libpcap from 1.10 takes for itself. Those
 * whose spelling has changed since are left out.
 */
static const char *const keywords[] = {
	"aarp", "ah", "and", "arp", "atalk", "broadcast", "byte", "carp", "clnp", "decnet", "dst",
	"es-is", "esis", "esp", "ether", "geneve", "greater", "host", "icmp", "icmp6", "icmp6code",
	"icmp6type", "icmpcode", "icmptype", "igmp", "igrp", "inbound", "ip", "ip6", "ipx", "is-is",
	"isis", "iso", "lat", "len", "less", "link", "mask", "moprc", "mopdl", "mpls", "multicast",
	"net", "netbeui", "not", "or", "outbound", "pim", "port", "portrange", "pppoed", "pppoes",
	"proto", "protochain", "rarp", "sca", "sctp", "src", "stp", "tcp", "tcpflags", "udp", "vlan",
	"vrrp",
	"icmp-echo", "icmp-echoreply", "icmp-ireq", "icmp-ireqreply", "icmp-maskreply",
	"icmp-maskreq", "icmp-paramprob", "icmp-redirect", "icmp-routeradvert",
	"icmp-routersolicit", "icmp-sourcequench", "icmp-timxceed", "icmp-tstamp",
	"icmp-tstampreply", "icmp-unreach",
	"icmp6-echo", "icmp6-echoreply",
	"icmp6-multicastlistenerdone", "icmp6-multicastlistenerquery",
	"icmp6-multicastlistenerreportv1", "icmp6-multicastlistenerreportv2",
	"icmp6-neighboradvert", "icmp6-neighborsolicit", "icmp6-packettoobig",
	"icmp6-parameterproblem", "icmp6-redirect", "icmp6-routeradvert", "icmp6-routersolicit",
	"icmp6-timeexceeded",
	"tcp-ack", "tcp-cwr", "tcp-ece", "tcp-fin", "tcp-push", "tcp-rst", "tcp-syn", "tcp-urg",
};

static const struct {
	const char *name;
	unsigned port;
} services[] = {
	{ "bootpc", 68 },      { "bootps", 67 }, { "domain", 53 },    { "ftp", 21 },
	{ "ftp-data", 20 },    { "http", 80 },	 { "http-alt", 8080 }, { "https", 443 },
	{ "imap2", 143 },      { "imaps", 993 }, { "ldap", 389 },     { "mdns", 5353 },
	{ "mysql", 3306 },     { "nfs", 2049 },	 { "ntp", 123 },      { "pop3", 110 },
	{ "postgresql", 5432 }, { "smtp", 25 },	 { "snmp", 161 },     { "ssh", 22 },
	{ "submission", 587 }, { "sunrpc", 111 }, { "syslog", 514 },  { "telnet", 23 },
	{ "tftp", 69 },
};

/*
 * Escaped names of protocols. Those of Ethernet libpcap knows by itself; those of IP it would
 * look up in /etc/protocols, so they go on as numbers.
 */
static const char *const ethernet_protocols[] = {
	"aarp", "arp", "atalk", "decnet", "ip", "ip6", "ipx", "iso", "lat", "loopback", "mopdl",
	"moprc", "netbeui", "rarp", "sca", "stp",
};

static const struct {
	const char *name;
	unsigned number;
} ip_protocols[] = {
	{ "ah", 51 }, { "esp", 50 }, { "icmp", 1 }, { "icmp6", 58 }, { "igmp", 2 }, { "ip", 0 },
	{ "ip6", 41 }, { "pim", 103 }, { "sctp", 132 }, { "tcp", 6 }, { "udp", 17 },
	{ "vrrp", 112 },
};

#define ADDRESS_CHARS "._-:"
#define OPERATORS "()[]:+-*/%&|^<>=!"
#define WORD_MAX 64

struct rewriter {
	const char *at; /* what is left of the expression */
	char *out, *end;
	unsigned words, depth;
	char previous[WORD_MAX]; /* the word before this one, or "" after an operator */
	char before[WORD_MAX];	 /* and the one before that */
	struct cause *cause;
};

static bool in_table(const char *const *table, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(table[i], word))
			return true;
	return false;
}

/* libpcap's time and memory grow with both, and faster than they do. */
static int count(struct rewriter *rw, char c)
{
	if (c == '(' && ++rw->depth > FILTER_DEPTH_MAX)
		return cause_set(rw->cause, EINVAL, "it has more than %u parentheses inside each "
				 "other", FILTER_DEPTH_MAX);
	if (c == ')')
		rw->depth -= rw->depth > 0;
	if (isalnum((unsigned char)c) && ++rw->words > FILTER_WORDS_MAX)
		return cause_set(rw->cause, EINVAL, "it has more than %u words; use networks and "
				 "ranges", FILTER_WORDS_MAX);
	return 0;
}

static int emit(struct rewriter *rw, const char *text)
{
	size_t size = strlen(text);

	if (size >= (size_t)(rw->end - rw->out))
		return cause_set(rw->cause, EINVAL, "the filter is too long");
	memcpy(rw->out, text, size + 1);
	rw->out += size;
	return 0;
}

/* A word with a space on both sides, so that it stays one whatever it is next to. */
static int emit_word(struct rewriter *rw, const char *word)
{
	char text[WORD_MAX + 2];

	snprintf(text, sizeof(text), " %s ", word);
	return emit(rw, text);
}

static bool is_number(const char *word)
{
	size_t digits;

	if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X')) {
		digits = strspn(word + 2, "0123456789abcdefABCDEF");
		return digits && digits <= 8 && !word[2 + digits];
	}
	digits = strspn(word, "0123456789");
	return digits && digits <= 10 && !word[digits];
}

/* "10.0.2.15", or the first two or three parts of such an address. */
static bool is_ipv4(const char *word)
{
	for (unsigned parts = 1;; parts++) {
		size_t digits = strspn(word, "0123456789");

		if (!digits || digits > 3 || parts > 4)
			return false;
		word += digits;
		if (!*word)
			return parts > 1;
		if (*word++ != '.')
			return false;
	}
}

static bool is_port_range(const char *word)
{
	size_t first = strspn(word, "0123456789"), second;

	if (!first || first > 5 || word[first] != '-')
		return false;
	second = strspn(word + first + 1, "0123456789");
	return second && second <= 5 && !word[first + 1 + second];
}

/* "52:54:0:12:34:56", or the same with '-', in its long form. */
static bool read_mac(const char *word, char *out)
{
	unsigned byte[NET_MAC_SIZE];
	int end = 0;

	for (const char *p = word; *p; p++)
		if (!isxdigit((unsigned char)*p) && *p != ':' && *p != '-')
			return false;
	if ((sscanf(word, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2], &byte[3],
		    &byte[4], &byte[5], &end) != 6 &&
	     sscanf(word, "%2x-%2x-%2x-%2x-%2x-%2x%n", &byte[0], &byte[1], &byte[2], &byte[3],
		    &byte[4], &byte[5], &end) != 6) ||
	    word[end])
		return false;
	snprintf(out, WORD_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", byte[0], byte[1], byte[2],
		 byte[3], byte[4], byte[5]);
	return true;
}

static bool read_ipv6(const char *word, char *out)
{
	struct in6_addr address;
	const uint8_t *b = address.s6_addr;
	size_t at = 0;

	if (inet_pton(AF_INET6, word, &address) != 1)
		return false;
	for (unsigned i = 0; i < 16; i += 2)
		at += (size_t)snprintf(out + at, WORD_MAX - at, "%s%x", i ? ":" : "",
				       (unsigned)b[i] << 8 | b[i + 1]);
	return true;
}

static int refuse(struct rewriter *rw, const char *word)
{
	return cause_set(rw->cause, EINVAL,
			 "'%s' is no word of a filter; hosts are given by address, ports by number",
			 word);
}

/* A word without colons. */
static int rewrite_word(struct rewriter *rw, const char *word)
{
	char text[WORD_MAX];
	bool range = is_port_range(word) && !strcmp(rw->previous, "portrange");

	memcpy(rw->before, rw->previous, sizeof(rw->before));
	snprintf(rw->previous, sizeof(rw->previous), "%s", word);
	if (range || is_number(word) || is_ipv4(word) ||
	    in_table(keywords, ARRAY_SIZE(keywords), word))
		return emit_word(rw, word);
	if (read_mac(word, text))
		return emit_word(rw, text);
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		if (!strcmp(services[i].name, word)) {
			snprintf(text, sizeof(text), "%u", services[i].port);
			return emit_word(rw, text);
		}
	}
	return refuse(rw, word);
}

/* Everything up to a character that no word or address has in it. */
static int rewrite_run(struct rewriter *rw)
{
	char run[WORD_MAX], text[WORD_MAX];
	size_t size = 0;
	int error;

	while (isalnum((unsigned char)rw->at[size]) ||
	       (rw->at[size] && strchr(ADDRESS_CHARS, rw->at[size])))
		size++;
	if (size >= sizeof(run)) {
		snprintf(run, sizeof(run), "%s", rw->at);
		return refuse(rw, run);
	}
	memcpy(run, rw->at, size);
	run[size] = 0;
	if (strchr(run, ':') && (read_ipv6(run, text) || read_mac(run, text))) {
		rw->at += size;
		rw->previous[0] = 0;
		return emit_word(rw, text);
	}
	/* Not an address as a whole: "ip[0:4]"; up to the colon, which is an operator. */
	size = strcspn(run, ":");
	run[size] = 0;
	error = rewrite_word(rw, run);
	rw->at += size;
	return error;
}

/* What a protocol's name behind "proto" becomes; false: there is none of that name. */
static bool find_protocol(const struct rewriter *rw, const char *word, char out[WORD_MAX])
{
	if (!strcmp(rw->before, "ether") || !strcmp(rw->before, "link")) {
		snprintf(out, WORD_MAX, "\\%s", word);
		return in_table(ethernet_protocols, ARRAY_SIZE(ethernet_protocols), word);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ip_protocols); i++) {
		if (strcmp(ip_protocols[i].name, word))
			continue;
		snprintf(out, WORD_MAX, "%u", ip_protocols[i].number);
		return true;
	}
	return false;
}

/* "\tcp": a protocol's name, not the keyword, which only "proto" can be followed by. */
static int rewrite_escaped(struct rewriter *rw)
{
	char word[WORD_MAX] = "\\", text[WORD_MAX];
	size_t size = 1;

	while (size < sizeof(word) - 1 && isalnum((unsigned char)rw->at[size])) {
		word[size] = rw->at[size];
		size++;
	}
	if ((strcmp(rw->previous, "proto") && strcmp(rw->previous, "protochain")) ||
	    !find_protocol(rw, word + 1, text))
		return refuse(rw, word);
	rw->at += size;
	rw->previous[0] = 0;
	if (isalnum((unsigned char)*rw->at) || (*rw->at && strchr(ADDRESS_CHARS, *rw->at)))
		return refuse(rw, word);
	return emit_word(rw, text);
}

int filter_rewrite(char *out, size_t room, const char *expression, struct cause *cause)
{
	struct rewriter rw = { .at = expression, .out = out, .end = out + room, .cause = cause };
	int error = 0;

	*out = 0;
	while (*rw.at && !error) {
		unsigned char c = (unsigned char)*rw.at;
		char one[2] = { (char)c, 0 };

		error = count(&rw, (char)c);
		if (error)
			return error;
		/* "::1" begins with what is otherwise an operator. */
		if (isalnum(c) || (c == ':' && rw.at[1] == ':')) {
			error = rewrite_run(&rw);
		} else if (c == '\\') {
			error = rewrite_escaped(&rw);
		} else if (strchr(" \t\r\n", c)) {
			error = emit(&rw, " ");
			rw.at++;
		} else if (strchr(OPERATORS, c)) {
			rw.previous[0] = 0;
			error = emit(&rw, one);
			rw.at++;
		} else {
			return cause_set(cause, EINVAL, "'%c' (0x%02x) has no meaning in a filter",
					 isprint(c) ? c : '?', c);
		}
	}
	return error;
}

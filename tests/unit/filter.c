/*
 * Filters: what passes, what is refused, and that no expression whatsoever
 * makes libpcap ask for a name: the resolver's functions are replaced here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/ether.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/capture/filter.h"

static unsigned asked, called;
static char asked_for[256];

static void note_question(const char *name)
{
	asked++;
	snprintf(asked_for, sizeof(asked_for), "%s", name);
}

/* What the real function answers by itself. */
static bool is_address(const char *node)
{
	struct in6_addr address;

	return inet_pton(AF_INET6, node, &address) == 1 || inet_pton(AF_INET, node, &address) == 1;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **out)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");

	called++;
	if (node && !(hints && hints->ai_flags & AI_NUMERICHOST) && !is_address(node)) {
		note_question(node);
		return EAI_NONAME;
	}
	memcpy(&real, &symbol, sizeof(real));
	return real(node, service, hints, out);
}

struct hostent *gethostbyname(const char *name)
{
	note_question(name);
	return NULL;
}

struct netent *getnetbyname(const char *name)
{
	note_question(name);
	return NULL;
}

int getnetbyname_r(const char *name, struct netent *entry, char *buffer, size_t size,
		   struct netent **out, int *error)
{
	(void)entry;
	(void)buffer;
	(void)size;
	note_question(name);
	*out = NULL;
	*error = HOST_NOT_FOUND;
	return 0;
}

int ether_hostton(const char *name, struct ether_addr *address)
{
	(void)address;
	note_question(name);
	return -1;
}

static int compile(const char *expression, struct cause *cause)
{
	struct filter filter;
	int error = filter_compile(&filter, expression, cause);

	if (!error)
		filter_free(&filter);
	return error;
}

/* Without this the other tests would prove nothing. */
static void the_replaced_resolver_is_the_one_that_libpcap_calls(void **state)
{
	struct bpf_program program;
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65535);

	(void)state;
	asked = 0;
	assert_int_equal(pcap_compile(pcap, &program, "host nobody.invalid", 1, 0), -1);
	assert_int_equal(asked, 1);
	assert_string_equal(asked_for, "nobody.invalid");
	assert_int_equal(pcap_compile(pcap, &program, "net nowhere", 1, 0), -1);
	assert_true(asked >= 2);
	pcap_close(pcap);
}

static void useful_filters_pass(void **state)
{
	static const char *const good[] = {
		"tcp",
		"host 10.0.2.15 and not port 22",
		"src net 10.0.0.0/8 or dst net 192.168",
		"net 10.0.2.0 mask 255.255.255.0",
		"ether host 52:54:00:12:34:56",
		"ether src 2:0:0:0:0:1",
		"ether host 52-54-00-12-34-56",
		"ether proto 0x88b5",
		"ether proto \\ip6 or ip proto \\icmp",
		"ip6 host ::1 or ip6 net fe80::/10",
		"ip6 src host 2001:db8::ffff:10.0.0.1",
		"udp port 67 or udp port 68",
		"tcp portrange 6000-6010",
		"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
		"tcp[13]&2!=0",
		"ip[2:2] > 576",
		"ip[0] & 0xf != 5",
		"icmp[icmptype] == icmp-echo",
		"arp or rarp",
		"vlan 7 and ip",
		"len <= 100",
		"less 100 || greater 1000",
		"not broadcast and not multicast",
		"port domain or port https",
		"(tcp[0:2] = 80) and\n\tip",
		"ether[0] & 1 = 0 && !arp",
		"",
	};
	struct cause cause;

	(void)state;
	asked = 0;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (compile(good[i], &cause))
			fail_msg("%s: %s", good[i], cause.text);
	assert_int_equal(compile(NULL, &cause), 0);
	assert_int_equal(asked, 0);
}

static void names_and_nonsense_are_refused(void **state)
{
	static const char *const bad[] = {
		"host localhost", "www.example.com", "host a", "net loopback", "gateway router",
		"host \\tcp", "host 20-30", "port nosuchservice", "ether host fileserver",
		"host 1.2.3.4.5", "host 10.0.0.1.example.com", "tcp-nonsense", "IP", "host x:y",
		"host fe80:1:2", "host 10.0.2.15x", "ip proto \\host", "portrange ftp-ssh",
		"host 1-2", "tcp; ip", "host $(x)", "host \"a\"", "proto \\", "host \xc3\xa4",
		"ip[0:4", "tcp and", "port 70000 and and", "0x", "_", "host -", "host 0x1g",
		"proto \\tcp.example", "proto \\tcp-example", "host \\ip", "host 1_2",
	};
	struct cause cause;
	char text[FILTER_TEXT_MAX + 2];

	(void)state;
	asked = 0;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (compile(bad[i], &cause) != -EINVAL)
			fail_msg("%s was taken", bad[i]);
		assert_non_null(strstr(cause.text, "filter"));
	}
	assert_int_equal(asked, 0);
	memset(text, ' ', sizeof(text));
	text[sizeof(text) - 1] = 0;
	assert_int_equal(compile(text, &cause), -EINVAL);
}

static void no_expression_asks_for_a_name(void **state)
{
	static const char *const words[] = {
		"host", "net", "port", "portrange", "ether", "ip", "ip6", "tcp", "proto", "src",
		"dst", "and", "or", "not", "(", ")", "[", "]", ":", "::", "-", ".", "_", "/", "\\",
		"1", "20", "0x1f", "10.0", "1.2.3.4", "fe80", "fe80::1", "a", "www.x.y", "tcp-syn",
		"http", "20-30", "02:00:00:00:00:01", "1:2:3", "02-00-00-00-00-01", "mask", "\\tcp",
		"\\ip", "vlan", "len", "&", "=", "gateway", "broadcast", "icmp-echo", "protochain",
		"ffff.ffff.ffff", "e", "0", "x", "type", "on", "\t", "\xff", "\"", "less",
		"icmp6-echo", "decnet", "iso", "is-is", "link", "inbound", "mpls", "atalk",
	};
	const size_t count = sizeof(words) / sizeof(words[0]);
	unsigned seed = 4711, good = 0;

	(void)state;
	asked = 0;
	for (int i = 0; i < 60000; i++) {
		char text[256] = "";
		size_t at = 0;

		for (int n = 1 + rand_r(&seed) % 7; n > 0; n--)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s",
					       words[(size_t)rand_r(&seed) % count],
					       rand_r(&seed) % 3 ? " " : "");
		good += !compile(text, NULL);
		if (asked)
			fail_msg("\"%s\" asked for \"%s\"", text, asked_for);
	}
	assert_true(good > 100);
}

/* A keyword of our table that this libpcap took for a name would be looked up. */
static void every_word_is_known_to_this_libpcap(void **state)
{
	static const char *const words[] = {
		"aarp", "ah", "and", "arp", "atalk", "broadcast", "byte", "carp", "clnp", "decnet",
		"dst", "es-is", "esis", "esp", "ether", "geneve", "greater", "host", "icmp",
		"icmp6", "icmp6code", "icmp6type", "icmpcode", "icmptype", "igmp", "igrp",
		"inbound", "ip", "ip6", "ipx", "is-is", "isis", "iso", "lat", "len", "less",
		"link", "mask", "moprc", "mopdl", "mpls", "multicast", "net", "netbeui", "not",
		"or", "outbound", "pim", "port", "portrange", "pppoed", "pppoes", "proto",
		"protochain", "rarp", "sca", "sctp", "src", "stp", "tcp", "tcpflags", "udp",
		"vlan", "vrrp", "tcp-cwr", "tcp-ece", "tcp-urg", "icmp-tstampreply",
		"icmp6-multicastlistenerreportv2",
	};
	char text[128], rewritten[256];
	struct cause cause;

	(void)state;
	asked = 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_int_equal(filter_rewrite(rewritten, sizeof(rewritten), words[i], &cause), 0);
		snprintf(text, sizeof(text), "host %s", words[i]);
		compile(text, &cause);
		compile(words[i], &cause);
		if (asked)
			fail_msg("%s is a name to libpcap", words[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_replaced_resolver_is_the_one_that_libpcap_calls),
		cmocka_unit_test(useful_filters_pass),
		cmocka_unit_test(names_and_nonsense_are_refused),
		cmocka_unit_test(no_expression_asks_for_a_name),
		cmocka_unit_test(every_word_is_known_to_this_libpcap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

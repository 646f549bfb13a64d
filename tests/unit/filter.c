/*
 * Filters: what passes, what is refused, that no expression whatsoever makes
 * libpcap ask for a name (the resolver's functions are replaced here), that
 * programs run as libpcap runs them and cannot leave their bounds, and what
 * becomes of a compiler that hangs, lies or ends.
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

#include <poll.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/filter.h"
#include "net/capture/filter_compiler.h"
#include "net/capture/filter_words.h"
#include "net/frame/frame.h"
#include "sandbox/helper.h"

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

/* Here, in this process; what the process of its own does. */
static int compile_to(struct filter *filter, const char *expression, struct cause *cause)
{
	static struct filter_insn insns[FILTER_INSNS_MAX];
	char text[FILTER_REWRITTEN_MAX];
	int count = filter_rewrite(text, sizeof(text), expression, cause);

	if (!count)
		count = filter_process_compile(insns, text, cause);
	return count < 0 ? count : filter_set(filter, insns, (uint32_t)count, cause);
}

static int compile(const char *expression, struct cause *cause)
{
	struct filter filter;
	int error = compile_to(&filter, expression, cause);

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

	(void)state;
	asked = 0;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (compile(bad[i], &cause) != -EINVAL)
			fail_msg("%s was taken", bad[i]);
		assert_true(cause.text[0] != 0);
	}
	assert_int_equal(asked, 0);
}

/* count times unit between before and after. */
static int rewrite_many(const char *before, const char *unit, unsigned count, const char *after)
{
	static char text[65536], out[4 * sizeof(text)];
	char *at = stpcpy(text, before);
	struct cause cause;
	int error;

	for (unsigned i = 0; i < count; i++)
		at = stpcpy(at, unit);
	stpcpy(at, after);
	error = filter_rewrite(out, sizeof(out), text, &cause);
	if (error)
		assert_non_null(strstr(cause.text, "more than"));
	return error;
}

static void long_and_deep_filters_are_refused(void **state)
{
	(void)state;
	assert_int_equal(rewrite_many("", "(", FILTER_DEPTH_MAX, "tcp"), 0);
	assert_int_equal(rewrite_many("", "(", FILTER_DEPTH_MAX + 1, "tcp"), -EINVAL);
	assert_int_equal(rewrite_many("", "()", 1000, "tcp"), 0);
	assert_int_equal(rewrite_many("", "tcp ", FILTER_WORDS_MAX, ""), 0);
	assert_int_equal(rewrite_many("", "tcp ", FILTER_WORDS_MAX, "1"), -EINVAL);
}

/* --- programs --- */

#define RET 0x06

static int set(uint32_t count, const struct filter_insn *insns)
{
	struct filter filter;
	struct cause cause = { "" };
	int error = filter_set(&filter, insns, count, &cause);

	assert_int_equal(!!cause.text[0], !!error);
	filter_free(&filter);
	return error;
}

#define SET(...) \
	set(sizeof((struct filter_insn[]){ __VA_ARGS__ }) / sizeof(struct filter_insn), \
	    (struct filter_insn[]){ __VA_ARGS__ })
#define END { RET, 0, 0, 1 }

static void programs_that_leave_their_bounds_are_refused(void **state)
{
	static struct filter_insn many[FILTER_INSNS_MAX + 1];

	(void)state;
	assert_int_equal(SET(END), 0);
	assert_int_equal(SET({ RET | 0x10, 0, 0, 0 }), 0);
	assert_int_equal(SET({ 0x20, 0, 0, 0xffffffff }, END), 0);
	assert_int_equal(SET({ 0x05, 0, 0, 0 }, END), 0);
	assert_int_equal(SET({ 0x15, 0, 1, 0 }, END, END), 0);
	assert_int_equal(SET({ 0x05, 0, 0, (uint32_t)-1 }, END), 0); /* a loop, which is counted */
	assert_int_equal(SET({ 0x02, 0, 0, 15 }, END), 0);
	assert_int_equal(set(0, many), -EINVAL);
	assert_int_equal(SET({ 0x05, 0, 0, 1 }, END), -EINVAL);
	assert_int_equal(SET({ 0x05, 0, 0, (uint32_t)-2 }, END), -EINVAL);
	assert_int_equal(SET({ 0x05, 0, 0, 0x7fffffff }, END), -EINVAL);
	assert_int_equal(SET({ 0x05, 0, 0, 0x80000000 }, END), -EINVAL);
	assert_int_equal(SET({ 0x15, 1, 0, 0 }, END), -EINVAL);
	assert_int_equal(SET({ 0x15, 0, 255, 0 }, END), -EINVAL);
	assert_int_equal(SET({ 0x02, 0, 0, 16 }, END), -EINVAL);		 /* memory */
	assert_int_equal(SET({ 0x60, 0, 0, 0xffffffff }, END), -EINVAL);
	assert_int_equal(SET({ 0x34, 0, 0, 0 }, END), -EINVAL);			 /* a / 0 */
	assert_int_equal(SET({ 0x94, 0, 0, 0 }, END), -EINVAL);
	assert_int_equal(SET({ 0x00, 0, 0, 0 }), -EINVAL);			 /* no end */
	assert_int_equal(SET({ 0xffff, 0, 0, 0 }, END), -EINVAL);
	for (uint32_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct filter_insn)END;
	assert_int_equal(set(FILTER_INSNS_MAX, many), 0);
	assert_int_equal(set(FILTER_INSNS_MAX + 1, many), -EINVAL);
}

/* Whatever bytes are taken for a program: refused, or it ends and touches its packet alone. */
static void any_program_that_is_taken_ends(void **state)
{
	static const uint32_t values[] = { 0, 1, 2, 15, 16, 59, 60, 0xffffffff, 0x7fffffff,
					   0xfffffffe, 0xfffffffd };
	unsigned seed = 99, taken = 0;
	uint8_t *packet = malloc(60);

	(void)state;
	memset(packet, 0x45, 60);
	for (int i = 0; i < 300000; i++) {
		struct filter_insn insns[5];
		struct filter filter;
		uint32_t count = 1 + (uint32_t)rand_r(&seed) % 5;

		for (uint32_t n = 0; n < count; n++)
			insns[n] = (struct filter_insn){
				(uint16_t)(rand_r(&seed) % (rand_r(&seed) % 50 ? 256 : 65536)),
				(uint8_t)(rand_r(&seed) % 3), (uint8_t)(rand_r(&seed) % 3),
				values[(size_t)rand_r(&seed) % ARRAY_SIZE(values)] };
		insns[count - 1].code = RET;
		if (filter_set(&filter, insns, count, NULL))
			continue;
		taken++;
		filter_match(&filter, packet, 60, 1500);
		filter_free(&filter);
	}
	assert_true(taken > 10000);
	free(packet);
}

static void fill_packet(uint8_t *packet, size_t size, unsigned *seed)
{
	static const uint8_t heads[][16] = {
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1 },
		{ 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0 },
		{ 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0 },
		{ 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0, 0, 7 },
	};
	static const uint8_t protocols[] = { 1, 6, 17, 0, 43, 44, 51, 58, 60 };

	for (size_t i = 0; i < size; i++)
		packet[i] = (uint8_t)(rand_r(seed) % 4 ? rand_r(seed) % 8 : rand_r(seed));
	memcpy(packet, heads[(size_t)rand_r(seed) % ARRAY_SIZE(heads)], size < 16 ? size : 16);
	if (size > 23)
		packet[20] = packet[23] = protocols[(size_t)rand_r(seed) % ARRAY_SIZE(protocols)];
	if (size > 38 && rand_r(seed) % 2)
		memcpy(packet + 34, "\0\x50\1\xbb", 4);
}

static void programs_run_as_libpcap_runs_them(void **state)
{
	static const char *const expressions[] = {
		"tcp", "port 80 or port 443", "host 10.0.2.15 and not port 22", "ip[0] & 0xf != 5",
		"icmp or icmp6", "vlan 7 and ip", "len <= 100", "greater 60", "not broadcast",
		"tcp[13] & 2 != 0", "ip[2:2] > 576", "ip6 host ::1 or ip6 net fe80::/10",
		"ip6 protochain 58", "ip6 protochain \\tcp", "ip[8] / 3 = 1 or ip[9] % 5 = 2",
		"ether[0] * 3 - 1 > 7 and ether[1] << 2 | 1 != 5", "udp portrange 1-500",
		"ip[ip[0] & 0xf] = 4", "10 / ip[5] = 2",
	};
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, NET_FRAME_MAX);
	unsigned seed = 7, matched = 0, missed = 0;
	struct cause cause;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expressions); i++) {
		struct bpf_program program;
		struct filter filter;

		if (compile_to(&filter, expressions[i], &cause))
			fail_msg("%s: %s", expressions[i], cause.text);
		assert_int_equal(pcap_compile(pcap, &program, expressions[i], 1,
					      PCAP_NETMASK_UNKNOWN), 0);
		for (int n = 0; n < 4000; n++) {
			uint32_t size = 1 + (uint32_t)rand_r(&seed) % 100;
			uint32_t whole = rand_r(&seed) % 2 ? size : size + 1000;
			uint8_t *packet = malloc(size);
			bool expected;

			fill_packet(packet, size, &seed);
			expected = bpf_filter(program.bf_insns, packet, whole, size) != 0;
			if (filter_match(&filter, packet, size, whole) != expected)
				fail_msg("%s: packet %d", expressions[i], n);
			matched += expected;
			missed += !expected;
			free(packet);
		}
		pcap_freecode(&program);
		filter_free(&filter);
	}
	pcap_close(pcap);
	assert_true(matched > 5000 && missed > 5000);
}

/* It never says no to a packet that matches, and with a memo what it says without one. */
static void a_head_tells_what_cannot_match(void **state)
{
	static const char *const expressions[] = {
		"tcp port 80", "icmp or icmp6", "udp", "arp", "len <= 100", "greater 60", "port 80",
		"ip[0] & 0xf != 5", "ether[70] = 3", "ether[130] = 3", "ip6 protochain 58",
		"not ether[200] = 0", "ip[8] / ip[9] = 1 and ether[150] = 1",
	};
	unsigned seed = 11, refused = 0, kept = 0, remembered = 0;
	struct cause cause;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expressions); i++) {
		struct filter_memo memo = { .known = false };
		struct filter filter;

		if (compile_to(&filter, expressions[i], &cause))
			fail_msg("%s: %s", expressions[i], cause.text);
		for (int n = 0; n < 6000; n++) {
			uint32_t size = 14 + (uint32_t)rand_r(&seed) % 300;
			uint32_t head = size < NET_HEAD_MAX ? size : NET_HEAD_MAX;
			struct filter_memo none = { .known = false };
			uint8_t packet[314], copy[NET_HEAD_MAX];
			bool may, match;

			fill_packet(packet, size, &seed);
			if (n % 3 && memo.known && head >= FILTER_WINDOW) /* of the same flow */
				memcpy(packet, memo.data, 54);
			memcpy(copy, packet, head);
			match = filter_match(&filter, packet, size, size);
			may = filter_may_match(&filter, copy, head, size, &none);
			if (match && !may)
				fail_msg("%s: packet %d was refused", expressions[i], n);
			remembered += memo.known;
			if (filter_may_match(&filter, copy, head, size, &memo) != may)
				fail_msg("%s: packet %d is remembered wrongly", expressions[i], n);
			refused += !may;
			kept += may && !match;
		}
		filter_free(&filter);
	}
	assert_true(refused > 20000 && kept > 100 && remembered > 10000);
}

/* --- the process of its own --- */

struct order {
	struct filter_compiler compiler;
	struct loop loop;
	struct loop_timer timeout;
	unsigned done;
	struct filter filter;
	int error;
	struct cause cause;
};

static void note_done(void *arg, struct filter *filter, int error, const struct cause *cause)
{
	struct order *order = arg;

	order->done++;
	order->filter = *filter;
	order->error = error;
	order->cause = *cause;
	loop_stop(&order->loop);
}

static void out_of_time(void *arg)
{
	(void)arg;
	fail_msg("nothing happened");
}

static void order_init(struct order *order)
{
	*order = (struct order){ 0 };
	order->compiler.done = note_done;
	order->compiler.arg = order;
	order->timeout = (struct loop_timer){ .fire = out_of_time };
	assert_int_equal(loop_init(&order->loop, NULL), 0);
}

/* Compiles and waits for it. Returns the error, with a sentence in order->cause. */
static int run_order(struct order *order, const char *expression)
{
	int error = filter_compile(&order->compiler, &order->loop, expression, &order->cause);

	order->done = 0;
	if (error)
		return error;
	loop_timer_set(&order->loop, &order->timeout, 60 * NS_PER_S);
	loop_run(&order->loop);
	atomic_store(&order->loop.stop, false);
	loop_timer_cancel(&order->loop, &order->timeout);
	assert_int_equal(order->done, 1);
	assert_null(order->compiler.loop);
	return order->error;
}

/* Behind the walls nothing can be looked up, in /etc/protocols neither. */
static void a_process_compiles_it(void **state)
{
	static const char *const others[] = {
		"ether proto \\ip6 or ip proto \\icmp", "proto \\tcp or ip6 proto \\udp",
		"ip6 protochain \\tcp", "link proto \\stp or ether proto \\iso", "arp or rarp",
		"host 10.0.2.15 and not port 22", "src net 10.0.0.0/8 or dst net 192.168",
		"ether host 52:54:00:12:34:56", "ip6 host ::1 or ip6 net fe80::/10",
		"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "icmp[icmptype] == icmp-echo",
		"port domain or port https", "vlan 7 and ip", "decnet or atalk or iso or stp",
	};
	uint8_t packet[60] = { [12] = 8, [13] = 6 };
	struct order order;

	(void)state;
	order_init(&order);
	assert_int_equal(run_order(&order, "arp"), 0);
	assert_true(filter_match(&order.filter, packet, 60, 60));
	packet[13] = 0;
	assert_false(filter_match(&order.filter, packet, 60, 60));
	filter_free(&order.filter);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (run_order(&order, others[i]))
			fail_msg("%s", order.cause.text);
		filter_free(&order.filter);
	}

	assert_int_equal(run_order(&order, "tcp and and"), -EINVAL);
	assert_non_null(strstr(order.cause.text, "\"tcp and and\": "));
	assert_non_null(strstr(order.cause.text, "syntax error"));
	assert_int_equal(run_order(&order, "host www.example.com"), -EINVAL);
	assert_int_equal(order.done, 0); /* no process was asked */
	assert_non_null(strstr(order.cause.text, "'www.example.com'"));
	loop_destroy(&order.loop);
}

/* The optimizer's time grows faster than the filter. */
static void one_that_takes_too_long_is_ended(void **state)
{
	char text[FILTER_TEXT_MAX] = "portrange 0-3";
	struct order order;
	uint64_t start;

	(void)state;
	for (unsigned i = 1; i < 170; i++)
		sprintf(text + strlen(text), " or portrange %u-%u", i * 10, i * 10 + 3);
	order_init(&order);
	start = clock_monotonic();
	if (run_order(&order, text) != -ETIMEDOUT)
		fail_msg("%s", order.cause.text);
	assert_non_null(strstr(order.cause.text, "2 seconds"));
	assert_true(clock_monotonic() - start < 20 * NS_PER_S);
	assert_int_equal(run_order(&order, "tcp"), 0);
	filter_free(&order.filter);
	loop_destroy(&order.loop);
}

/* What a compiler that somebody has taken over could answer; see run_liar(). */
static void a_compiler_that_lies_is_not_believed(void **state)
{
	static const struct { const char *expression; int error; const char *says; } lies[] = {
		{ "len = 1", -EPROTO, "makes no sense" },	  /* no whole instructions */
		{ "len = 2", -EPROTO, "makes no sense" },	  /* too many */
		{ "len = 3", -EPROTO, "makes no sense" },	  /* an unknown mark */
		{ "len = 4", -EINVAL, "cannot be run" },	  /* a jump into nothing */
		{ "len = 5", -EPROTO, "makes no sense" },	  /* places that are none */
		{ "len = 6", -EINVAL, "??[2J?" },		  /* words for a terminal */
		{ "len = 7", -EIO, "ended by signal" },
		{ "len = 8", -EIO, "status 3" },
		{ "len = 9", -ETIMEDOUT, "2 seconds" },
		{ "len = 10", -EINVAL, "has 0 instructions" },
	};
	struct order order;

	(void)state;
	order_init(&order);
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		if (run_order(&order, lies[i].expression) != lies[i].error)
			fail_msg("%s: %s", lies[i].expression, order.cause.text);
		if (!strstr(order.cause.text, lies[i].says))
			fail_msg("%s", order.cause.text);
		assert_null(order.filter.insns);
	}
	loop_destroy(&order.loop);
}

static void one_that_is_given_up_is_not_heard_of(void **state)
{
	struct order order;
	struct cause cause;

	(void)state;
	order_init(&order);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(filter_compile(&order.compiler, &order.loop, "tcp", &cause), 0);
		filter_compile_cancel(&order.compiler);
		filter_compile_cancel(&order.compiler);
	}
	assert_int_equal(run_order(&order, "tcp"), 0);
	filter_free(&order.filter);
	loop_destroy(&order.loop);
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

/* What is answered to "len = N", by N; no mark: nothing. */
static const struct lie {
	uint32_t mark, size;
} lies_told[] = {
	[1] = { 1, 7 }, [2] = { 1, (FILTER_INSNS_MAX + 1) * sizeof(struct filter_insn) },
	[3] = { 9, 8 }, [4] = { 1, 16 }, [5] = { 1, 8 }, [6] = { 2, 6 }, [9] = { 0, 0 },
	[10] = { 1, 0 },
};

static void tell(struct channel_writer *out, unsigned lie)
{
	static const struct filter_insn insns[FILTER_INSNS_MAX + 1] = { { 0x05, 0, 0, 77 }, END };

	memcpy(channel_reserve(out, lies_told[lie].size),
	       lie == 6 ? (const void *)"\033\233[2J\n" : insns, lies_told[lie].size);
	channel_commit(out, lies_told[lie].size, lies_told[lie].mark);
	if (lie == 5)
		out->head += 100000;
	channel_publish(out);
}

/* Takes the place of the compiler for "len = N", and is it else. */
static void run_liar(struct channel *channel, const char *label)
{
	struct pollfd wake = { .fd = channel->wake_fd, .events = POLLIN };
	char text[FILTER_REWRITTEN_MAX] = "";
	uint32_t size = 0, mark = 1;
	unsigned lie = 0;

	while (channel_wait_for_record(&channel->in))
		poll(&wake, 1, -1);
	if (channel_next(&channel->in, &size, &mark) == 1)
		channel_copy(&channel->in, text, size);
	if (sscanf(text, " len = %u", &lie) != 1) {
		filter_process.run(channel, label);
		return;
	}
	if (lie == 7)
		__builtin_trap();
	if (lie == 8)
		_exit(3);
	if (lies_told[lie].mark)
		tell(&channel->out, lie);
	poll(&wake, 0, -1);
}

int main(int argc, char **argv)
{
	static struct sandbox_kind liar;
	static const struct sandbox_kind *const kinds[] = { &liar, NULL };
	struct cause cause;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_replaced_resolver_is_the_one_that_libpcap_calls),
		cmocka_unit_test(useful_filters_pass),
		cmocka_unit_test(names_and_nonsense_are_refused),
		cmocka_unit_test(long_and_deep_filters_are_refused),
		cmocka_unit_test(programs_that_leave_their_bounds_are_refused),
		cmocka_unit_test(any_program_that_is_taken_ends),
		cmocka_unit_test(programs_run_as_libpcap_runs_them),
		cmocka_unit_test(a_head_tells_what_cannot_match),
		cmocka_unit_test(a_process_compiles_it),
		cmocka_unit_test(one_that_takes_too_long_is_ended),
		cmocka_unit_test(a_compiler_that_lies_is_not_believed),
		cmocka_unit_test(one_that_is_given_up_is_not_heard_of),
		cmocka_unit_test(no_expression_asks_for_a_name),
		cmocka_unit_test(every_word_is_known_to_this_libpcap),
	};

	liar = filter_process;
	liar.run = run_liar;
	sandbox_entry(argc, argv, kinds);
	if (helper_start(NULL, &cause) < 0) {
		fprintf(stderr, "%s\n", cause.text);
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The guard in front of libslirp, at each of its boundaries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "net/port/nat_guard.h"

enum { ETHERNET = 14, IP = 20, ICMP = 1, TCP = 6, UDP = 17 };
enum { URG = 0x20, ACK = 0x10 };

#define ADDRESS(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define GATEWAY ADDRESS(10, 0, 2, 2)
#define DNS ADDRESS(10, 0, 2, 3)
#define GUEST ADDRESS(10, 0, 2, 15)

static uint8_t frame[NET_FRAME_MAX];
static struct nat_network network = { .address = GATEWAY, .dns = DNS, .mask = 0xffffff00,
				      .loopback = true };

/* Gives the guard a block of just the head's size, so that a sanitizer sees its end. */
static enum net_verdict guard_as_it_is(size_t *size)
{
	size_t head = *size < NET_HEAD_MAX ? *size : NET_HEAD_MAX;
	uint8_t *copy = malloc(head ? head : 1);
	enum net_verdict verdict;

	assert_non_null(copy);
	memcpy(copy, frame, head);
	verdict = nat_guard(&network, copy, head, size);
	memcpy(frame, copy, head);
	free(copy);
	return verdict;
}

/* With the checksum of an IPv4 header that is as long as it can be. */
static enum net_verdict guard(size_t *size)
{
	put_be16(frame + 24, 0);
	put_be16(frame + 24, inet_checksum(inet_sum(0, frame + 14, 20)));
	return guard_as_it_is(size);
}

#define refuses(size, reason) assert_int_equal(guard(&(size_t){ size }), NET_DROP_##reason)

static void passes(size_t size, size_t left)
{
	assert_int_equal(guard(&size), NET_FORWARD);
	assert_int_equal(size, left);
}

static void put_ethernet(uint16_t type)
{
	memset(frame, 0, 512);
	memcpy(frame, "\x52\x55\x0a\0\2\2\x52\x54\0\x12\x34\x56", 12);
	put_be16(frame + 12, type);
}

/* A datagram with body bytes behind the header; returns the frame's size. */
static size_t put_ip(uint8_t protocol, size_t body)
{
	uint8_t *ip = frame + ETHERNET;

	put_ethernet(0x0800);
	ip[0] = 0x45;
	put_be16(ip + 2, (uint16_t)(IP + body));
	ip[8] = 64;
	ip[9] = protocol;
	put_be32(ip + 12, GUEST);
	put_be32(ip + 16, GATEWAY);
	return ETHERNET + IP + body;
}

/* A UDP datagram, payload bytes long. */
static size_t put_udp(size_t payload)
{
	size_t size = put_ip(UDP, 8 + payload);

	put_be16(frame + 38, (uint16_t)(8 + payload));
	return size;
}

/* RFC 9293 §3.1: 0 if the segment's checksum is right. */
static uint16_t tcp_check(size_t segment)
{
	uint32_t sum = inet_sum(TCP + (uint32_t)segment, frame + 26, 8);

	return inet_checksum(inet_sum(sum, frame + 34, segment));
}

/* The same of a UDP datagram. */
static uint16_t udp_check(size_t datagram)
{
	uint32_t sum = inet_sum(UDP + (uint32_t)datagram, frame + 26, 8);

	return inet_checksum(inet_sum(sum, frame + 34, datagram));
}

/* A segment with options and payload, its checksum right. */
static size_t put_tcp(const void *options, size_t options_size, size_t payload)
{
	size_t segment = 20 + options_size + payload, size = put_ip(TCP, segment);

	put_be32(frame + 38, 0x12345678);
	frame[46] = (uint8_t)((5 + options_size / 4) << 4);
	frame[47] = ACK;
	memcpy(frame + 54, options, options_size);
	for (size_t i = 0; i < payload; i++)
		frame[54 + options_size + i] = (uint8_t)(i * 3 + 1);
	put_be16(frame + 50, tcp_check(segment));
	return size;
}

static void only_arp_and_ipv4_pass(void **state)
{
	static const uint16_t others[] = { 0x86dd, 0x88f8, 0x8100, 0x0805, 0x0801, 0, 0xffff };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
		put_udp(8);
		put_be16(frame + 12, others[i]);
		refuses(50, UNSUPPORTED);
	}
	refuses(13, BAD_HEADER);
	refuses(0, BAD_HEADER);
	refuses(14, UNSUPPORTED);
}

static void arp_is_whole_and_for_ipv4_on_ethernet(void **state)
{
	(void)state;
	put_ethernet(0x0806);
	memcpy(frame + 14, "\0\1\x08\0\6\4\0\1", 8);
	passes(42, 42);
	passes(60, 60);
	refuses(41, BAD_HEADER);
	refuses(14, BAD_HEADER);
	for (unsigned i = 14; i < 20; i++) {
		frame[i] ^= 1;
		refuses(60, BAD_HEADER);
		frame[i] ^= 1;
	}
	frame[21] = 9; /* an operation that nobody knows is left to libslirp */
	passes(42, 42);
}

static void an_ip_header_is_whole_and_says_so(void **state)
{
	size_t size = put_udp(8);

	(void)state;
	passes(size, size);
	refuses(33, BAD_HEADER);
	refuses(14, BAD_HEADER);
	for (unsigned version = 0; version < 16; version++) {
		frame[14] = (uint8_t)(version << 4 | 5);
		if (version != 4)
			refuses(size, BAD_HEADER);
	}
	for (unsigned words = 0; words < 5; words++) {
		frame[14] = (uint8_t)(0x40 | words);
		refuses(size, BAD_HEADER);
	}
	frame[14] = 0x46;
	refuses(size, UNSUPPORTED);
	put_be16(frame + 16, 23); /* less than that header */
	refuses(size, BAD_HEADER);
}

static void the_total_length_is_within_the_frame(void **state)
{
	size_t size = put_udp(8);

	(void)state;
	passes(size + 18, size); /* Ethernet's padding goes */
	passes(size, size);
	refuses(size - 1, BAD_HEADER);
	put_be16(frame + 16, 19);
	refuses(size, BAD_HEADER);
	put_be16(frame + 16, 0);
	refuses(size, BAD_HEADER);
	put_be16(frame + 16, 0xffff);
	refuses(size, BAD_HEADER);
	put_be16(frame + 38, 0xffff - 20);
	passes(NET_FRAME_MAX, ETHERNET + 0xffff);
	refuses(ETHERNET + 0xfffe, BAD_HEADER);
}

static void fragments_are_refused(void **state)
{
	size_t size = put_udp(8);

	(void)state;
	for (unsigned bit = 0; bit < 14; bit++) {
		put_be16(frame + 20, (uint16_t)(1u << bit));
		refuses(size, FRAGMENT);
		put_be16(frame + 20, (uint16_t)(0x4000u | 1u << bit));
		refuses(size, FRAGMENT);
	}
	put_be16(frame + 20, 0x4000); /* don't fragment */
	passes(size, size);
	put_be16(frame + 20, 0x8000); /* reserved, must be zero */
	refuses(size, BAD_HEADER);
	put_be16(frame + 20, 1); /* of an unknown protocol, with options */
	frame[14] = 0x46;
	frame[23] = 99;
	refuses(size, FRAGMENT);
}

static void only_tcp_udp_and_icmp_pass(void **state)
{
	(void)state;
	for (unsigned protocol = 0; protocol < 256; protocol++) {
		size_t size = put_tcp("", 0, 8);

		put_be16(frame + 38, 20); /* a length too, to UDP */
		frame[23] = (uint8_t)protocol;
		if (protocol == ICMP || protocol == TCP || protocol == UDP)
			passes(size, size);
		else
			refuses(size, UNSUPPORTED);
	}
}

static void icmp_has_its_header(void **state)
{
	(void)state;
	passes(put_ip(ICMP, 8), 42);
	passes(60, 42);
	refuses(put_ip(ICMP, 7), BAD_HEADER);
	refuses(60, BAD_HEADER); /* padding does not count */
	refuses(put_ip(ICMP, 0), BAD_HEADER);
}

static void udp_length_is_within_the_datagram(void **state)
{
	size_t size = put_udp(8);

	(void)state;
	for (uint16_t length = 0; length < 40; length++) {
		put_be16(frame + 38, length);
		if (length < 8 || length > 16)
			refuses(60, BAD_HEADER);
		else
			passes(60, size);
	}
	put_be16(frame + 38, 0xffff);
	refuses(60, BAD_HEADER);
	passes(put_udp(0), 42);
	refuses(put_ip(UDP, 7), BAD_HEADER);
}

static void a_tcp_header_is_within_the_datagram(void **state)
{
	static const uint8_t nops[40] = { [0 ... 39] = 1 };
	size_t size;

	(void)state;
	size = put_tcp(nops, 40, 0);
	for (unsigned words = 0; words < 16; words++) {
		frame[46] = (uint8_t)(words << 4);
		if (words < 5)
			refuses(size, BAD_HEADER);
		else
			passes(size, size);
	}
	size = put_tcp(nops, 36, 0);
	passes(size + 6, size);
	put_be16(frame + 16, 20 + 55); /* one byte less, though the frame has it */
	refuses(size + 6, BAD_HEADER);
	refuses(put_ip(TCP, 19), BAD_HEADER);
	refuses(60, BAD_HEADER);
}

static void tcp_options_are_within_the_header(void **state)
{
	static const struct {
		const char *options;
		size_t size;
		bool good;
	} cases[] = {
		{ "\2\4\5\xb4", 4, true },
		{ "\1\1\1\1", 4, true },
		{ "\2\4\5\xb4\1\3\3\7", 8, true },
		{ "\1\1\x08\x0a"  "aaaabbbb", 12, true },
		{ "\1\1\4\2", 4, true },
		{ "\0\2\xff\xff", 4, true }, /* nothing after the end counts */
		{ "\1\0\0\xff", 4, true },
		{ "\2\5\5\xb4", 4, false },
		{ "\1\2\4\5", 4, false },
		{ "\1\1\1\2", 4, false },
		{ "\1\1\4\3", 4, false },
		{ "\3\0\1\1", 4, false },
		{ "\3\1\1\1", 4, false },
		{ "\xfe\xff\1\1", 4, false },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t payload = 0; payload < 2; payload++) {
			size_t size = put_tcp(cases[i].options, cases[i].size, payload);

			if (cases[i].good)
				passes(size, size);
			else
				refuses(size, BAD_HEADER);
		}
	}
}

static void urgent_is_cleared_and_the_checksum_stays_right(void **state)
{
	static const uint16_t pointers[] = { 0, 1, 10, 0x7fff, 0x8000, 0xfffe, 0xffff };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(pointers); i++) {
		for (unsigned flags = 0; flags < 256; flags++) {
			size_t size = put_tcp("\2\4\5\xb4", 4, 11);
			uint8_t before[128];

			frame[47] = (uint8_t)flags;
			put_be16(frame + 52, pointers[i]);
			put_be16(frame + 50, 0);
			put_be16(frame + 50, tcp_check(35));
			put_be16(frame + 24, 0);
			put_be16(frame + 24, inet_checksum(inet_sum(0, frame + 14, 20)));
			memcpy(before, frame, size);
			passes(size, size);
			assert_int_equal(tcp_check(35), 0);
			if (!(flags & URG)) {
				assert_memory_equal(frame, before, size);
				continue;
			}
			before[47] &= (uint8_t)~URG;
			memcpy(before + 50, frame + 50, 2);
			memset(before + 52, 0, 2);
			assert_memory_equal(frame, before, size);
		}
	}
}

static void a_wrong_checksum_stays_wrong(void **state)
{
	(void)state;
	for (unsigned wrong = 1; wrong < 0xffff; wrong += 0x101) {
		size_t size = put_tcp("", 0, 11);

		frame[47] |= URG;
		put_be16(frame + 52, 2000);
		put_be16(frame + 50, 0);
		put_be16(frame + 50, inet_checksum((uint16_t)~tcp_check(31) + wrong));
		passes(size, size);
		assert_int_not_equal(tcp_check(31), 0);
	}
}

static void an_ip_header_has_its_checksum(void **state)
{
	size_t size = put_udp(8);

	(void)state;
	passes(size, size);
	assert_int_equal(guard_as_it_is(&size), NET_FORWARD);
	for (unsigned bit = 0; bit < 16; bit++) {
		frame[24 + bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(guard_as_it_is(&size), NET_DROP_BAD_CHECKSUM);
		frame[24 + bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(guard_as_it_is(&size), NET_FORWARD);
}

/* What becomes of a packet of each protocol to an address and port. */
static void goes(uint32_t to, uint16_t port, enum net_verdict tcp, enum net_verdict udp,
		 enum net_verdict icmp)
{
	const enum net_verdict wanted[] = { tcp, udp, icmp };

	for (unsigned i = 0; i < ARRAY_SIZE(wanted); i++) {
		size_t size = i == 0 ? put_tcp("", 0, 8) : put_udp(12);

		if (i == 0)
			frame[47] = 2; /* SYN */
		if (i == 2)
			frame[23] = ICMP;
		put_be32(frame + 30, to);
		put_be16(frame + 36, port);
		assert_int_equal(guard(&size), wanted[i]);
	}
}

#define everything(to, verdict) goes(to, 80, verdict, verdict, verdict)

static void no_way_leads_to_the_loopback_unless_asked_for(void **state)
{
	(void)state;
	for (unsigned loopback = 0; loopback < 2; loopback++) {
		network.loopback = loopback;
		everything(ADDRESS(127, 0, 0, 1), NET_DROP_LOOPBACK);
		everything(ADDRESS(127, 255, 255, 255), NET_DROP_LOOPBACK);
		everything(ADDRESS(0, 0, 0, 0), NET_DROP_LOOPBACK);
		everything(ADDRESS(0, 1, 2, 3), NET_DROP_LOOPBACK);
		everything(ADDRESS(126, 255, 255, 255), NET_FORWARD);
		everything(ADDRESS(128, 0, 0, 1), NET_FORWARD);
		everything(ADDRESS(255, 255, 255, 255), NET_DROP_UNSUPPORTED);
	}
	goes(GATEWAY, 80, NET_FORWARD, NET_FORWARD, NET_FORWARD);
	goes(GATEWAY, 67, NET_FORWARD, NET_DROP_UNSUPPORTED, NET_FORWARD);
	goes(GATEWAY, 69, NET_FORWARD, NET_DROP_UNSUPPORTED, NET_FORWARD);
	network.loopback = false;
	goes(GATEWAY, 80, NET_DROP_LOOPBACK, NET_DROP_LOOPBACK, NET_FORWARD);
	goes(GATEWAY, 53, NET_DROP_LOOPBACK, NET_DROP_LOOPBACK, NET_FORWARD);
	network.loopback = true;
}

/* They have come by a port of the host that is forwarded; nobody is reached like that. */
static void who_comes_from_the_loopback_is_answered(void **state)
{
	static const struct {
		uint8_t flags;
		bool good;
	} cases[] = { { 0x12, true }, { 0x10, true }, { 0x11, true }, { 0x14, true }, { 0x04, true },
		      { 0x02, false }, { 0x01, false }, { 0x06, false }, { 0x22, false },
		      { 0x08, false }, { 0, false } };

	(void)state;
	network.loopback = false;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t size = put_tcp("", 0, 8);

		frame[47] = cases[i].flags;
		assert_int_equal(guard(&size), cases[i].good ? NET_FORWARD : NET_DROP_LOOPBACK);
	}
	network.loopback = true;
}

static void only_hosts_beyond_the_network_are_reached(void **state)
{
	(void)state;
	everything(ADDRESS(192, 0, 2, 1), NET_FORWARD);
	everything(ADDRESS(10, 0, 1, 255), NET_FORWARD);
	everything(ADDRESS(10, 0, 3, 0), NET_FORWARD);
	everything(ADDRESS(10, 0, 2, 0), NET_DROP_UNSUPPORTED);
	everything(ADDRESS(10, 0, 2, 99), NET_DROP_UNSUPPORTED);
	everything(ADDRESS(10, 0, 2, 255), NET_DROP_UNSUPPORTED);
	everything(ADDRESS(169, 254, 169, 254), NET_DROP_UNSUPPORTED);
	everything(ADDRESS(169, 253, 0, 1), NET_FORWARD);
	everything(ADDRESS(223, 255, 255, 255), NET_FORWARD);
	everything(ADDRESS(224, 0, 0, 1), NET_DROP_UNSUPPORTED);
	everything(ADDRESS(240, 0, 0, 1), NET_DROP_UNSUPPORTED);
	goes(DNS, 53, NET_FORWARD, NET_FORWARD, NET_FORWARD);
	goes(DNS, 54, NET_DROP_UNSUPPORTED, NET_DROP_UNSUPPORTED, NET_FORWARD);
}

static void a_source_is_a_guests(void **state)
{
	static const struct {
		uint32_t address;
		bool good;
	} cases[] = {
		{ GUEST, true }, { ADDRESS(10, 0, 2, 1), true }, { ADDRESS(10, 0, 2, 254), true },
		{ ADDRESS(10, 0, 2, 0), false }, { ADDRESS(10, 0, 2, 255), false },
		{ GATEWAY, false }, { DNS, false }, { ADDRESS(10, 0, 3, 15), false }, { 0, false },
		{ ADDRESS(127, 0, 0, 1), false }, { ADDRESS(255, 255, 255, 255), false },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t size = put_udp(8);

		put_be32(frame + 26, cases[i].address);
		if (cases[i].good)
			passes(size, size);
		else
			refuses(size, BAD_SOURCE);
	}
}

/* The same with every place where a head can end. */
static bool sum_is_right(size_t size)
{
	bool right = false;

	for (size_t head = 54; head <= size && head <= NET_HEAD_MAX; head += 2) {
		bool now = nat_guard_sum(frame, head, frame + head, size);

		assert_true(head == 54 || now == right);
		right = now;
	}
	return right;
}

static void checksums_are_looked_at(void **state)
{
	static const size_t payloads[] = { 20, 21, 92, 93, 94, 95, 1460, 65000, 65001 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(payloads); i++) {
		size_t size = put_tcp("", 0, payloads[i]);

		assert_true(sum_is_right(size));
		frame[size - 1] ^= 1;
		assert_false(sum_is_right(size));
		frame[size - 1] ^= 1;
		frame[26] ^= 1; /* an address, which it covers */
		assert_false(sum_is_right(size));
		size = put_udp(payloads[i]);
		assert_true(sum_is_right(size)); /* it has none */
		put_be16(frame + 40, 1);
		assert_false(sum_is_right(size));
		put_be16(frame + 40, 0);
		put_be16(frame + 40, udp_check(8 + payloads[i]));
		assert_true(sum_is_right(size));
		frame[size] ^= 1; /* beyond it */
		assert_true(sum_is_right(size + 1));
		frame[size] ^= 1;
		size = put_ip(ICMP, 8 + payloads[i]);
		memset(frame + 34, 0x11, 8 + payloads[i]);
		assert_false(sum_is_right(size));
		put_be16(frame + 36, 0);
		put_be16(frame + 36, inet_checksum(inet_sum(0, frame + 34, 8 + payloads[i])));
		assert_true(sum_is_right(size));
	}
	put_ethernet(0x0806);
	assert_true(nat_guard_sum(frame, 42, frame, 42));
}

static void only_the_gateways_frames_are_sent(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		bool good;
	} cases[] = {
		{ "RT\0\x12\x34\x56RU\x0a\0\2\2\x08\0E", 15, true },
		{ "RT\0\x12\x34\x56RU\x0a\0\2\3\x08\0", 14, true },
		{ "RT\0\x12\x34\x56RU\x0a\0\2\3\x08\0", 13, false },
		{ "RT\0\x12\x34\x56RU\x0a\0\2\4\x08\0E", 15, false },
		{ "RU\x0a\0\2\2RT\0\x12\x34\x56\x08\0E", 15, false },
		{ "RT\0\x12\x34\x56RU\x0a\0\2\2\x86\xdd`", 15, false },
		{ "RT\0\x12\x34\x56RU\x0a\0\2\2\x08\6\0\1\x08\0\6\4\0\2"
		  "RU\x0a\0\2\2\x0a\0\2\2aaaabbbbcc", 42, true },
		{ "RT\0\x12\x34\x56RU\x0a\0\2\2\x08\6\0\1\x08\0\6\4\0\2"
		  "RU\x0a\0\2\2\x0a\0\2\2aaaabbbbc", 41, false },
		{ "RT\0\x12\x34\x56RU\x0a\0\2\2\x08\6\0\1\x08\0\6\4\0\2"
		  "RU\x0a\0\2\2\x0a\0\2\xf" "aaaabbbbcc", 42, false },
		{ "RT\0\x12\x34\x56RU\x0a\0\2\2\x08\6\0\1\x08\0\6\4\0\2"
		  "RT\x0a\0\2\2\x0a\0\2\2aaaabbbbcc", 42, false },
		{ "RT\0\x12\x34\x56RU\x0a\0\2\2\x08\6\0\1\x08\0\6\5\0\2"
		  "RU\x0a\0\2\2\x0a\0\2\2aaaabbbbcc", 42, false },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t *copy = malloc(cases[i].size);

		memcpy(copy, cases[i].bytes, cases[i].size);
		assert_int_equal(nat_guard_sent(&network, copy, cases[i].size), cases[i].good);
		free(copy);
	}
	assert_false(nat_guard_sent(&network, frame, NET_FRAME_MAX + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_arp_and_ipv4_pass),
		cmocka_unit_test(arp_is_whole_and_for_ipv4_on_ethernet),
		cmocka_unit_test(an_ip_header_is_whole_and_says_so),
		cmocka_unit_test(an_ip_header_has_its_checksum),
		cmocka_unit_test(no_way_leads_to_the_loopback_unless_asked_for),
		cmocka_unit_test(who_comes_from_the_loopback_is_answered),
		cmocka_unit_test(only_hosts_beyond_the_network_are_reached),
		cmocka_unit_test(a_source_is_a_guests),
		cmocka_unit_test(checksums_are_looked_at),
		cmocka_unit_test(only_the_gateways_frames_are_sent),
		cmocka_unit_test(the_total_length_is_within_the_frame),
		cmocka_unit_test(fragments_are_refused),
		cmocka_unit_test(only_tcp_udp_and_icmp_pass),
		cmocka_unit_test(icmp_has_its_header),
		cmocka_unit_test(udp_length_is_within_the_datagram),
		cmocka_unit_test(a_tcp_header_is_within_the_datagram),
		cmocka_unit_test(tcp_options_are_within_the_header),
		cmocka_unit_test(urgent_is_cleared_and_the_checksum_stays_right),
		cmocka_unit_test(a_wrong_checksum_stays_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

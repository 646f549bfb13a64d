/* Frames between libslirp and guests that are larger than the network's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "net/port/nat_guard.h"
#include "net/port/nat_segments.h"

enum { HEADERS = 34, TCP = 6, UDP = 17, SYN = 2, ACK = 16 };

static uint8_t frame[NET_FRAME_MAX];

/* An IPv4 packet around body bytes, from the gateway to a guest; returns the frame's size. */
static size_t put_ip(uint8_t protocol, size_t body)
{
	memset(frame, 0, sizeof(frame));
	memcpy(frame, "RT\0\x12\x34\x56RU\x0a\0\2\2\x08\0\x45", 15);
	put_be16(frame + 16, (uint16_t)(20 + body));
	frame[22] = 64;
	frame[23] = protocol;
	put_be32(frame + 26, 0x0a000202);
	put_be32(frame + 30, 0x0a00020f);
	for (size_t i = 0; i < body; i++)
		frame[HEADERS + i] = (uint8_t)(i * 7 + i / 256);
	return HEADERS + body;
}

static uint16_t check(const uint8_t *ip, size_t body)
{
	return inet_checksum(inet_sum(inet_sum(ip[9] + (uint32_t)body, ip + 12, 8), ip + 20, body));
}

static size_t put_tcp(uint8_t flags, const void *options, size_t options_size, size_t payload)
{
	size_t size = put_ip(TCP, 20 + options_size + payload);

	frame[46] = (uint8_t)((5 + options_size / 4) << 4);
	frame[47] = flags;
	memcpy(frame + 54, options, options_size);
	put_be16(frame + 50, 0);
	put_be16(frame + 50, check(frame + 14, size - HEADERS));
	return size;
}

static void a_connection_allows_large_segments(void **state)
{
	static const struct {
		const char *before, *after;
		size_t size;
		uint8_t flags;
	} cases[] = {
		{ "\2\4\5\xb4", "\2\4\x3e\xbc", 4, SYN },
		{ "\2\4\5\xb4", "\2\4\x3e\xbc", 4, SYN | ACK },
		{ "\1\2\4\x23\x28\1\1\0", "\1\2\4\x3e\xbc\1\1\0", 8, SYN },
		{ "\4\2\x08\x0a" "aaaabbbb\1\2\4\5\xb4\1\1\1", "\4\2\x08\x0a" "aaaabbbb\1\2\4\x3e\xbc\1\1\1",
		  20, SYN },
		{ "\2\4\5\xb3", "\2\4\5\xb3", 4, SYN }, /* it cannot take that much */
		{ "\2\4\5\xb4", "\2\4\5\xb4", 4, ACK },
		{ "\0\2\4\5\xb4\0\0\0", "\0\2\4\5\xb4\0\0\0", 8, SYN },
		{ "\1\1\1\2", "\1\1\1\2", 4, SYN },
		{ "\4\1\2\4", "\4\1\2\4", 4, SYN },
		{ "", "", 0, SYN },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t size = put_tcp(cases[i].flags, cases[i].before, cases[i].size, i % 2);
		uint8_t *copy = malloc(size);

		memcpy(copy, frame, size);
		nat_allow_large(copy, size);
		assert_memory_equal(copy + 54, cases[i].after, cases[i].size);
		assert_int_equal(check(copy + 14, size - HEADERS), 0);
		memcpy(copy + 50, frame + 50, 2 + 2);
		memcpy(copy + 54, frame + 54, cases[i].size);
		assert_memory_equal(copy, frame, size);
		free(copy);
	}
}

static void what_is_no_whole_segment_is_left_alone(void **state)
{
	size_t size = put_tcp(SYN, "\2\4\5\xb4", 4, 0);

	(void)state;
	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);

		memcpy(copy, frame, cut);
		nat_allow_large(copy, cut);
		assert_memory_equal(copy, frame, cut);
		assert_int_equal(nat_segment_of(copy, cut), 0);
		free(copy);
	}
}

static void only_large_segments_are_to_be_cut(void **state)
{
	(void)state;
	assert_int_equal(nat_segment_of(frame, put_tcp(ACK, "", 0, 1460)), 0);
	assert_int_equal(nat_segment_of(frame, put_tcp(ACK, "", 0, 1461)), NAT_SEGMENT);
	assert_int_equal(nat_segment_of(frame, put_tcp(ACK, "", 0, 16000)), NAT_SEGMENT);
	assert_int_equal(nat_segment_of(frame, put_ip(UDP, 16000)), 0);
}

/* Puts fragments together again. */
struct whole {
	uint8_t bytes[NET_FRAME_MAX];
	size_t size;
	unsigned count;
	bool last;
	uint16_t first_offset;
};

static void take(void *arg, const uint8_t *part, size_t size)
{
	struct whole *whole = arg;
	uint16_t field = get_be16(part + 20);
	size_t offset = (field & 0x1fffu) * 8u - whole->first_offset;

	assert_true(size <= 14 + NAT_MTU);
	assert_memory_equal(part, frame, 16);
	assert_int_equal(get_be16(part + 16), size - 14);
	assert_int_equal(inet_checksum(inet_sum(0, part + 14, 20)), 0);
	assert_memory_equal(part + 26, frame + 26, 8);
	assert_int_equal(offset, whole->size);
	memcpy(whole->bytes + offset, part + HEADERS, size - HEADERS);
	whole->size += size - HEADERS;
	whole->count++;
	whole->last = !(field & 0x2000);
}

static void large_datagrams_become_fragments(void **state)
{
	static const size_t sizes[] = { 1481, 2960, 2961, 16000, 65515 };
	static const uint16_t fields[] = { 0, 0x2000, 0x2000 | 100, 100 };
	static struct whole whole;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
		for (unsigned j = 0; j < ARRAY_SIZE(fields); j++) {
			size_t size = put_ip(UDP, sizes[i]);

			if ((fields[j] & 0x1fffu) * 8 + sizes[i] > 65515)
				continue; /* there is no such datagram */
			put_be16(frame + 20, fields[j]);
			whole = (struct whole){ .first_offset = (uint16_t)((fields[j] & 0x1fff) * 8) };
			nat_fragment(frame, size, take, &whole);
			assert_int_equal(whole.size, sizes[i]);
			assert_int_equal(whole.count, (sizes[i] + 1479) / 1480);
			assert_int_equal(whole.last, !(fields[j] & 0x2000));
			assert_memory_equal(whole.bytes, frame + HEADERS, sizes[i]);
		}
}

static void count_whole(void *arg, const uint8_t *part, size_t size)
{
	unsigned *count = arg;

	assert_ptr_equal(part, frame);
	assert_true(size <= 14 + NAT_MTU);
	++*count;
}

static void what_fits_is_sent_as_it_is(void **state)
{
	unsigned count = 0;

	(void)state;
	nat_fragment(frame, put_ip(UDP, 1480), count_whole, &count);
	nat_fragment(frame, 42, count_whole, &count);
	assert_int_equal(count, 2);
	put_ip(UDP, 3000);
	put_be16(frame + 12, 0x86dd);
	nat_fragment(frame, 3034, count_whole, &count);
	assert_int_equal(count, 2);
}

/* What the deck makes of a large segment: its headers must be whole. */
static void large_segments_are_asked_to_be_cut(void **state)
{
	struct net_offload offload;
	size_t size = put_tcp(ACK, "\1\1\1\1", 4, 5000);
	uint16_t sum;

	(void)state;
	assert_true(nat_guard_large(frame, size, NAT_SEGMENT, &offload));
	assert_int_equal(offload.gso_type, NET_GSO_TCPV4);
	assert_int_equal(offload.gso_size, NAT_SEGMENT);
	assert_int_equal(offload.header_size, 58);
	assert_int_equal(offload.csum_start, 34);
	/* The pseudo header's sum is there already. */
	sum = inet_checksum(inet_sum(0, frame + 34, size - 34));
	put_be16(frame + 50, sum);
	assert_int_equal(check(frame + 14, size - HEADERS), 0);

	assert_false(nat_guard_large(frame, size, 0, &offload));
	assert_false(nat_guard_large(frame, size, 65536, &offload));
	assert_false(nat_guard_large(frame, size - 1, NAT_SEGMENT, &offload));
	assert_false(nat_guard_large(frame, 53, NAT_SEGMENT, &offload));
	frame[46] = 4 << 4;
	assert_false(nat_guard_large(frame, size, NAT_SEGMENT, &offload));
	size = put_tcp(ACK, "", 0, 0);
	assert_false(nat_guard_large(frame, size, NAT_SEGMENT, &offload));
	size = put_ip(UDP, 5000);
	assert_false(nat_guard_large(frame, size, NAT_SEGMENT, &offload));
}

/* What a guest's driver leaves to the NIC. */
static void unfinished_checksums_are_finished(void **state)
{
	static const size_t bodies[] = { 20, 93, 94, 95, 1480, 65000 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bodies); i++)
		for (unsigned udp = 0; udp < 2; udp++) {
			size_t size = put_ip(udp ? UDP : TCP, bodies[i]);
			size_t head = size < NET_HEAD_MAX ? size : NET_HEAD_MAX;

			put_be16(frame + 38, udp ? (uint16_t)bodies[i] : 0);
			assert_true(nat_guard_finish(frame, head, frame + head, size));
			assert_int_equal(check(frame + 14, bodies[i]), 0);
			assert_true(nat_guard_sum(frame, head, frame + head, size));
		}
	put_ip(1, 100);
	assert_false(nat_guard_finish(frame, NET_HEAD_MAX, frame + NET_HEAD_MAX, 134));
	put_be16(frame + 12, 0x0806);
	frame[23] = TCP;
	assert_false(nat_guard_finish(frame, NET_HEAD_MAX, frame + NET_HEAD_MAX, 134));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_allows_large_segments),
		cmocka_unit_test(what_is_no_whole_segment_is_left_alone),
		cmocka_unit_test(only_large_segments_are_to_be_cut),
		cmocka_unit_test(large_datagrams_become_fragments),
		cmocka_unit_test(what_fits_is_sent_as_it_is),
		cmocka_unit_test(large_segments_are_asked_to_be_cut),
		cmocka_unit_test(unfinished_checksums_are_finished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Offloads on their way through the switch: untouched to ports that take them,
 * finished for those that do not, checked by an independent plain checksum.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_port.h"
#include "net/switch/offload.h"

#define ALL (NET_ACCEPTS_CSUM | NET_ACCEPTS_TSO4 | NET_ACCEPTS_TSO6)

struct lan {
	struct network *network;
	struct net_switch *sw;
	struct fake_port a, plain, able;
	uint8_t data[NET_FRAME_MAX];
	struct net_frame frame;
	struct iovec rest[3];
};

static const uint8_t broadcast[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static int setup(void **state)
{
	struct lan *lan = calloc(1, sizeof(*lan));

	lan->sw = fake_switch(&lan->network, "lan");
	fake_port_open(&lan->a, lan->sw, "a/net0", 1, ALL);
	fake_port_open(&lan->plain, lan->sw, "plain/net0", 2, 0);
	fake_port_open(&lan->able, lan->sw, "able/net0", 3, ALL);
	*state = lan;
	return 0;
}

static int teardown(void **state)
{
	struct lan *lan = *state;

	fake_port_close(&lan->a);
	fake_port_close(&lan->plain);
	fake_port_close(&lan->able);
	network_free(lan->network);
	free(lan);
	return 0;
}

/* RFC 1071, written as plainly as can be: 0 over data whose checksum is right. */
static unsigned sum(const uint8_t *data, size_t size, unsigned before)
{
	unsigned long total = before;

	for (size_t i = 0; i < size; i++)
		total += i % 2 ? data[i] : (unsigned)data[i] << 8;
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (unsigned)total;
}

static bool ipv4_is_right(const uint8_t *frame, size_t size, unsigned protocol)
{
	const uint8_t *ip = frame + 14;
	unsigned header = (ip[0] & 15) * 4, total = (unsigned)ip[2] << 8 | ip[3];
	unsigned pseudo = sum(ip + 12, 8, protocol + total - header);

	return total == size - 14 && sum(ip, header, 0) == 0xffff &&
	       sum(ip + header, total - header, pseudo) == 0xffff;
}

static bool ipv6_is_right(const uint8_t *frame, size_t size, unsigned protocol)
{
	const uint8_t *ip = frame + 14;
	unsigned length = (unsigned)ip[4] << 8 | ip[5];

	return length == size - 54 &&
	       sum(ip + 40, length, sum(ip + 8, 32, protocol + length)) == 0xffff;
}

static void put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* A frame of size bytes from a to everybody, all but its headers counting bytes. */
static void build(struct lan *lan, uint32_t size, unsigned type)
{
	for (uint32_t i = 14; i < size; i++)
		lan->data[i] = (uint8_t)(i * 7 + i / 256);
	fake_frame(&lan->frame, lan->rest, lan->data, size, broadcast, lan->a.mac);
	put16(lan->data + 12, type);
	if (size > NET_HEAD_MAX + 9) { /* the rest in three parts, odd ones */
		lan->rest[0].iov_len = 3;
		lan->rest[1].iov_base = lan->data + NET_HEAD_MAX + 3;
		lan->rest[1].iov_len = 6;
		lan->rest[2].iov_base = lan->data + NET_HEAD_MAX + 9;
		lan->rest[2].iov_len = size - NET_HEAD_MAX - 9;
		lan->frame.rest_count = 3;
	}
}

static void build_ipv4(struct lan *lan, uint32_t size, unsigned protocol, unsigned field)
{
	uint8_t *ip = lan->data + 14;

	build(lan, size, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, size - 14);
	ip[9] = (uint8_t)protocol;
	put16(ip + 10, 0);
	put16(ip + 10, ~sum(ip, 20, 0) & 0xffff);
	put16(ip + 20 + field, sum(ip + 12, 8, protocol + size - 34));
	lan->frame.offload = (struct net_offload){ .flags = NET_OFFLOAD_NEEDS_CSUM,
						   .csum_start = 34,
						   .csum_offset = (uint16_t)field };
}

static void build_tcp(struct lan *lan, uint32_t size, uint16_t segment, bool v6)
{
	uint8_t *tcp = lan->data + (v6 ? 54 : 34);

	if (v6) {
		build(lan, size, 0x86dd);
		lan->data[14] = 0x60;
		put16(lan->data + 18, size - 54);
		lan->data[20] = 6;
		put16(tcp + 16, sum(lan->data + 22, 32, 6 + size - 54));
		lan->frame.offload = (struct net_offload){ .csum_start = 54, .csum_offset = 16,
							   .gso_type = NET_GSO_TCPV6 };
	} else {
		build_ipv4(lan, size, 6, 16);
		lan->frame.offload.gso_type = NET_GSO_TCPV4;
	}
	lan->frame.offload.flags = NET_OFFLOAD_NEEDS_CSUM;
	lan->frame.offload.gso_size = segment;
	lan->frame.offload.header_size = (uint16_t)(tcp + 32 - lan->data);
	memcpy(tcp + 4, "\xff\xff\xff\x00", 4); /* the sequence number wraps */
	tcp[12] = 8 << 4;
	tcp[13] = 0x80 | 0x10 | 0x08 | 0x01; /* CWR ACK PSH FIN */
}

static void a_checksum_is_finished_only_for_ports_that_need_it(void **state)
{
	struct lan *lan = *state;
	const uint32_t sizes[] = { 43, 60, 127, 128, 129, 1501, 9000, NET_FRAME_MAX - 15 };

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		build_ipv4(lan, sizes[i], 17, 6);
		switch_input(lan->a.port, &lan->frame, 1);
		assert_int_equal(lan->plain.count, 1);
		assert_true(ipv4_is_right(lan->plain.kept[0].data, sizes[i], 17));
		assert_int_equal(lan->plain.kept[0].offload.flags, 0);
		assert_memory_equal(lan->able.kept[0].data, lan->data, sizes[i]);
		assert_int_equal(lan->able.kept[0].offload.flags, NET_OFFLOAD_NEEDS_CSUM);
		fake_port_clear(&lan->plain);
		fake_port_clear(&lan->able);
	}
}

static void a_checksum_of_zero_is_sent_as_ones(void **state)
{
	struct lan *lan = *state;

	build_ipv4(lan, 60, 17, 6);
	put16(lan->data + 58, 0);
	put16(lan->data + 58, ~sum(lan->data + 34, 26, 0) & 0xffff);
	switch_input(lan->a.port, &lan->frame, 1);
	assert_memory_equal(lan->plain.kept[0].data + 40, "\xff\xff", 2);
}

static void verified_checksums_are_news_only_to_ports_that_know_them(void **state)
{
	struct lan *lan = *state;

	build(lan, 300, 0x88b5);
	lan->frame.offload.flags = NET_OFFLOAD_DATA_VALID;
	switch_input(lan->a.port, &lan->frame, 1);
	assert_int_equal(lan->plain.kept[0].offload.flags, 0);
	assert_memory_equal(lan->plain.kept[0].data, lan->data, 300);
	assert_int_equal(lan->able.kept[0].offload.flags, NET_OFFLOAD_DATA_VALID);
}

/* Sends a TCP frame of size bytes and checks every segment that plain got. */
static void check_segments(struct lan *lan, uint32_t size, uint16_t segment, bool v6)
{
	uint32_t tcp = v6 ? 54 : 34, header = tcp + 32, payload = size - header, at = 0;
	unsigned expect = payload ? (payload + segment - 1) / segment : 1;

	build_tcp(lan, size, segment, v6);
	switch_input(lan->a.port, &lan->frame, 1);
	assert_int_equal(lan->able.count, 1);
	assert_int_equal(lan->able.kept[0].size, size);
	assert_int_equal(lan->able.kept[0].offload.gso_size, segment);
	assert_int_equal(lan->plain.count, expect);
	assert_int_equal(lan->plain.flushes, 1);
	for (unsigned i = 0; i < expect; i++) {
		const struct fake_frame *f = &lan->plain.kept[i];
		const uint8_t *p = f->data + tcp;
		uint32_t sequence = (uint32_t)p[4] << 24 | (uint32_t)p[5] << 16 |
				    (uint32_t)p[6] << 8 | p[7];

		assert_int_equal(f->offload.flags, 0);
		assert_int_equal(f->offload.gso_type, 0);
		assert_int_equal(f->from, lan->able.kept[0].from);
		assert_int_equal(f->size - header, at + segment < payload ? segment : payload - at);
		assert_memory_equal(f->data + header, lan->data + header + at, f->size - header);
		assert_true(v6 ? ipv6_is_right(f->data, f->size, 6) :
				 ipv4_is_right(f->data, f->size, 6));
		assert_int_equal(sequence, 0xffffff00u + at);
		assert_int_equal(p[13], 0x10 | (i ? 0 : 0x80) | (i + 1 == expect ? 0x09 : 0));
		if (!v6)
			assert_int_equal(f->data[19], (uint8_t)(lan->data[19] + i));
		at += f->size - header;
	}
	assert_int_equal(at, payload);
	fake_port_clear(&lan->plain);
	fake_port_clear(&lan->able);
}

static void large_tcp_frames_are_segmented(void **state)
{
	struct lan *lan = *state;

	for (int v6 = 0; v6 < 2; v6++) {
		check_segments(lan, 65000, 1448, v6);
		check_segments(lan, 14 + 65535 - 20, 1000, v6);
		check_segments(lan, 3000, 1447, v6);
		check_segments(lan, 3000, 9000, v6);
		check_segments(lan, 2000, 20, v6); /* more than one batch of segments */
		check_segments(lan, v6 ? 86 : 66, 100, v6);
		check_segments(lan, v6 ? 87 : 67, 1, v6);
	}
}

static void a_port_that_takes_checksums_alone_gets_segments(void **state)
{
	struct lan *lan = *state;

	switch_port_accepts(lan->plain.port, NET_ACCEPTS_CSUM | NET_ACCEPTS_TSO6);
	check_segments(lan, 5000, 1448, false);
	switch_port_accepts(lan->plain.port, NET_ACCEPTS_CSUM | NET_ACCEPTS_TSO4);
	check_segments(lan, 5000, 1448, true);
}

/* The segments that build_tcp() with this size makes are all there, in order. */
static void check_kept(const struct lan *lan, const struct fake_port *port, unsigned from,
		       unsigned segments)
{
	uint32_t at = 66;

	for (unsigned i = from; i < from + segments; i++) {
		const struct fake_frame *f = &port->kept[i];

		assert_true(ipv4_is_right(f->data, f->size, 6));
		assert_memory_equal(f->data + 66, lan->data + at, f->size - 66);
		at += f->size - 66;
	}
	assert_int_equal(at, lan->frame.size);
}

/* Whoever needs segments shares the work; nobody else is bothered with them. */
static void a_flood_is_segmented_once_for_all_receivers(void **state)
{
	struct lan *lan = *state;
	struct fake_port more, csum, down;
	struct net_frame frames[3];
	uint8_t small[2][60] = { { 0 } };
	struct iovec rest[2];
	struct net_port_counters counters;

	fake_port_open(&more, lan->sw, "more/net0", 4, 0);
	fake_port_open(&csum, lan->sw, "csum/net0", 5, NET_ACCEPTS_CSUM);
	fake_port_open(&down, lan->sw, "down/net0", 6, NET_ACCEPTS_NOTHING);
	build_tcp(lan, 2000, 20, false); /* two batches of segments */
	fake_frame(&frames[0], &rest[0], small[0], 60, broadcast, lan->a.mac);
	frames[1] = lan->frame;
	fake_frame(&frames[2], &rest[1], small[1], 60, broadcast, lan->a.mac);
	switch_input(lan->a.port, frames, 3);
	for (unsigned i = 0; i < 3; i++) {
		const struct fake_port *port = i == 0 ? &lan->plain : i == 1 ? &more : &csum;

		assert_int_equal(port->count, 1 + 97 + 1);
		assert_int_equal(port->calls, 1 + 2 + 1);
		assert_int_equal(port->flushes, 1);
		assert_int_equal(port->kept[0].size, 60);
		assert_int_equal(port->kept[98].size, 60);
		check_kept(lan, port, 1, 97);
	}
	assert_true(more.first_call < lan->plain.last_call);
	assert_int_equal(lan->able.calls, 1);
	assert_int_equal(lan->able.count, 3);

	assert_int_equal(down.calls, 0);
	assert_int_equal(down.flushes, 0);
	switch_port_counters(down.port, &counters);
	assert_int_equal(counters.drops[NET_DROP_LINK_DOWN], 3);
	assert_int_equal(counters.tx_frames, 0);
	switch_port_accepts(down.port, 0);
	switch_input(lan->a.port, frames, 3);
	assert_int_equal(down.count, 99);
	fake_port_close(&more);
	fake_port_close(&csum);
	fake_port_close(&down);
}

/* To one receiver: what is refused for a link that is down is the frame, not its segments. */
static void a_frame_to_a_link_that_is_down_is_not_segmented(void **state)
{
	struct lan *lan = *state;
	struct net_port_counters counters;

	switch_port_accepts(lan->plain.port, NET_ACCEPTS_NOTHING);
	build_tcp(lan, 65000, 1448, false);
	memcpy(lan->data, lan->plain.mac, NET_MAC_SIZE);
	switch_input(lan->a.port, &lan->frame, 1);
	switch_port_counters(lan->plain.port, &counters);
	assert_int_equal(counters.drops[NET_DROP_LINK_DOWN], 1);
	assert_int_equal(lan->plain.calls, 0);
	assert_int_equal(lan->able.calls, 0);
}

static void segments_without_room_are_counted(void **state)
{
	struct lan *lan = *state;
	struct net_port_counters counters;

	lan->plain.room = 2;
	build_tcp(lan, 65000, 1448, false);
	switch_input(lan->a.port, &lan->frame, 1);
	switch_port_counters(lan->plain.port, &counters);
	assert_int_equal(counters.tx_frames, 2);
	assert_int_equal(counters.drops[NET_DROP_NO_BUFFER], 43);
}

/* A mixed burst keeps its order. */
static void order_is_kept_around_resolved_frames(void **state)
{
	struct lan *lan = *state;
	struct net_frame frames[3];
	uint8_t small[2][60] = { { 0 } };
	struct iovec rest[2];

	build_tcp(lan, 3000, 1448, false);
	fake_frame(&frames[0], &rest[0], small[0], 60, broadcast, lan->a.mac);
	frames[1] = lan->frame;
	fake_frame(&frames[2], &rest[1], small[1], 60, broadcast, lan->a.mac);
	switch_input(lan->a.port, frames, 3);
	assert_int_equal(lan->able.count, 3);
	assert_int_equal(lan->able.calls, 1);
	assert_int_equal(lan->plain.count, 5);
	assert_int_equal(lan->plain.kept[0].size, 60);
	assert_int_equal(lan->plain.kept[1].size, 1514);
	assert_int_equal(lan->plain.kept[4].size, 60);
}

static void requests_that_do_not_fit_are_refused(void **state)
{
	struct lan *lan = *state;
	struct net_port_counters counters;
	unsigned refused = 0;

#define REFUSED(change) do { \
		build_tcp(lan, 3000, 1448, false); \
		change; \
		switch_input(lan->a.port, &lan->frame, 1); \
		refused++; \
	} while (0)
	REFUSED(lan->frame.offload.gso_size = 0);
	REFUSED(lan->frame.offload.gso_size = 1);
	REFUSED(lan->frame.offload.gso_size = (3000 - 66) / OFFLOAD_SEGMENTS_MAX);
	REFUSED(lan->frame.offload.gso_type = 3);
	REFUSED(lan->frame.offload.gso_type = 5);
	REFUSED(lan->frame.offload.gso_type = NET_GSO_TCPV6);
	REFUSED(lan->frame.offload.gso_type = NET_GSO_ECN);
	REFUSED(lan->frame.offload.csum_start = 33);
	REFUSED(lan->frame.offload.csum_start = 38);
	REFUSED(lan->frame.offload.csum_start = 65535);
	REFUSED(lan->frame.offload.csum_offset = 6);
	REFUSED(lan->frame.offload.csum_offset = 65535);
	REFUSED(lan->frame.offload.flags = 0);
	REFUSED(lan->data[14] = 0x44);
	REFUSED(lan->data[14] = 0x65);
	REFUSED(lan->data[23] = 17);
	REFUSED(lan->data[12] = 0x86);
	REFUSED(lan->data[46] = 4 << 4);
	REFUSED(lan->frame.size = lan->frame.head_size = 45);
	REFUSED(lan->frame.size = lan->frame.head_size = 20);
#undef REFUSED
	switch_port_counters(lan->a.port, &counters);
	assert_int_equal(counters.drops[NET_DROP_BAD_OFFLOAD], refused);
	assert_int_equal(lan->plain.count, 0);
	assert_int_equal(lan->able.count, 0);
}

/* Any request on any bytes: no access outside (for the sanitizers), no endless loop. */
static void random_requests_do_no_harm(void **state)
{
	struct lan *lan = *state;
	unsigned seed = 1;

	lan->plain.room = lan->able.room = 0;
	for (int i = 0; i < 20000; i++) {
		build_tcp(lan, 60 + (unsigned)rand_r(&seed) % 3000,
			  (uint16_t)(rand_r(&seed) % 2000), i & 1);
		for (int k = 0; k < 2; k++)
			lan->data[12 + rand_r(&seed) % 60] = (uint8_t)rand_r(&seed);
		if (i % 3 == 0)
			lan->frame.offload.csum_start = (uint16_t)(rand_r(&seed) % 200);
		if (i % 5 == 0)
			lan->frame.offload.csum_offset = (uint16_t)(rand_r(&seed) % 200);
		if (i % 7 == 0)
			lan->frame.offload.gso_type = (uint8_t)(rand_r(&seed) % 8);
		switch_input(lan->a.port, &lan->frame, 1);
	}
}

#define LAN_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAN_TEST(a_checksum_is_finished_only_for_ports_that_need_it),
		LAN_TEST(a_checksum_of_zero_is_sent_as_ones),
		LAN_TEST(verified_checksums_are_news_only_to_ports_that_know_them),
		LAN_TEST(large_tcp_frames_are_segmented),
		LAN_TEST(a_port_that_takes_checksums_alone_gets_segments),
		LAN_TEST(a_flood_is_segmented_once_for_all_receivers),
		LAN_TEST(a_frame_to_a_link_that_is_down_is_not_segmented),
		LAN_TEST(segments_without_room_are_counted),
		LAN_TEST(order_is_kept_around_resolved_frames),
		LAN_TEST(requests_that_do_not_fit_are_refused),
		LAN_TEST(random_requests_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

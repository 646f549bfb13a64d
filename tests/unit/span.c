/* Ports that get copies of what others send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "fake_port.h"
#include "net/switch/switch_private.h"

static const uint8_t broadcast[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static uint64_t drops(const struct fake_port *fake, enum net_verdict verdict)
{
	struct net_port_counters counters;

	switch_port_counters(fake->port, &counters);
	return counters.drops[verdict];
}

static void set(struct fake_port *fake, struct net_port_settings settings)
{
	struct cause cause;

	assert_int_equal(switch_port_set(fake->port, &settings, &cause), 0);
}

/* c is the one that watches. */
static struct fake_lan *watched(void **state, enum net_span span)
{
	struct fake_lan *lan = *state;

	set(&lan->c, (struct net_port_settings){ .span = span });
	return lan;
}

static void it_has_each_frame_once(void **state)
{
	struct fake_lan *lan = watched(state, NET_SPAN_ALL);

	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	fake_send(&lan->b, lan->a.mac, lan->b.mac, 1514);
	fake_send(&lan->a, broadcast, lan->a.mac, 70);
	assert_int_equal(lan->b.count, 2);
	assert_int_equal(lan->a.count, 1);
	assert_int_equal(lan->c.count, 3);
	assert_int_equal(lan->c.kept[1].size, 1514);
	assert_memory_equal(lan->c.kept[1].data, lan->a.kept[0].data, 1514);
	assert_true(atomic_load(&lan->c.flushes) >= 3);
	/* A receiver without room has been sent it all the same. */
	lan->b.room = lan->b.count;
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	assert_int_equal(lan->c.count, 4);
	assert_int_equal(drops(&lan->b, NET_DROP_NO_BUFFER), 1);
}

static void it_has_nothing_else_and_sends_nothing(void **state)
{
	struct fake_lan *lan = watched(state, NET_SPAN_MIRRORED);

	fake_send(&lan->a, lan->c.mac, lan->a.mac, 60);
	fake_send(&lan->a, broadcast, lan->a.mac, 60);
	fake_send(&lan->c, broadcast, lan->c.mac, 60);
	fake_send(&lan->c, lan->a.mac, lan->c.mac, 60);
	assert_int_equal(lan->c.count, 0);
	assert_int_equal(lan->a.count, 0);
	assert_int_equal(lan->b.count, 1);
	assert_int_equal(drops(&lan->c, NET_DROP_SPAN), 3);
	set(&lan->c, (struct net_port_settings){ .span = NET_SPAN_NO });
	fake_send(&lan->a, lan->c.mac, lan->a.mac, 60);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	fake_send(&lan->c, lan->a.mac, lan->c.mac, 60);
	assert_int_equal(lan->c.count, 1);
	assert_int_equal(lan->a.count, 1);
}

static void it_has_what_is_mirrored(void **state)
{
	static const struct {
		enum net_mirror mirror;
		unsigned in, out, flood; /* copies of what b gets, sends, and gets with others */
	} rows[] = {
		{ NET_MIRROR_NO, 0, 0, 0 },
		{ NET_MIRROR_IN, 1, 0, 1 },
		{ NET_MIRROR_OUT, 0, 1, 0 },
		{ NET_MIRROR_BOTH, 1, 1, 1 },
	};
	struct fake_lan *lan = watched(state, NET_SPAN_MIRRORED);

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		set(&lan->b, (struct net_port_settings){ .mirror = rows[i].mirror });
		fake_port_clear(&lan->c);
		fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
		assert_int_equal(lan->c.count, rows[i].in);
		fake_port_clear(&lan->c);
		fake_send(&lan->b, lan->a.mac, lan->b.mac, 60);
		assert_int_equal(lan->c.count, rows[i].out);
		fake_port_clear(&lan->c);
		fake_send(&lan->a, broadcast, lan->a.mac, 60);
		assert_int_equal(lan->c.count, rows[i].flood);
	}
	/* Both ends are mirrored, and there is one copy. */
	set(&lan->a, (struct net_port_settings){ .mirror = NET_MIRROR_BOTH });
	fake_port_clear(&lan->c);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	assert_int_equal(lan->c.count, 1);
}

static void what_may_not_be_sent_is_not_copied(void **state)
{
	struct fake_lan *lan = watched(state, NET_SPAN_ALL);

	fake_send(&lan->a, lan->b.mac, lan->b.mac, 60); /* forged */
	fake_send(&lan->a, lan->b.mac, broadcast, 60);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 13);
	assert_int_equal(lan->c.count, 0);
	set(&lan->a, (struct net_port_settings){ .link = NET_LINK_DOWN });
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	assert_int_equal(lan->c.count, 0);
	assert_int_equal(drops(&lan->a, NET_DROP_FORGED), 1);
}

static void its_vlans_restrict_it(void **state)
{
	struct fake_lan *lan = watched(state, NET_SPAN_ALL);
	struct net_port_settings trunk = { .trunk.bits[0] = 1ull << 10 };
	static uint8_t tagged[64] = { [12] = 0x81, [15] = 10, [16] = 0x88, 0xb5 };
	struct net_frame frame;
	struct iovec rest;

	set(&lan->a, trunk);
	set(&lan->b, (struct net_port_settings){ .vlan = 10 });
	fake_frame(&frame, &rest, tagged, sizeof(tagged), lan->b.mac, lan->a.mac);
	switch_input(lan->a.port, &frame, 1);
	/* As it was sent: with its tag. */
	assert_int_equal(lan->c.count, 1);
	assert_int_equal(lan->c.kept[0].size, sizeof(tagged));
	assert_memory_equal(lan->c.kept[0].data, tagged, sizeof(tagged));
	assert_int_equal(lan->b.kept[0].size, sizeof(tagged) - 4);
	set(&lan->c, (struct net_port_settings){ .span = NET_SPAN_ALL, .vlan = 11 });
	switch_input(lan->a.port, &frame, 1);
	assert_int_equal(lan->c.count, 1);
	trunk.span = NET_SPAN_ALL;
	set(&lan->c, trunk);
	switch_input(lan->a.port, &frame, 1);
	assert_int_equal(lan->c.count, 2);
	assert_int_equal(lan->b.count, 3);
}

static void offloads_are_finished_for_it(void **state)
{
	struct fake_lan *lan = watched(state, NET_SPAN_ALL);
	static uint8_t data[54 + 3000];
	struct net_frame frame;
	struct fake_port d;
	struct iovec rest;

	fake_port_open(&d, lan->sw, "d/net0", 4, NET_ACCEPTS_CSUM | NET_ACCEPTS_TSO4);
	fake_frame(&frame, &rest, data, sizeof(data), d.mac, lan->a.mac);
	put_be16(data + 12, 0x0800);
	data[14] = 0x45;
	data[14 + 9] = 6;
	data[34 + 12] = 0x50;
	frame.offload = (struct net_offload){ .flags = NET_OFFLOAD_NEEDS_CSUM,
					      .gso_type = NET_GSO_TCPV4, .header_size = 54,
					      .gso_size = 1000, .csum_start = 34,
					      .csum_offset = 16 };
	switch_input(lan->a.port, &frame, 1);
	assert_int_equal(d.count, 1);
	assert_int_equal(d.kept[0].size, sizeof(data));
	assert_int_equal(lan->c.count, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(lan->c.kept[i].size, 1054);
		assert_int_equal(lan->c.kept[i].offload.flags, 0);
	}
	fake_port_close(&d);
}

/* A frame that stays with its sender is copied when it goes on, and waits for no copy. */
static void what_stays_is_copied_when_it_goes_on(void **state)
{
	struct fake_lan *lan = watched(state, NET_SPAN_ALL);
	static uint8_t data[2][64];
	struct net_frame frames[2];
	struct iovec rests[2];
	struct net_stay stay;

	lan->b.port->ops.resumes = true;
	lan->b.room = 1;
	for (unsigned i = 0; i < 2; i++)
		fake_frame(&frames[i], &rests[i], data[i], 64, lan->b.mac, lan->a.mac);
	assert_int_equal(switch_send(lan->a.port, frames, 2, &stay), 2);
	assert_int_equal(lan->c.count, 1);
	lan->b.room = 2;
	lan->c.room = 1;
	switch_offer_again(lan->a.port);
	assert_int_equal(switch_send(lan->a.port, frames + 1, 1, &stay), 0);
	assert_int_equal(lan->b.count, 2);
	assert_int_equal(lan->c.count, 1);
	assert_int_equal(drops(&lan->c, NET_DROP_NO_BUFFER), 1);
}

static void it_may_go(void **state)
{
	struct fake_lan *lan = watched(state, NET_SPAN_ALL);
	unsigned calls;

	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	assert_int_equal(lan->c.count, 1);
	fake_port_close(&lan->c);
	calls = atomic_load(&lan->c.intruded);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	assert_int_equal(atomic_load(&lan->c.intruded), calls);
	assert_int_equal(atomic_load(&lan->sw->spans), 0);
	fake_port_open(&lan->c, lan->sw, "c/net0", 3, 0);
	fake_send(&lan->a, broadcast, lan->a.mac, 60);
	assert_int_equal(lan->c.count, 1);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fake_lan_setup, fake_lan_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_has_each_frame_once),
		TEST(it_has_nothing_else_and_sends_nothing),
		TEST(it_has_what_is_mirrored),
		TEST(what_may_not_be_sent_is_not_copied),
		TEST(its_vlans_restrict_it),
		TEST(offloads_are_finished_for_it),
		TEST(what_stays_is_copied_when_it_goes_on),
		TEST(it_may_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What ports of a switch are set to, and what that does to frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "fake_port.h"
#include "net/switch/switch_private.h"

static const uint8_t broadcast[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static uint64_t drops(const struct fake_port *fake, enum net_verdict verdict)
{
	struct net_port_counters counters;

	switch_port_counters(fake->port, &counters);
	return counters.drops[verdict];
}

static void set(struct fake_port *fake, const struct net_port_settings *settings)
{
	struct cause cause;

	assert_int_equal(switch_port_set(fake->port, settings, &cause), 0);
}

static void a_port_whose_link_is_down_neither_sends_nor_receives(void **state)
{
	const struct net_port_settings down = { .link = NET_LINK_DOWN }, up = { 0 };
	struct fake_lan *lan = *state;

	set(&lan->b, &down);
	assert_int_equal(lan->b.links, 1);
	assert_false(lan->b.up);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	fake_send(&lan->a, broadcast, lan->a.mac, 60);
	assert_int_equal(lan->b.calls, 0);
	assert_int_equal(lan->c.count, 1);
	assert_int_equal(drops(&lan->b, NET_DROP_LINK_DOWN), 2);
	fake_send(&lan->b, lan->a.mac, lan->b.mac, 60);
	fake_send(&lan->b, broadcast, lan->b.mac, 60);
	assert_int_equal(lan->a.count, 0);
	assert_int_equal(lan->c.count, 1);
	assert_int_equal(drops(&lan->b, NET_DROP_LINK_DOWN), 4);
	/* It is told of changes alone. */
	set(&lan->b, &down);
	assert_int_equal(lan->b.links, 1);
	set(&lan->b, &up);
	assert_int_equal(lan->b.links, 2);
	assert_true(lan->b.up);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	fake_send(&lan->b, lan->a.mac, lan->b.mac, 60);
	assert_int_equal(lan->a.count, 1);
	assert_int_equal(lan->b.count, 1);
}

static void a_port_is_set_from_the_beginning(void **state)
{
	const struct net_port_settings down = { .link = NET_LINK_DOWN };
	struct fake_lan *lan = *state;
	struct switch_port_info info[3];

	fake_port_close(&lan->b);
	fake_port_open_set(&lan->b, lan->sw, "b/net0", 2, &down);
	assert_int_equal(lan->b.links, 1);
	assert_false(lan->b.up);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	assert_int_equal(drops(&lan->b, NET_DROP_LINK_DOWN), 1);
	assert_int_equal(switch_list_ports(lan->sw, info, 3), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(info[i].settings.link,
				 strcmp(info[i].name, "b/net0") ? NET_LINK_UP : NET_LINK_DOWN);
}

static void ports_are_set_by_their_names(void **state)
{
	struct net_port_settings settings = { .link = NET_LINK_DOWN };
	struct fake_lan *lan = *state;
	struct cause cause;

	assert_int_equal(network_set_port(lan->network, "b/net0", &settings, &cause), 0);
	settings.link = NET_LINK_UP;
	assert_int_equal(network_get_port(lan->network, "b/net0", &settings, &cause), 0);
	assert_int_equal(settings.link, NET_LINK_DOWN);
	assert_int_equal(network_get_port(lan->network, "a/net0", &settings, &cause), 0);
	assert_int_equal(settings.link, NET_LINK_UP);
	assert_true(network_get_port(lan->network, "b/net1", &settings, &cause) < 0);
	assert_non_null(strstr(cause.text, "did you mean '"));
	assert_true(network_set_port(lan->network, "nobody/of-this-name", &settings, &cause) < 0);
	assert_non_null(strstr(cause.text, "there is none"));
}

/* --- frames that are impaired --- */

static uint64_t clock_now;

static uint64_t fake_now(void)
{
	return clock_now;
}

/* The lan's time stands still but for what the tests let go by. */
static struct late *stop_time(struct fake_lan *lan)
{
	clock_now = NS_PER_S;
	lan->sw->set->late.now = fake_now;
	return &lan->sw->set->late;
}

static void pass_time(struct late *late, uint64_t ns)
{
	clock_now += ns;
	late_run(late);
}

static void frames_are_delayed_to_the_nanosecond(void **state)
{
	struct net_port_settings settings = { 0 };
	struct fake_lan *lan = *state;
	struct late *late = stop_time(lan);
	unsigned flushes;

	settings.impairments[NET_WAY_IN].delay = 20 * NS_PER_MS;
	set(&lan->b, &settings);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	pass_time(late, 5 * NS_PER_MS);
	fake_send(&lan->a, broadcast, lan->a.mac, 1514);
	assert_int_equal(lan->c.count, 1);
	flushes = lan->b.flushes;
	pass_time(late, 15 * NS_PER_MS - 1);
	assert_int_equal(lan->b.count, 0);
	assert_int_equal(late_run(late), NS_PER_S + 20 * NS_PER_MS);
	pass_time(late, 1);
	assert_int_equal(lan->b.count, 1);
	assert_int_equal(lan->b.kept[0].size, 60);
	pass_time(late, 5 * NS_PER_MS);
	assert_int_equal(lan->b.count, 2);
	assert_int_equal(lan->b.kept[1].size, 1514);
	for (uint32_t i = 14; i < 1514; i++)
		assert_int_equal(lan->b.kept[1].data[i], (uint8_t)i);
	assert_int_equal(lan->b.flushes, flushes + 2);
	/* What it sends itself is not. */
	fake_send(&lan->b, lan->a.mac, lan->b.mac, 60);
	assert_int_equal(lan->a.count, 1);
	assert_int_equal(late_run(late), LANE_NEVER);
}

static void what_a_port_sends_is_delayed(void **state)
{
	struct net_port_settings settings = { 0 };
	struct fake_lan *lan = *state;
	struct late *late = stop_time(lan);
	struct net_port_counters counters;

	settings.impairments[NET_WAY_OUT].delay = 20 * NS_PER_MS;
	settings.impairments[NET_WAY_OUT].duplicate = NET_SHARE_ALL;
	set(&lan->b, &settings);
	for (unsigned i = 0; i < 100; i++)
		fake_send(&lan->b, lan->a.mac, lan->b.mac, 60 + i);
	pass_time(late, 20 * NS_PER_MS - 1);
	assert_int_equal(lan->a.count, 0);
	pass_time(late, 1);
	assert_int_equal(lan->a.count, 200);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(lan->a.kept[i].size, 60 + i / 2);
	switch_port_counters(lan->b.port, &counters);
	assert_int_equal(counters.rx_frames, 200);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	assert_int_equal(lan->b.count, 1);
}

static void zero_really_removes_it(void **state)
{
	struct net_port_settings settings = { 0 };
	struct fake_lan *lan = *state;
	struct late *late = stop_time(lan);

	for (unsigned way = 0; way < NET_WAYS; way++)
		settings.impairments[way].delay = NS_PER_S;
	set(&lan->b, &settings);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	fake_send(&lan->b, lan->a.mac, lan->b.mac, 60);
	memset(&settings, 0, sizeof(settings));
	set(&lan->b, &settings);
	pass_time(late, 0);
	assert_int_equal(lan->a.count, 1);
	assert_int_equal(lan->b.count, 1);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	fake_send(&lan->b, lan->a.mac, lan->b.mac, 60);
	assert_int_equal(lan->a.count, 2);
	assert_int_equal(lan->b.count, 2);
}

static void losses_are_counted_and_so_is_the_limit(void **state)
{
	struct net_port_settings settings = { 0 };
	struct switch_port_info info[3];
	struct fake_lan *lan = *state;
	struct late *late = stop_time(lan);
	unsigned n = 0;

	settings.impairments[NET_WAY_OUT].loss = NET_SHARE_ALL;
	settings.impairments[NET_WAY_IN].delay = NS_PER_S;
	settings.impairments[NET_WAY_IN].limit = 3;
	set(&lan->b, &settings);
	for (unsigned i = 0; i < 5; i++) {
		fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
		fake_send(&lan->b, lan->a.mac, lan->b.mac, 60);
	}
	pass_time(late, NS_PER_S);
	assert_int_equal(lan->a.count, 0);
	assert_int_equal(lan->b.count, 3);
	assert_int_equal(drops(&lan->b, NET_DROP_LOST), 5);
	assert_int_equal(drops(&lan->b, NET_DROP_LIMIT), 2);
	assert_int_equal(switch_list_ports(lan->sw, info, 3), 3);
	while (strcmp(info[n].name, "b/net0"))
		n++;
	assert_int_equal(info[n].impaired[NET_WAY_OUT].lost, 5);
	assert_int_equal(info[n].impaired[NET_WAY_IN].delayed, 3);
	assert_int_equal(info[n].impaired[NET_WAY_IN].over_limit, 2);
}

static void corruption_turns_one_bit_and_keeps_the_order(void **state)
{
	struct net_port_settings settings = { 0 };
	struct fake_lan *lan = *state;
	struct late *late = stop_time(lan);
	unsigned wrong = 0;

	settings.impairments[NET_WAY_IN].corrupt = NET_SHARE_ALL / 2;
	settings.impairments[NET_WAY_IN].seed = 1;
	set(&lan->b, &settings);
	for (unsigned i = 0; i < 100; i++)
		fake_send(&lan->a, lan->b.mac, lan->a.mac, 100 + i);
	pass_time(late, 0);
	assert_int_equal(lan->b.count, 100);
	for (unsigned i = 0; i < 100; i++) {
		unsigned bits = 0;

		assert_int_equal(lan->b.kept[i].size, 100 + i);
		for (uint32_t at = 14; at < 100 + i; at++)
			bits += (unsigned)__builtin_popcount(lan->b.kept[i].data[at] ^
							     (uint8_t)at);
		assert_in_range(bits, 0, 1);
		wrong += bits;
	}
	assert_in_range(wrong, 30, 70);
}

static void what_finds_no_room_waits_in_order(void **state)
{
	struct net_port_settings settings = { 0 };
	struct fake_lan *lan = *state;
	struct late *late = stop_time(lan);

	settings.impairments[NET_WAY_IN].duplicate = 1;
	set(&lan->b, &settings);
	lan->b.room = 2;
	for (unsigned i = 0; i < 5; i++)
		fake_send(&lan->a, lan->b.mac, lan->a.mac, 60 + i);
	assert_int_equal(lan->b.count, 2);
	pass_time(late, NS_PER_MS);
	lan->b.room = 4;
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 65);
	pass_time(late, NS_PER_MS);
	assert_int_equal(lan->b.count, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(lan->b.kept[i].size, 60 + i);
	assert_int_equal(drops(&lan->b, NET_DROP_NO_BUFFER), 0);
	/* For half a second. */
	pass_time(late, NS_PER_S);
	assert_int_equal(drops(&lan->b, NET_DROP_NO_BUFFER), 2);
	assert_int_equal(late_run(late), LANE_NEVER);
}

static void what_is_held_goes_with_its_port(void **state)
{
	struct net_port_settings settings = { 0 };
	struct fake_lan *lan = *state;
	struct late *late = stop_time(lan);

	settings.impairments[NET_WAY_IN].delay = NS_PER_MS;
	settings.impairments[NET_WAY_OUT].delay = NS_PER_MS;
	set(&lan->b, &settings);
	set(&lan->c, &settings);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	fake_send(&lan->a, lan->c.mac, lan->a.mac, 61);
	fake_send(&lan->c, lan->b.mac, lan->c.mac, 62);
	fake_send(&lan->b, lan->c.mac, lan->b.mac, 63);
	fake_port_close(&lan->b);
	pass_time(late, NS_PER_MS); /* c's goes out, and is flooded */
	pass_time(late, NS_PER_MS);
	assert_int_equal(atomic_load(&lan->b.intruded), 0);
	assert_int_equal(lan->c.count, 1);
	fake_port_close(&lan->a);
	pass_time(late, NS_PER_S);
	assert_int_equal(lan->c.kept[0].size, 61);
	assert_int_equal(lan->c.count, 1);
}

/* What it could take unfinished is finished, so that what is lost is what is on a cable. */
static void offloads_are_finished_before(void **state)
{
	static uint8_t data[14 + 40 + 3000];
	struct net_port_settings settings = { 0 };
	struct fake_lan *lan = *state;
	struct fake_port d;
	struct net_frame frame;
	struct iovec rest;

	fake_port_open(&d, lan->sw, "d/net0", 4, NET_ACCEPTS_CSUM | NET_ACCEPTS_TSO4);
	memset(data, 0, sizeof(data));
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
	stop_time(lan);
	settings.impairments[NET_WAY_IN].duplicate = 1;
	set(&d, &settings);
	switch_input(lan->a.port, &frame, 1);
	assert_int_equal(d.count, 4);
	memset(&settings, 0, sizeof(settings));
	set(&d, &settings);
	settings.impairments[NET_WAY_OUT].duplicate = 1;
	set(&lan->a, &settings);
	switch_input(lan->a.port, &frame, 1);
	assert_int_equal(d.count, 7);
	for (unsigned i = 1; i < 7; i++) {
		assert_int_equal(d.kept[i].size, 1054);
		assert_int_equal(d.kept[i].offload.flags, 0);
	}
	fake_port_close(&d);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fake_lan_setup, fake_lan_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_port_whose_link_is_down_neither_sends_nor_receives),
		TEST(a_port_is_set_from_the_beginning),
		TEST(ports_are_set_by_their_names),
		TEST(frames_are_delayed_to_the_nanosecond),
		TEST(what_a_port_sends_is_delayed),
		TEST(zero_really_removes_it),
		TEST(losses_are_counted_and_so_is_the_limit),
		TEST(corruption_turns_one_bit_and_keeps_the_order),
		TEST(what_finds_no_room_waits_in_order),
		TEST(what_is_held_goes_with_its_port),
		TEST(offloads_are_finished_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

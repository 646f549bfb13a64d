/* What ports of a switch are set to, and what that does to frames. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/checked.h"
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

/* As a guest that is reset leaves and comes back. */
static void what_people_set_outlives_a_port(void **state)
{
	const struct net_port_settings profile = { .mtu = 1000 };
	struct net_port_settings settings;
	struct net_port_kept *kept = NULL;
	struct fake_lan *lan = *state;
	struct cause cause;

	fake_port_close(&lan->b);
	for (unsigned i = 0; i < 2; i++) { /* its profile's are no one's wish */
		fake_port_open_kept(&lan->b, lan->sw, "b/net0", 2, &profile, &kept);
		fake_port_close(&lan->b);
		assert_null(kept);
	}
	fake_port_open_kept(&lan->b, lan->sw, "b/net0", 2, &profile, &kept);
	assert_int_equal(network_get_port(lan->network, "b/net0", &settings, &cause), 0);
	settings.link = NET_LINK_DOWN;
	assert_int_equal(network_set_port(lan->network, "b/net0", &settings, &cause), 0);
	for (unsigned i = 0; i < 2; i++) {
		fake_port_close(&lan->b);
		fake_port_open_kept(&lan->b, lan->sw, "b/net0", 2, &profile, &kept);
		assert_false(lan->b.up);
		assert_int_equal(network_get_port(lan->network, "b/net0", &settings, &cause), 0);
		assert_int_equal(settings.link, NET_LINK_DOWN);
		assert_int_equal(settings.mtu, 1000);
	}
	/* That it is plain can be their wish, too. */
	memset(&settings, 0, sizeof(settings));
	assert_int_equal(network_set_port(lan->network, "b/net0", &settings, &cause), 0);
	fake_port_close(&lan->b);
	fake_port_open_kept(&lan->b, lan->sw, "b/net0", 2, &profile, &kept);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 1514);
	assert_int_equal(lan->b.count, 1);
	fake_port_close(&lan->b);
	net_port_kept_free(kept);
	fake_port_open(&lan->b, lan->sw, "b/net0", 2, 0);
}

/* That is what the manual says of each: "It needs". */
static void settings_go_together(void **state)
{
	const struct net_port_settings plain = { 0 };
	const struct {
		struct net_impairment impairment;
		const char *missing; /* NULL: nothing */
	} cases[] = {
		{ { .reorder = 1 }, "reorder: does nothing without %sdelay;" },
		{ { .reorder = 1, .jitter = 1 }, "reorder: does nothing without %sdelay;" },
		{ { .reorder = 1, .delay = 1 }, NULL },
		{ { .distribution = NET_PARETO, .delay = 1 },
		  "distribution: does nothing without %sjitter;" },
		{ { .distribution = NET_PARETO, .jitter = 1 }, NULL },
		{ { .loss_burst = 2, .duplicate = 1 }, "loss_burst: does nothing without %sloss;" },
		{ { .loss_burst = 2, .loss = 1 }, NULL },
		{ { .seed = 1, .limit = 1 }, NULL },
	};
	struct fake_lan *lan = *state;
	struct cause cause;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
		for (unsigned way = 0; way < NET_WAYS; way++) {
			const char *prefix = way == NET_WAY_OUT ? "out_" : "";
			struct net_port_settings settings = { 0 }, is;
			char wanted[128] = "a/net0: ";
			int error;

			settings.impairments[way] = cases[i].impairment;
			set(&lan->a, &plain);
			error = network_set_port(lan->network, "a/net0", &settings, &cause);
			assert_int_equal(error, cases[i].missing ? -EINVAL : 0);
			if (!error)
				continue;
			snprintf(wanted + strlen(wanted), 120, "%s", prefix);
			snprintf(wanted + strlen(wanted), 100, cases[i].missing, prefix);
			assert_memory_equal(cause.text, wanted, strlen(wanted));
			assert_int_equal(network_get_port(lan->network, "a/net0", &is, &cause), 0);
			assert_memory_equal(&is, &plain, sizeof(is));
		}
}

/* One that leads out has none, and the switch's own answers at several. */
static void cards_alone_are_locked_to_an_address(void **state)
{
	const struct net_port_address addresses[] = {
		{ { 0 }, 0 }, { { 0x52, 0x55, 10, 0, 2, 2 }, 0x0a000202 },
	};
	const struct net_port_settings locked = { .lock = NET_LOCK_MAC };
	struct fake_lan *lan = *state;
	struct net_port_settings is;
	struct cause cause;

	set(&lan->a, &locked);
	for (unsigned i = 0; i < ARRAY_SIZE(addresses); i++) {
		fake_port_close(&lan->b);
		fake_port_open_at(&lan->b, lan->sw, "lan/other", &addresses[i], 1);
		assert_int_equal(network_set_port(lan->network, "lan/other", &locked, &cause),
				 -EINVAL);
		assert_non_null(strstr(cause.text, "lan/other: lock: is for cards of guests"));
		assert_int_equal(network_get_port(lan->network, "lan/other", &is, &cause), 0);
		assert_int_equal(is.lock, NET_LOCK_NO);
	}
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
	assert_int_equal(switch_lost(lan->sw), 2); /* a's to b, and b's */
	pass_time(late, NS_PER_MS); /* c's goes out, and is flooded */
	pass_time(late, NS_PER_MS);
	assert_int_equal(atomic_load(&lan->b.intruded), 0);
	assert_int_equal(lan->c.count, 1);
	fake_send(&lan->a, lan->c.mac, lan->a.mac, 64);
	fake_port_close(&lan->a);
	assert_int_equal(switch_lost(lan->sw), 3);
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

/* --- VLANs --- */

#define VLAN(n) { .vlan = (n) }

static void allow(struct net_port_settings *settings, uint32_t vlan)
{
	settings->trunk.bits[vlan / 64] |= 1ull << vlan % 64;
}

/* The same as fake_send(), with tags before the type. */
static void send_tagged(struct fake_port *from, const uint8_t *to, uint32_t size,
			const uint16_t *tags, unsigned count)
{
	static uint8_t data[2048];
	struct net_frame frame;
	struct iovec rest;

	for (uint32_t i = 12; i < size; i++)
		data[i] = (uint8_t)i;
	for (unsigned i = 0; i < count; i++) {
		put_be16(data + 12 + 4 * i, 0x8100);
		put_be16(data + 14 + 4 * i, tags[i]);
	}
	put_be16(data + 12 + 4 * count, 0x88b5);
	fake_frame(&frame, &rest, data, size, to, from->mac);
	switch_input(from->port, &frame, 1);
}

static void ports_of_one_vlan_reach_each_other(void **state)
{
	const struct net_port_settings ten = VLAN(10), twenty = VLAN(20);
	struct fake_lan *lan = *state;
	struct fake_port d;

	fake_port_open_set(&d, lan->sw, "d/net0", 4, &ten);
	set(&lan->a, &ten);
	set(&lan->b, &twenty);
	fake_send(&lan->a, broadcast, lan->a.mac, 60);
	assert_int_equal(d.count, 1);
	fake_send(&lan->a, d.mac, lan->a.mac, 60);
	assert_int_equal(d.count, 2);
	/* Nobody else has it, whatever address it has; also not those that are in none. */
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	fake_send(&lan->a, lan->c.mac, lan->a.mac, 60);
	fake_send(&lan->c, broadcast, lan->c.mac, 60);
	fake_send(&lan->c, lan->a.mac, lan->c.mac, 60);
	assert_int_equal(lan->a.count, 0);
	assert_int_equal(lan->b.count, 0);
	assert_int_equal(lan->c.count, 0);
	assert_int_equal(d.count, 4);
	/* It has left its VLAN, which the table does not know yet. */
	set(&d, &twenty);
	fake_send(&d, broadcast, d.mac, 60);
	assert_int_equal(lan->b.count, 1);
	fake_send(&lan->a, d.mac, lan->a.mac, 60);
	assert_int_equal(d.count, 4);
	/* An address is its card's in each of them. */
	fake_send(&lan->b, broadcast, lan->c.mac, 60);
	assert_int_equal(drops(&lan->b, NET_DROP_FORGED), 1);
	fake_port_close(&d);
}

static void vlans_are_counted(void **state)
{
	const struct net_port_settings ten = VLAN(10);
	struct net_port_settings trunk = VLAN(0);
	struct fake_lan *lan = *state;
	struct switch_vlan_info vlans[3];
	const uint16_t eleven = 11, other = 12;

	assert_int_equal(switch_list_vlans(lan->sw, vlans, 3), 0);
	allow(&trunk, 11);
	set(&lan->a, &ten);
	set(&lan->b, &trunk);
	fake_send(&lan->a, broadcast, lan->a.mac, 60); /* nobody else is in it */
	fake_send(&lan->a, broadcast, lan->a.mac, 100);
	fake_send(&lan->a, broadcast, lan->b.mac, 100); /* forged */
	fake_send(&lan->b, broadcast, lan->b.mac, 60); /* in none */
	fake_send(&lan->c, broadcast, lan->c.mac, 60);
	send_tagged(&lan->b, broadcast, 64, &eleven, 1);
	send_tagged(&lan->b, broadcast, 64, &other, 1); /* of which it is not */
	assert_int_equal(switch_list_vlans(lan->sw, vlans, 3), 2);
	assert_int_equal(vlans[0].vlan, 10);
	assert_int_equal(vlans[0].frames, 2);
	assert_int_equal(vlans[0].bytes, 160);
	assert_int_equal(vlans[1].vlan, 11);
	assert_int_equal(vlans[1].frames, 1);
	assert_int_equal(vlans[1].bytes, 60);
}

static void one_address_is_in_several_vlans(void **state)
{
	const struct net_port_settings ten = VLAN(10), twenty = VLAN(20);
	struct fake_lan *lan = *state;
	struct switch_mac_info macs[16];
	struct fake_port d;
	uint8_t mac[NET_MAC_SIZE];
	size_t count, found = 0;

	fake_port_open_set(&d, lan->sw, "d/net0", 4, &twenty);
	set(&lan->a, &ten);
	set(&lan->b, &ten);
	set(&lan->c, &twenty);
	fake_mac(mac, 77); /* behind a in one, behind c in the other */
	fake_send(&lan->a, broadcast, mac, 60);
	fake_send(&lan->c, broadcast, mac, 60);
	fake_port_clear(&d);
	fake_send(&lan->b, mac, lan->b.mac, 60);
	fake_send(&d, mac, d.mac, 61);
	assert_int_equal(lan->a.count, 1);
	assert_int_equal(lan->a.kept[0].size, 60);
	assert_int_equal(lan->c.count, 1);
	assert_int_equal(lan->c.kept[0].size, 61);
	count = switch_list_macs(lan->sw, macs, 16);
	for (size_t i = 0; i < count; i++) {
		if (memcmp(macs[i].mac, mac, sizeof(mac)))
			continue;
		assert_string_equal(macs[i].port, macs[i].vlan == 10 ? "a/net0" : "c/net0");
		found++;
	}
	assert_int_equal(found, 2);
	fake_port_close(&d);
}

/* One of fake_send()'s, of that size, with a tag. */
static void assert_tag(const struct fake_frame *frame, uint32_t size, uint16_t tag)
{
	assert_int_equal(frame->size, size + 4);
	assert_int_equal(get_be16(frame->data + 12), 0x8100);
	assert_int_equal(get_be16(frame->data + 14), tag);
	assert_int_equal(get_be16(frame->data + 16), 0x88b5);
	for (uint32_t i = 14; i < size; i++)
		assert_int_equal(frame->data[4 + i], (uint8_t)i);
}

static void trunks_have_tags(void **state)
{
	struct net_port_settings trunk = VLAN(5);
	const struct net_port_settings ten = VLAN(10), five = VLAN(5);
	const uint16_t in_ten = 10, urgent = 0xe00a, in_nine = 9, native = 5, priority = 0x6000;
	struct fake_lan *lan = *state;
	struct fake_port d;
	unsigned sizes[] = { 60, 124, 128, 129, 1514 };

	allow(&trunk, 10);
	fake_port_open_set(&d, lan->sw, "d/net0", 4, &trunk);
	set(&lan->a, &ten);
	set(&lan->b, &five);
	set(&lan->c, &trunk);
	/* From one without tags to two trunks, whatever is in its head. */
	for (unsigned i = 0; i < 5; i++) {
		fake_send(&lan->a, broadcast, lan->a.mac, sizes[i]);
		fake_send(&lan->a, lan->c.mac, lan->a.mac, sizes[i]); /* which is not known yet */
		assert_int_equal(lan->c.count, 2);
		assert_tag(&lan->c.kept[0], sizes[i], 10);
		assert_tag(&d.kept[1], sizes[i], 10);
		fake_port_clear(&lan->c);
		fake_port_clear(&d);
	}
	assert_int_equal(lan->b.count, 0);
	/* Back, with a priority, which trunks keep. */
	for (unsigned i = 0; i < 5; i++) {
		send_tagged(&lan->c, broadcast, sizes[i], &urgent, 1);
		assert_int_equal(lan->a.kept[i].size, sizes[i] - 4);
		assert_int_equal(get_be16(lan->a.kept[i].data + 12), 0x88b5);
		for (uint32_t at = 14; at < sizes[i] - 4; at++)
			assert_int_equal(lan->a.kept[i].data[at], (uint8_t)(at + 4));
		assert_int_equal(d.kept[i].size, sizes[i]);
		assert_int_equal(get_be16(d.kept[i].data + 14), urgent);
	}
	fake_port_clear(&d);
	/* The one without tags, with its own tag, and with a priority alone. */
	fake_send(&lan->c, broadcast, lan->c.mac, 60);
	send_tagged(&lan->c, broadcast, 64, &native, 1);
	send_tagged(&lan->c, broadcast, 64, &priority, 1);
	assert_int_equal(lan->b.count, 3);
	assert_int_equal(d.count, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(lan->b.kept[i].size, 60);
		assert_int_equal(d.kept[i].size, 60);
	}
	/* One that it is not in; and one of others at a port that is no trunk. */
	send_tagged(&lan->c, broadcast, 64, &in_nine, 1);
	assert_int_equal(drops(&lan->c, NET_DROP_VLAN), 1);
	send_tagged(&lan->b, broadcast, 64, &in_ten, 1);
	assert_int_equal(drops(&lan->b, NET_DROP_VLAN), 1);
	assert_int_equal(lan->a.count, 5);
	fake_port_close(&d);
}

static void nobody_hops_into_a_vlan_by_tags(void **state)
{
	struct net_port_settings trunk = VLAN(0), native = VLAN(5);
	const struct net_port_settings five = VLAN(5);
	const uint16_t one = 10, two[] = { 5, 10 };
	struct fake_lan *lan = *state;

	allow(&trunk, 10);
	allow(&native, 10);
	/* From a port that is in none: its tag would be one on the trunk. */
	set(&lan->c, &trunk);
	send_tagged(&lan->a, broadcast, 64, &one, 1);
	assert_int_equal(lan->b.count, 1); /* as it is */
	assert_int_equal(lan->b.kept[0].size, 64);
	assert_int_equal(lan->c.count, 0);
	assert_int_equal(drops(&lan->c, NET_DROP_VLAN), 1);
	/* From a port of the trunk's native one, behind the tag of that. */
	set(&lan->a, &five);
	set(&lan->c, &native);
	send_tagged(&lan->a, lan->c.mac, 64, two, 2);
	assert_int_equal(lan->c.count, 0);
	assert_int_equal(drops(&lan->c, NET_DROP_VLAN), 2);
}

/* 14 to 17 bytes of a type that says that there is one. */
static void a_tag_that_is_cut_is_none(void **state)
{
	struct net_port_settings trunk = VLAN(0);
	struct fake_lan *lan = *state;
	static uint8_t data[17];
	struct net_frame frame;
	struct iovec rest;

	allow(&trunk, 10);
	set(&lan->c, &trunk);
	for (uint32_t size = 14; size <= sizeof(data); size++) {
		put_be16(data + 12, 0x8100);
		if (size > 15)
			put_be16(data + 14, 10);
		fake_frame(&frame, &rest, data, size, broadcast, lan->c.mac);
		switch_input(lan->c.port, &frame, 1);
		assert_int_equal(drops(&lan->c, NET_DROP_SHORT), size - 13);
		assert_int_equal(lan->a.count, 0);
		/* From one that looks at no tags it goes to those that do not, either. */
		fake_frame(&frame, &rest, data, size, broadcast, lan->b.mac);
		switch_input(lan->b.port, &frame, 1);
		assert_int_equal(lan->a.count, 1);
		assert_int_equal(drops(&lan->c, NET_DROP_VLAN), size - 13);
		fake_port_clear(&lan->a);
	}
	assert_int_equal(lan->c.count, 0);
}

/* Neither where it comes in nor where it goes out. */
static void corruption_changes_no_vlan(void **state)
{
	struct net_port_settings trunk = VLAN(0), ten = VLAN(10);
	struct fake_lan *lan = *state;
	struct late *late = stop_time(lan);
	const uint16_t tag = 10;

	for (unsigned way = 0; way < NET_WAYS; way++)
		trunk.impairments[way] = (struct net_impairment){ .corrupt = NET_SHARE_ALL, .seed = 1 };
	for (uint32_t vlan = 1; vlan < NET_VLAN_MAX; vlan++)
		allow(&trunk, vlan);
	set(&lan->c, &trunk);
	set(&lan->a, &ten);
	for (unsigned i = 0; i < 200; i++) {
		send_tagged(&lan->c, lan->a.mac, 20, &tag, 1);
		fake_send(&lan->a, lan->c.mac, lan->a.mac, 20);
		pass_time(late, 1);
	}
	assert_int_equal(lan->a.count, 200);
	assert_int_equal(lan->c.count, 200);
	for (unsigned i = 0; i < 200; i++) {
		assert_int_equal(get_be16(lan->c.kept[i].data + 12), 0x8100);
		assert_int_equal(get_be16(lan->c.kept[i].data + 14), 10);
		assert_int_equal(get_be16(lan->a.kept[i].data + 12), 0x88b5);
	}
}

/* What is held for a port is of the VLANs that it was in. */
static void another_vlan_gets_nothing_of_before(void **state)
{
	struct net_port_settings ten = VLAN(10), late_ten = VLAN(10), other = VLAN(20);
	struct net_port_settings none = VLAN(0);
	struct fake_lan *lan = *state;
	struct late *late = stop_time(lan);

	set(&lan->a, &ten);
	late_ten.impairments[NET_WAY_IN].delay = NS_PER_MS;
	other.impairments[NET_WAY_IN].delay = NS_PER_MS;
	allow(&none, 10);
	set(&lan->b, &late_ten);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	set(&lan->b, &other);
	pass_time(late, NS_PER_S);
	assert_int_equal(lan->b.count, 0);
	assert_int_equal(drops(&lan->b, NET_DROP_VLAN), 1);
	/* As a trunk it would find no tag; and zero lets what is held go at once. */
	set(&lan->b, &late_ten);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	set(&lan->b, &none);
	pass_time(late, NS_PER_S);
	assert_int_equal(lan->b.count, 0);
	assert_int_equal(drops(&lan->b, NET_DROP_VLAN), 2);
	/* Another delay is no other VLAN. */
	set(&lan->b, &late_ten);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	late_ten.impairments[NET_WAY_IN].delay = 2 * NS_PER_MS;
	set(&lan->b, &late_ten);
	pass_time(late, NS_PER_S);
	assert_int_equal(lan->b.count, 1);
}

static void offloads_know_of_tags(void **state)
{
	static uint8_t data[18 + 40 + 3000];
	struct net_port_settings trunk = VLAN(0);
	const struct net_port_settings ten = VLAN(10);
	const struct net_offload offload = { .flags = NET_OFFLOAD_NEEDS_CSUM,
					     .gso_type = NET_GSO_TCPV4, .header_size = 58,
					     .gso_size = 1000, .csum_start = 38,
					     .csum_offset = 16 };
	struct fake_lan *lan = *state;
	struct fake_port d;
	struct net_frame frame;
	struct iovec rest;

	allow(&trunk, 10);
	fake_port_open(&d, lan->sw, "d/net0", 4, NET_ACCEPTS_CSUM | NET_ACCEPTS_TSO4);
	set(&lan->a, &trunk);
	set(&lan->b, &ten);
	set(&d, &trunk);
	memset(data, 0, sizeof(data));
	fake_frame(&frame, &rest, data, sizeof(data), broadcast, lan->a.mac);
	put_be16(data + 12, 0x8100);
	put_be16(data + 14, 10);
	put_be16(data + 16, 0x0800);
	data[18] = 0x45;
	data[18 + 9] = 6;
	data[38 + 12] = 0x50;
	frame.offload = offload;
	switch_input(lan->a.port, &frame, 1);
	assert_int_equal(d.count, 1);
	assert_int_equal(d.kept[0].size, sizeof(data));
	assert_memory_equal(&d.kept[0].offload, &offload, sizeof(offload));
	assert_memory_equal(d.kept[0].data, data, sizeof(data));
	assert_int_equal(lan->b.count, 3);
	assert_int_equal(lan->b.kept[0].size, 54 + 1000);
	assert_int_equal(get_be16(lan->b.kept[0].data + 12), 0x0800);
	/* Headers that would begin within the tag. */
	frame.offload.csum_start = 16;
	switch_input(lan->a.port, &frame, 1);
	assert_int_equal(drops(&lan->a, NET_DROP_BAD_OFFLOAD), 1);
	fake_port_close(&d);
}

/* A trunk that tells when it has room has frames stay as others do, and gets them with tags. */
static void frames_stay_for_a_trunk(void **state)
{
	struct net_port_settings trunk = VLAN(0);
	const struct net_port_settings ten = VLAN(10);
	const uint16_t tag = 10;
	static uint8_t data[3][64];
	struct net_stay stay = { .share = 100 };
	struct fake_lan *lan = *state;
	struct net_frame frames[3];
	struct iovec rests[3];

	allow(&trunk, 10);
	set(&lan->a, &ten);
	set(&lan->b, &trunk);
	send_tagged(&lan->b, broadcast, 64, &tag, 1);
	lan->b.port->ops.resumes = true;
	lan->b.room = 1;
	for (unsigned i = 0; i < 3; i++)
		fake_frame(&frames[i], &rests[i], data[i], 60 + i, lan->b.mac, lan->a.mac);
	assert_int_equal(switch_send(lan->a.port, frames, 3, &stay), 6);
	assert_int_equal(lan->b.count, 1);
	lan->b.room = 3;
	switch_offer_again(lan->a.port);
	assert_int_equal(switch_send(lan->a.port, frames + 1, 2, &stay), 0);
	assert_int_equal(lan->b.count, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(lan->b.kept[i].size, 64 + i);
		assert_int_equal(get_be16(lan->b.kept[i].data + 14), 10);
	}
	assert_int_equal(drops(&lan->b, NET_DROP_NO_BUFFER), 0);
}

/* --- the rest --- */

static void private_ports_reach_the_others_alone(void **state)
{
	const struct net_port_settings private = { .private = true };
	struct fake_lan *lan = *state;

	set(&lan->a, &private);
	set(&lan->b, &private);
	fake_send(&lan->a, broadcast, lan->a.mac, 60);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	assert_int_equal(lan->b.count, 0);
	assert_int_equal(lan->c.count, 1);
	assert_int_equal(drops(&lan->b, NET_DROP_PRIVATE), 1);
	fake_send(&lan->c, broadcast, lan->c.mac, 60);
	fake_send(&lan->b, lan->c.mac, lan->b.mac, 60);
	assert_int_equal(lan->a.count, 1);
	assert_int_equal(lan->b.count, 1);
	assert_int_equal(lan->c.count, 2);
}

static void floods_have_a_limit(void **state)
{
	const struct net_port_settings settings = { .storm_limit = 3 };
	struct fake_lan *lan = *state;

	stop_time(lan);
	set(&lan->a, &settings);
	for (unsigned i = 0; i < 10; i++) {
		fake_send(&lan->a, broadcast, lan->a.mac, 60);
		fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	}
	assert_int_equal(lan->c.count, 3);
	assert_int_equal(lan->b.count, 13);
	assert_int_equal(drops(&lan->a, NET_DROP_STORM), 7);
	clock_now += NS_PER_S;
	fake_send(&lan->a, broadcast, lan->a.mac, 60);
	assert_int_equal(lan->c.count, 4);
}

static void long_packets_are_dropped_both_ways(void **state)
{
	struct net_port_settings settings = { .mtu = 1000 };
	const uint16_t ten = 10;
	struct fake_lan *lan = *state;

	allow(&settings, ten);
	set(&lan->a, &settings);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 1014);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 1015);
	send_tagged(&lan->a, broadcast, 1018, &ten, 1);
	send_tagged(&lan->a, broadcast, 1019, &ten, 1);
	assert_int_equal(lan->b.count, 1);
	assert_int_equal(drops(&lan->a, NET_DROP_LONG), 2);
	fake_send(&lan->b, lan->a.mac, lan->b.mac, 1015);
	fake_send(&lan->b, broadcast, lan->b.mac, 1014);
	fake_send(&lan->b, broadcast, lan->b.mac, 1015);
	assert_int_equal(lan->a.count, 1);
	assert_int_equal(lan->c.count, 2);
	assert_int_equal(drops(&lan->a, NET_DROP_LONG), 4);
}

static void a_locked_port_has_one_address(void **state)
{
	const struct net_port_settings settings = { .lock = NET_LOCK_MAC };
	struct fake_lan *lan = *state;
	uint8_t mac[NET_MAC_SIZE];

	fake_mac(mac, 77);
	set(&lan->a, &settings);
	fake_send(&lan->a, broadcast, mac, 60);
	assert_int_equal(lan->b.count, 0);
	assert_int_equal(drops(&lan->a, NET_DROP_FORGED), 1);
	fake_send(&lan->a, broadcast, lan->a.mac, 60);
	assert_int_equal(lan->b.count, 1);
	/* Nothing was learned of it. */
	fake_send(&lan->b, mac, lan->b.mac, 60);
	assert_int_equal(lan->a.count, 1);
	assert_int_equal(lan->c.count, 2);
}

/* An IPv4 packet or an ARP request from that address, behind so many tags. */
static void send_from(struct fake_port *from, uint16_t type, uint32_t ip, unsigned tags)
{
	static uint8_t data[80];
	struct net_frame frame;
	struct iovec rest;
	unsigned at = 12 + 4 * tags;

	memset(data, 0, sizeof(data));
	for (unsigned i = 0; i < tags; i++)
		put_be16(data + 12 + 4 * i, i ? 0x8100 : 0x88a8);
	put_be16(data + at, type);
	put_be32(data + at + 2 + (type == 0x0806 ? 14 : 12), ip);
	fake_frame(&frame, &rest, data, sizeof(data), broadcast, from->mac);
	switch_input(from->port, &frame, 1);
}

static void a_locked_port_has_one_ip_address(void **state)
{
	const struct net_port_settings settings = { .lock = NET_LOCK_MAC_IP };
	struct fake_lan *lan = *state;

	set(&lan->a, &settings);
	/* Before it has one: DHCP, and the question of ARP whether somebody has it. */
	send_from(&lan->a, 0x0800, 0, 0);
	send_from(&lan->a, 0x0806, 0, 0);
	send_from(&lan->a, 0x86dd, 0, 0);
	assert_int_equal(lan->b.count, 3);
	send_from(&lan->a, 0x0806, 0x0a000005, 0);
	send_from(&lan->a, 0x0800, 0x0a000005, 0);
	assert_int_equal(lan->b.count, 5);
	for (unsigned tags = 0; tags < 3; tags++) {
		send_from(&lan->a, 0x0806, 0x0a000006, tags);
		send_from(&lan->a, 0x0800, 0x0a000006, tags);
		send_from(&lan->a, 0x0800, 0x0a000005, tags);
	}
	assert_int_equal(lan->b.count, 8);
	assert_int_equal(drops(&lan->a, NET_DROP_FORGED), 6);
	/* What DHCP gives it counts. */
	switch_name_address(lan->a.port, NET_PORTS_MAX, 0x0a000007);
	send_from(&lan->a, 0x0800, 0x0a000005, 0);
	send_from(&lan->a, 0x0800, 0x0a000007, 0);
	assert_int_equal(lan->b.count, 9);
}

static void a_port_has_a_limit_of_addresses(void **state)
{
	const struct net_port_settings settings = { .macs = 3 };
	struct fake_lan *lan = *state;
	struct switch_mac_info macs[16];
	uint8_t mac[NET_MAC_SIZE];

	fake_port_close(&lan->a);
	fake_port_open_set(&lan->a, lan->sw, "a/net0", 1, &settings);
	for (unsigned i = 0; i < 10; i++) {
		fake_mac(mac, 70 + i);
		fake_send(&lan->a, broadcast, mac, 60);
	}
	assert_int_equal(lan->b.count, 10);
	/* One of them is its own, which has not been seen. */
	assert_int_equal(switch_list_macs(lan->sw, macs, 16), 2);
}

/* --- under traffic --- */

struct traffic {
	struct fake_lan *lan;
	atomic_bool over;
};

static void *send_on(void *arg)
{
	struct traffic *traffic = arg;
	struct fake_lan *lan = traffic->lan;

	while (!atomic_load(&traffic->over)) {
		fake_send(&lan->a, broadcast, lan->a.mac, 60);
		fake_send(&lan->a, lan->b.mac, lan->a.mac, 200);
	}
	return NULL;
}

static void *release_on(void *arg)
{
	struct traffic *traffic = arg;

	while (!atomic_load(&traffic->over))
		late_run(&traffic->lan->sw->set->late);
	return NULL;
}

static void settings_change_under_traffic(void **state)
{
	struct net_port_settings settings = { 0 };
	struct fake_lan *lan = *state;
	struct traffic traffic = { .lan = lan };
	pthread_t sender, releaser;

	atomic_init(&traffic.over, false);
	lan->b.room = lan->c.room = 100;
	assert_int_equal(pthread_create(&sender, NULL, send_on, &traffic), 0);
	assert_int_equal(pthread_create(&releaser, NULL, release_on, &traffic), 0);
	for (unsigned i = 0; i < 300; i++) {
		struct fake_port *port = i % 3 == 0 ? &lan->a : i % 3 == 1 ? &lan->b : &lan->c;

		memset(&settings, 0, sizeof(settings));
		settings.vlan = i / 3 % 2 * 10;
		settings.impairments[i / 6 % 2].delay = i / 12 % 2 * NS_PER_US;
		settings.impairments[i / 6 % 2].loss = 100000;
		set(port, &settings);
		if (i % 50 == 10) {
			fake_port_close(&lan->c);
			assert_int_equal(atomic_load(&lan->c.intruded), 0);
			fake_port_open(&lan->c, lan->sw, "c/net0", 3, 0);
			lan->c.room = 100;
		}
	}
	atomic_store(&traffic.over, true);
	pthread_join(sender, NULL);
	pthread_join(releaser, NULL);
}

/* What the limit refuses takes none of the line's time. */
static void a_rate_is_kept_under_overload(void **state)
{
	struct net_port_settings settings = { 0 };
	struct fake_lan *lan = *state;
	struct late *late = stop_time(lan);

	settings.impairments[NET_WAY_IN].rate = 10000000; /* a frame of 1250 bytes a ms */
	set(&lan->b, &settings);
	for (unsigned second = 0; second < 3; second++) {
		unsigned passed = 0;

		for (unsigned ms = 0; ms < 1000; ms++) {
			for (unsigned i = 0; i < 10; i++)
				fake_send(&lan->a, lan->b.mac, lan->a.mac, 1250);
			pass_time(late, NS_PER_MS);
			passed += lan->b.count;
			fake_port_clear(&lan->b);
		}
		assert_in_range(passed, 990, 1010);
	}
	/* And nothing comes for longer than the limit's frames take. */
	assert_true(late_run(late) - clock_now <= NS_PER_MS);
	for (unsigned ms = 0; ms <= NET_LIMIT_STANDARD; ms++) {
		pass_time(late, NS_PER_MS);
		fake_port_clear(&lan->b);
	}
	assert_int_equal(late_run(late), LANE_NEVER);
}

/* A port's own address is known in its VLAN, however few others it may have. */
static void a_limit_of_addresses_leaves_its_own(void **state)
{
	struct net_port_settings settings = { .vlan = 10, .macs = 1 };
	struct fake_lan *lan = *state;

	set(&lan->b, &settings);
	settings.macs = 0;
	set(&lan->a, &settings);
	set(&lan->c, &settings);
	fake_send(&lan->b, broadcast, lan->b.mac, 60);
	fake_port_clear(&lan->c);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	assert_int_equal(lan->b.count, 1);
	assert_int_equal(lan->c.count, 0);
}

/* The last two bytes are such that the sum of all from start on, which goes there, is wanted. */
static void choose_sum(uint8_t *data, unsigned start, uint32_t wanted)
{
	uint32_t sum = 0;

	for (unsigned i = start; i < 58; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = ((0xffffu & ~wanted) + 0xffff - sum) % 0xffff;
	data[58] = (uint8_t)(sum >> 8);
	data[59] = (uint8_t)sum;
}

/* A sum is put into the frame behind the look at its addresses. */
static void a_checksum_makes_no_address(void **state)
{
	static const uint8_t arp[] = { 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 2 };
	struct net_port_settings settings = { .lock = NET_LOCK_MAC_IP };
	struct fake_lan *lan = *state;
	uint8_t data[64] = { 0 };
	struct net_frame frame;
	struct iovec rest;

	set(&lan->a, &settings);
	memcpy(data + 12, arp, sizeof(arp));
	memcpy(data + 22, lan->a.mac, 6);
	data[28] = 10;
	data[31] = 5; /* its own, 10.0.0.5 */
	fake_frame(&frame, &rest, data, 60, broadcast, lan->a.mac);
	switch_input(lan->a.port, &frame, 1);
	assert_int_equal(lan->b.count, 1);
	for (unsigned start = 6; start <= 30; start += 2) {
		choose_sum(data, start, 0x0063);
		frame.offload = (struct net_offload){ .flags = NET_OFFLOAD_NEEDS_CSUM,
						      .csum_start = (uint16_t)start };
		switch_input(lan->a.port, &frame, 1);
	}
	assert_int_equal(lan->b.count, 1);
	assert_int_equal(drops(&lan->a, NET_DROP_BAD_OFFLOAD), 13);
}

/* What waits for a port is let go by what that is set to by then, in the VLAN that it came in. */
static void a_backlog_heeds_settings(void **state)
{
	struct net_port_settings trunk = { .vlan = 5 }, access = { .vlan = 10 };
	struct net_port_settings down = { .link = NET_LINK_DOWN }, plain = { 0 };
	struct fake_lan *lan = *state;
	uint8_t data[64] = { 0 };
	struct net_frame frame;
	struct iovec rest;

	lan->a.port->keeps_backlog = true;
	lan->b.room = 0;
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	set(&lan->b, &down);
	lan->b.room = 100;
	assert_false(switch_retry(lan->a.port));
	assert_int_equal(lan->b.count, 0);
	assert_int_equal(drops(&lan->b, NET_DROP_LINK_DOWN), 1);

	set(&lan->b, &plain);
	trunk.trunk.bits[0] = 1 << 10;
	set(&lan->a, &trunk);
	set(&lan->b, &access);
	fake_send(&lan->b, broadcast, lan->b.mac, 60);
	lan->b.room = 0;
	memcpy(data + 12, "\x81\0\0\x0a\x08", 5);
	fake_frame(&frame, &rest, data, 60, lan->b.mac, lan->a.mac);
	memcpy(data + 12, "\x81\0\0\x0a\x08", 5);
	switch_input(lan->a.port, &frame, 1);
	assert_true(switch_waits(lan->a.port));
	lan->b.room = 100;
	assert_false(switch_retry(lan->a.port));
	assert_int_equal(lan->b.count, 1);

	/* One that waits without its tag is none for what is a trunk by then, nor the other way. */
	trunk = (struct net_port_settings){ .vlan = 7 };
	allow(&trunk, 10);
	for (unsigned i = 0; i < 2; i++) {
		lan->b.room = 1;
		switch_input(lan->a.port, &frame, 1);
		assert_true(switch_waits(lan->a.port));
		set(&lan->b, i ? &access : &trunk);
		lan->b.room = 100;
		assert_false(switch_retry(lan->a.port));
		assert_int_equal(lan->b.count, 1);
		assert_int_equal(drops(&lan->b, NET_DROP_VLAN), i + 1);
	}
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fake_lan_setup, fake_lan_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_port_whose_link_is_down_neither_sends_nor_receives),
		TEST(a_port_is_set_from_the_beginning),
		TEST(ports_are_set_by_their_names),
		TEST(what_people_set_outlives_a_port),
		TEST(settings_go_together),
		TEST(cards_alone_are_locked_to_an_address),
		TEST(frames_are_delayed_to_the_nanosecond),
		TEST(what_a_port_sends_is_delayed),
		TEST(zero_really_removes_it),
		TEST(losses_are_counted_and_so_is_the_limit),
		TEST(corruption_turns_one_bit_and_keeps_the_order),
		TEST(what_finds_no_room_waits_in_order),
		TEST(what_is_held_goes_with_its_port),
		TEST(offloads_are_finished_before),
		TEST(ports_of_one_vlan_reach_each_other),
		TEST(vlans_are_counted),
		TEST(one_address_is_in_several_vlans),
		TEST(trunks_have_tags),
		TEST(nobody_hops_into_a_vlan_by_tags),
		TEST(a_tag_that_is_cut_is_none),
		TEST(corruption_changes_no_vlan),
		TEST(another_vlan_gets_nothing_of_before),
		TEST(offloads_know_of_tags),
		TEST(frames_stay_for_a_trunk),
		TEST(private_ports_reach_the_others_alone),
		TEST(floods_have_a_limit),
		TEST(long_packets_are_dropped_both_ways),
		TEST(a_locked_port_has_one_address),
		TEST(a_locked_port_has_one_ip_address),
		TEST(a_port_has_a_limit_of_addresses),
		TEST(a_rate_is_kept_under_overload),
		TEST(a_limit_of_addresses_leaves_its_own),
		TEST(a_checksum_makes_no_address),
		TEST(a_backlog_heeds_settings),
		TEST(settings_change_under_traffic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

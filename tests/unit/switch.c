/* The switch: learning, flooding, drops, counters, the address table, removal under load. */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "fake_port.h"
#include "net/switch/mac_table.h"
#include "net/switch/switch_private.h"

static const uint8_t broadcast[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static struct net_port_counters counters(const struct fake_port *fake)
{
	struct net_port_counters out;

	switch_port_counters(fake->port, &out);
	return out;
}

static void an_unknown_address_is_flooded_a_learned_one_is_not(void **state)
{
	struct fake_lan *lan = *state;

	uint8_t guest[NET_MAC_SIZE];

	fake_mac(guest, 77); /* behind b */
	fake_send(&lan->a, guest, lan->a.mac, 60);
	assert_int_equal(lan->a.count, 0);
	assert_int_equal(lan->b.count, 1);
	assert_int_equal(lan->c.count, 1);
	fake_send(&lan->b, lan->a.mac, guest, 200);
	assert_int_equal(lan->a.count, 1);
	assert_int_equal(lan->c.count, 1);
	assert_int_equal(lan->a.kept[0].size, 200);
	for (uint32_t i = 14; i < 200; i++)
		assert_int_equal(lan->a.kept[0].data[i], i);
	fake_send(&lan->a, guest, lan->a.mac, 60);
	assert_int_equal(lan->b.count, 2);
	assert_int_equal(lan->c.count, 1);
	assert_int_equal(counters(&lan->a).rx_frames, 2);
	assert_int_equal(counters(&lan->a).rx_bytes, 120);
	assert_int_equal(counters(&lan->a).tx_frames, 1);
	assert_int_equal(counters(&lan->a).tx_bytes, 200);
	assert_int_equal(counters(&lan->b).tx_bytes, 120);
}

static void broadcast_and_multicast_go_to_all_others(void **state)
{
	struct fake_lan *lan = *state;
	const uint8_t group[] = { 1, 0, 0x5e, 0, 0, 0xfb };

	fake_send(&lan->a, broadcast, lan->a.mac, 60);
	fake_send(&lan->a, group, lan->a.mac, 60);
	assert_int_equal(lan->a.count, 0);
	assert_int_equal(lan->b.count, 2);
	assert_int_equal(lan->c.count, 2);
	assert_int_equal(lan->b.flushes, 2);
}

static void a_station_that_moves_is_found_at_its_new_port(void **state)
{
	struct fake_lan *lan = *state;
	uint8_t mac[NET_MAC_SIZE];

	fake_mac(mac, 77);
	fake_send(&lan->a, broadcast, mac, 60);
	fake_send(&lan->b, broadcast, mac, 60);
	fake_port_clear(&lan->a);
	fake_port_clear(&lan->b);
	fake_send(&lan->c, mac, lan->c.mac, 60);
	assert_int_equal(lan->a.count, 0);
	assert_int_equal(lan->b.count, 1);
}

static void a_configured_address_is_its_ports_before_and_after_it_sends(void **state)
{
	struct fake_lan *lan = *state;

	for (unsigned sent = 0; sent < 2; sent++) {
		fake_send(&lan->c, broadcast, lan->b.mac, 60); /* forged */
		assert_int_equal(lan->a.count, sent);
		fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
		assert_int_equal(lan->b.count, sent + 1);
		assert_int_equal(lan->c.count, sent);
		fake_send(&lan->b, broadcast, lan->b.mac, 60);
		assert_int_equal(lan->a.count, sent + 1);
		assert_int_equal(counters(&lan->c).drops[NET_DROP_FORGED], sent + 1);
	}
	assert_int_equal(counters(&lan->b).drops[NET_DROP_FORGED], 0);
	/* It goes with its port, and comes back with it, whoever had it meanwhile. */
	fake_port_close(&lan->b);
	fake_send(&lan->c, broadcast, lan->b.mac, 60);
	assert_int_equal(counters(&lan->c).drops[NET_DROP_FORGED], 2);
	fake_port_open(&lan->b, lan->sw, "b/net0", 2, 0);
	fake_send(&lan->c, broadcast, lan->b.mac, 60);
	assert_int_equal(counters(&lan->c).drops[NET_DROP_FORGED], 3);
	fake_port_clear(&lan->c);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	assert_int_equal(lan->b.count, 1);
	assert_int_equal(lan->c.count, 0);
}

static void send_arp(struct fake_port *from, uint16_t op, uint32_t sender)
{
	uint8_t data[60] = { 0 };
	struct net_frame frame;
	struct iovec rest;

	fake_frame(&frame, &rest, data, sizeof(data), broadcast, from->mac);
	memcpy(data + 12, "\x08\x06\0\1\x08\0\6\4", 8);
	put_be16(data + 20, op);
	memcpy(data + 22, from->mac, NET_MAC_SIZE);
	put_be32(data + 28, sender);
	switch_input(from->port, &frame, 1);
}

static void arp_that_claims_a_guarded_address_is_refused(void **state)
{
	struct fake_lan *lan = *state;
	const struct net_port_address addresses[] = {
		{ .mac = { 0x52, 0x55, 10, 0, 2, 2 }, .ip = 0x0a000202 },
		{ .mac = { 0x52, 0x55, 10, 0, 2, 3 }, .ip = 0x0a000203 },
	};
	struct fake_port gateway = { 0 };

	fake_port_open_at(&gateway, lan->sw, "lan/nat", addresses, 2);
	for (uint32_t ip = 0x0a000202; ip < 0x0a000205; ip++) {
		send_arp(&lan->a, 1, ip);
		send_arp(&lan->a, 2, ip);
		send_arp(&gateway, 2, ip);
	}
	assert_int_equal(counters(&lan->a).drops[NET_DROP_FORGED], 4);
	assert_int_equal(counters(&gateway).drops[NET_DROP_FORGED], 0);
	assert_int_equal(lan->b.count, 5);
	for (unsigned i = 0; i < 2; i++) {
		fake_send(&lan->a, broadcast, addresses[i].mac, 60);
		fake_send(&lan->a, addresses[i].mac, lan->a.mac, 60);
	}
	assert_int_equal(counters(&lan->a).drops[NET_DROP_FORGED], 6);
	assert_int_equal(gateway.count, 2 + 2);
	assert_int_equal(lan->b.count, 5);
	fake_port_close(&gateway);
	send_arp(&lan->a, 1, 0x0a000202);
	assert_int_equal(lan->b.count, 6);
}

static void a_switch_guards_a_number_of_addresses(void **state)
{
	struct fake_lan *lan = *state;
	struct fake_port many[GUARDED_MAX / 2];
	struct net_port_config config = { .name = "more" };
	struct net_port_ops ops = { 0 };
	struct net_port *port;
	struct cause cause;
	char name[16];

	for (unsigned round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < ARRAY_SIZE(many); i++) {
			const struct net_port_address addresses[] = { { .ip = 2 * i + 1 },
								      { .ip = 2 * i + 2 } };

			snprintf(name, sizeof(name), "s%u", i);
			fake_port_open_at(&many[i], lan->sw, name, addresses, 2);
		}
		fake_mac(config.addresses[0].mac, 99);
		config.addresses[0].ip = 99;
		assert_int_equal(switch_port_add(&port, lan->sw, &config, &ops, NULL, &cause),
				 -ENOSPC);
		fake_send(&lan->a, broadcast, config.addresses[0].mac, 60); /* nobody's still */
		for (uint32_t i = 0; i < ARRAY_SIZE(many); i++)
			fake_port_close(&many[i]);
	}
	assert_int_equal(counters(&lan->a).drops[NET_DROP_FORGED], 0);
}

static void bad_frames_are_dropped_and_counted_by_reason(void **state)
{
	struct fake_lan *lan = *state;
	const uint8_t zero[NET_MAC_SIZE] = { 0 }, group[] = { 3, 0, 0, 0, 0, 1 };
	static uint8_t data[NET_FRAME_MAX + 1];
	struct net_frame frame;
	struct iovec rest[NET_REST_MAX + 1] = { 0 };
	uint8_t mac[NET_MAC_SIZE];

	fake_send(&lan->a, broadcast, group, 60);
	fake_send(&lan->a, broadcast, zero, 60);
	assert_int_equal(counters(&lan->a).drops[NET_DROP_BAD_SOURCE], 2);
	fake_frame(&frame, rest, data, 14, broadcast, lan->a.mac);
	frame.size = frame.head_size = 13;
	switch_input(lan->a.port, &frame, 1);
	frame.size = frame.head_size = 0;
	switch_input(lan->a.port, &frame, 1);
	assert_int_equal(counters(&lan->a).drops[NET_DROP_SHORT], 2);
	fake_frame(&frame, rest, data, NET_FRAME_MAX + 1, broadcast, lan->a.mac);
	switch_input(lan->a.port, &frame, 1);
	fake_frame(&frame, rest, data, 300, broadcast, lan->a.mac);
	frame.rest_count = NET_REST_MAX + 1;
	switch_input(lan->a.port, &frame, 1);
	assert_int_equal(counters(&lan->a).drops[NET_DROP_LONG], 2);
	fake_mac(mac, 78);
	fake_send(&lan->a, broadcast, mac, 60);
	fake_send(&lan->a, mac, lan->a.mac, 60);
	fake_send(&lan->a, lan->a.mac, lan->a.mac, 60);
	assert_int_equal(counters(&lan->a).drops[NET_DROP_SAME_PORT], 2);
	fake_frame(&frame, rest, data, 300, broadcast, lan->a.mac);
	frame.offload.gso_type = NET_GSO_TCPV4; /* without a checksum to finish */
	switch_input(lan->a.port, &frame, 1);
	frame.offload = (struct net_offload){ .flags = NET_OFFLOAD_NEEDS_CSUM, .csum_start = 298,
					      .csum_offset = 1 };
	switch_input(lan->a.port, &frame, 1);
	assert_int_equal(counters(&lan->a).drops[NET_DROP_BAD_OFFLOAD], 2);
	assert_int_equal(lan->b.count, 1);
	assert_int_equal(lan->c.count, 1);
	assert_int_equal(counters(&lan->a).rx_frames, 11);
}

static void refusals_are_counted_at_the_receiver(void **state)
{
	struct fake_lan *lan = *state;

	fake_send(&lan->b, broadcast, lan->b.mac, 60);
	fake_port_clear(&lan->a);
	lan->b.room = 1;
	for (int i = 0; i < 3; i++)
		fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	assert_int_equal(counters(&lan->b).tx_frames, 1);
	assert_int_equal(counters(&lan->b).drops[NET_DROP_NO_BUFFER], 2);
	lan->b.down = true;
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	fake_send(&lan->a, broadcast, lan->a.mac, 60);
	assert_int_equal(counters(&lan->b).drops[NET_DROP_LINK_DOWN], 2);
	assert_int_equal(counters(&lan->b).tx_bytes, 60);
	assert_int_equal(counters(&lan->a).drops[NET_DROP_NO_BUFFER], 0);
	assert_int_equal(lan->c.count, 2);
}

static void a_burst_is_handed_over_in_runs_and_flushed_once(void **state)
{
	struct fake_lan *lan = *state;
	static uint8_t data[8][100];
	struct net_frame frames[8];
	struct iovec rest[8];
	const uint8_t *to[] = { lan->b.mac, lan->b.mac, lan->b.mac, lan->c.mac,
				lan->c.mac, lan->b.mac, broadcast,  lan->b.mac };

	fake_send(&lan->b, broadcast, lan->b.mac, 60);
	fake_send(&lan->c, broadcast, lan->c.mac, 60);
	fake_port_clear(&lan->b);
	fake_port_clear(&lan->c);
	for (unsigned i = 0; i < 8; i++) {
		fake_frame(&frames[i], &rest[i], data[i], 100, to[i], lan->a.mac);
		data[i][20] = (uint8_t)i;
	}
	switch_input(lan->a.port, frames, 8);
	assert_int_equal(lan->b.calls, 4);
	assert_int_equal(lan->c.calls, 2);
	assert_int_equal(lan->b.flushes, 1);
	assert_int_equal(lan->c.flushes, 1);
	assert_int_equal(lan->b.count, 6);
	assert_int_equal(lan->c.count, 3);
	for (unsigned i = 1; i < 6; i++) /* in order */
		assert_true(lan->b.kept[i].data[20] > lan->b.kept[i - 1].data[20]);
}

static void names_and_addresses_are_unique(void **state)
{
	struct fake_lan *lan = *state;
	struct net_switch *other = fake_switch(&lan->network, "other");
	struct net_port_ops ops = { 0 };
	struct net_port_config config = { .name = "a/net0" };
	struct switch_config again = { .name = "lan" };
	struct net_switch *sw, *list[4];
	struct net_port *port;
	struct cause cause;
	struct fake_port same;

	assert_int_equal(switch_port_add(&port, other, &config, &ops, NULL, &cause), -EEXIST);
	assert_non_null(strstr(cause.text, "a/net0"));
	config.name = "d/net0";
	fake_mac(config.addresses[0].mac, 1);
	assert_int_equal(switch_port_add(&port, lan->sw, &config, &ops, NULL, &cause), -EEXIST);
	assert_non_null(strstr(cause.text, "02:00:00:00:00:01 is used by a/net0"));
	memcpy(config.addresses[1].mac, config.addresses[0].mac, NET_MAC_SIZE);
	fake_mac(config.addresses[0].mac, 77);
	assert_int_equal(switch_port_add(&port, lan->sw, &config, &ops, NULL, &cause), -EEXIST);
	assert_non_null(strstr(cause.text, "02:00:00:00:00:01 is used by a/net0"));
	fake_port_open(&same, other, "d/net0", 1, 0); /* the same address, on another switch */
	fake_port_close(&same);
	assert_int_equal(switch_new(&sw, lan->network, &again, &cause), -EEXIST);
	assert_non_null(strstr(cause.text, "lan"));
	assert_int_equal(network_list_switches(lan->network, list, 4), 2);
	assert_ptr_equal(list[0], lan->sw);
	assert_ptr_equal(network_find_switch(lan->network, "other"), other);
	assert_null(network_find_switch(lan->network, "none"));
	assert_string_equal(switch_get_config(other)->name, "other");
	switch_free(other);
	assert_int_equal(network_list_switches(lan->network, list, 0), 1);
}

static void an_uplink_comes_with_an_address(void **state)
{
	struct fake_lan *lan = *state;
	struct switch_config config = { .name = "up", .address = 0x0a000202, .prefix = 24 };
	struct dhcp_lease_info lease;
	struct net_switch *sw;
	struct cause cause;

	assert_int_equal(switch_new(&sw, lan->network, &config, &cause), 0);
	assert_int_equal(switch_list_leases(sw, &lease, 1), 1);
	assert_int_equal(switch_list_leases(lan->sw, &lease, 1), 0);
	config = (struct switch_config){ .name = "bad", .address = 0x0a000202, .prefix = 31 };
	assert_int_equal(switch_new(&sw, lan->network, &config, &cause), -EINVAL);
	assert_string_equal(cause.text, "switch bad: prefix 31");
	assert_null(network_find_switch(lan->network, "bad"));
}

static void lists_show_ports_and_addresses(void **state)
{
	struct fake_lan *lan = *state;
	struct switch_port_info ports[4];
	struct switch_mac_info macs[4];

	fake_send(&lan->b, broadcast, lan->b.mac, 60);
	assert_int_equal(switch_list_ports(lan->sw, ports, 2), 3);
	assert_string_equal(ports[1].name, "b/net0");
	assert_string_equal(ports[1].kind, "guest");
	assert_memory_equal(ports[1].mac, lan->b.mac, NET_MAC_SIZE);
	assert_int_equal(ports[1].counters.rx_frames, 1);
	assert_int_equal(switch_list_macs(lan->sw, macs, 4), 1);
	assert_memory_equal(macs[0].mac, lan->b.mac, NET_MAC_SIZE);
	assert_string_equal(macs[0].port, "b/net0");
	fake_port_close(&lan->b);
	assert_int_equal(switch_list_ports(lan->sw, ports, 4), 2);
	assert_int_equal(switch_list_macs(lan->sw, macs, 4), 0);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60); /* unknown now */
	assert_int_equal(lan->c.count, 2);
}

static void receivers_are_told_the_sender_and_that_it_has_gone(void **state)
{
	struct fake_lan *lan = *state;
	struct fake_port other;

	fake_send(&lan->a, broadcast, lan->a.mac, 60);
	fake_send(&lan->b, lan->a.mac, lan->b.mac, 60);
	fake_send(&lan->c, lan->a.mac, lan->c.mac, 60);
	assert_int_equal(lan->a.count, 2);
	assert_int_not_equal(lan->a.kept[0].from, lan->a.kept[1].from);
	assert_true(lan->a.kept[0].from < NET_PORTS_MAX);
	assert_int_equal(lan->b.kept[0].from, lan->c.kept[0].from);

	fake_port_close(&lan->b);
	assert_int_equal(lan->b.forgotten, 0);
	assert_int_equal(lan->a.forgotten, 1);
	assert_int_equal(lan->a.last_forgotten, lan->a.kept[0].from);
	assert_int_equal(lan->c.forgotten, 1);
	fake_port_open(&other, lan->sw, "other/net0", 4, 0);
	fake_send(&other, lan->a.mac, other.mac, 60);
	assert_int_equal(lan->a.kept[2].from, lan->a.last_forgotten);
	assert_int_equal(other.forgotten, 0);
	fake_port_close(&other);
	assert_int_equal(lan->a.forgotten, 2);
}

static void a_switch_takes_its_number_of_ports_and_no_more(void **state)
{
	struct fake_lan *lan = *state;
	struct fake_port *many = calloc(NET_PORTS_MAX, sizeof(*many));
	struct net_port_config config = { .name = "one more" };
	struct net_port_ops ops = { 0 };
	struct net_port *port;
	struct cause cause;
	char name[32];

	for (unsigned i = 3; i < NET_PORTS_MAX; i++) {
		snprintf(name, sizeof(name), "g%u/net0", i);
		fake_port_open(&many[i], lan->sw, name, i + 1, 0);
	}
	assert_int_equal(switch_port_add(&port, lan->sw, &config, &ops, NULL, &cause), -ENOSPC);
	for (unsigned i = 3; i < NET_PORTS_MAX; i++)
		fake_send(&many[i], lan->a.mac, many[i].mac, 60);
	fake_send(&lan->a, broadcast, lan->a.mac, 60);
	fake_port_clear(&lan->a);
	for (unsigned i = 3; i < NET_PORTS_MAX; i++) { /* every one has been learned */
		fake_port_clear(&many[i]);
		fake_send(&lan->a, many[i].mac, lan->a.mac, 60);
		assert_int_equal(many[i].count, 1);
	}
	for (unsigned i = 3; i < NET_PORTS_MAX; i++)
		fake_port_close(&many[i]);
	free(many);
}

static uint64_t mac_number(uint32_t number)
{
	uint8_t bytes[8] = { 2, 1, (uint8_t)(number >> 24), (uint8_t)(number >> 16),
			     (uint8_t)(number >> 8), (uint8_t)number };

	return mac_load(bytes);
}

static void addresses_age(void **state)
{
	struct mac_table table = { 0 };
	struct mac_hint hint = { 0 };

	(void)state;
	assert_int_equal(mac_table_init(&table), 0);
	mac_table_learn(&table, &hint, 42, 7, 1000);
	assert_int_equal(mac_table_find(&table, 42, 1300), 7);
	assert_int_equal(mac_table_find(&table, 42, 1301), MAC_NONE);
	mac_table_learn(&table, &hint, 42, 7, 1200);
	assert_int_equal(mac_table_find(&table, 42, 1500), 7);
	assert_int_equal(mac_table_find(&table, 42, 1199), 7); /* a clock read a little earlier */
	mac_table_forget(&table, 7);
	assert_int_equal(mac_table_find(&table, 42, 1200), MAC_NONE);
	assert_int_equal(table.learned[7], 0);
	mac_table_destroy(&table);
}

static void an_owned_address_is_not_learned_elsewhere(void **state)
{
	struct mac_table table = { 0 };
	struct mac_hint owner = { 0 }, other = { 0 };
	uint64_t mac = mac_number(1), seen;
	uint32_t port, age;
	unsigned listed = 0;

	(void)state;
	assert_int_equal(mac_table_init(&table), 0);
	assert_true(mac_table_learn(&table, &other, mac, 5, 100)); /* nobody's as yet */
	assert_int_equal(mac_table_own(&table, mac, 4, 100), 0);
	assert_int_equal(mac_table_own(&table, mac, 4, 100), 0);
	assert_int_equal(mac_table_own(&table, mac, 5, 100), -EEXIST);
	assert_int_equal(table.learned[5], 0);
	assert_int_equal(table.learned[4], 1);
	for (uint32_t i = 0; i < MAC_ENTRIES; i++)
		listed += mac_table_get(&table, i, 100, &seen, &port, &age);
	assert_int_equal(listed, 0); /* it has not been a source */
	for (uint32_t now = 100; now < 2000; now += 400) {
		assert_false(mac_table_learn(&table, &other, mac, 5, now));
		assert_false(mac_table_learn(&table, &other, mac, 5, now));
		assert_true(mac_table_learn(&table, &owner, mac, 4, now));
		assert_true(mac_table_learn(&table, &owner, mac, 4, now + 1));
		assert_int_equal(mac_table_find(&table, mac, now + 399), 4);
	}
	for (uint32_t i = 0; i < MAC_ENTRIES; i++)
		if (mac_table_get(&table, i, 1710, &seen, &port, &age)) {
			assert_int_equal(seen, mac);
			assert_int_equal(port, 4);
			assert_int_equal(age, 9);
			listed++;
		}
	assert_int_equal(listed, 1);
	mac_table_forget(&table, 4);
	assert_true(mac_table_learn(&table, &other, mac, 5, 2000));
	mac_table_destroy(&table);
}

/* An address, learned and given at the same time, is its owner's in the end. */
struct contest {
	struct mac_table table;
	pthread_barrier_t start, end;
	uint64_t mac;
	bool over;
};

static void *learn_at_once(void *arg)
{
	struct contest *contest = arg;

	for (;;) {
		struct mac_hint hint = { 0 };

		pthread_barrier_wait(&contest->start);
		if (contest->over)
			return NULL;
		for (unsigned i = 0; i < 3; i++)
			mac_table_learn(&contest->table, &hint, contest->mac, 5, 100);
		pthread_barrier_wait(&contest->end);
	}
}

static void learning_does_not_get_ahead_of_owning(void **state)
{
	struct contest contest = { .mac = 0 };
	pthread_t thread;

	(void)state;
	assert_int_equal(mac_table_init(&contest.table), 0);
	pthread_barrier_init(&contest.start, NULL, 2);
	pthread_barrier_init(&contest.end, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, learn_at_once, &contest), 0);
	for (uint32_t i = 0; i < 2000; i++) {
		contest.mac = mac_number(i);
		pthread_barrier_wait(&contest.start);
		assert_int_equal(mac_table_own(&contest.table, contest.mac, 4, 100), 0);
		pthread_barrier_wait(&contest.end);
		assert_int_equal(mac_table_find(&contest.table, contest.mac, 100), 4);
		assert_int_equal(contest.table.learned[5], 0);
		mac_table_forget(&contest.table, 4);
	}
	contest.over = true;
	pthread_barrier_wait(&contest.start);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&contest.start);
	pthread_barrier_destroy(&contest.end);
	mac_table_destroy(&contest.table);
}

static void made_up_addresses_hurt_only_their_port(void **state)
{
	struct mac_table table = { 0 };
	struct mac_hint hints[64] = { 0 }, honest = { 0 };

	(void)state;
	assert_int_equal(mac_table_init(&table), 0);
	mac_table_learn(&table, &honest, mac_number(1), 1, 50);
	for (uint32_t port = 100; port < 164; port++)
		for (uint32_t i = 0; i < 1000; i++)
			mac_table_learn(&table, &hints[port - 100], mac_number(port << 16 | i),
					port, 50);
	for (uint32_t port = 100; port < 164; port++)
		assert_true(table.learned[port] <= MAC_PER_PORT);
	assert_int_equal(mac_table_find(&table, mac_number(1), 50), 1);
	/* An address that a port is given finds a place in the fullest table, and stays. */
	for (uint32_t port = 200; port < 1000; port++)
		assert_int_equal(mac_table_own(&table, mac_number(port), port, 51), 0);
	for (uint32_t port = 200; port < 1000; port++)
		assert_int_equal(mac_table_find(&table, mac_number(port), 51 + MAC_AGE_MAX * 9),
				 port);
	/* What a port made up goes when it is old, and the port can learn again. */
	for (uint32_t i = 0; i < 100; i++)
		mac_table_learn(&table, &hints[0], mac_number(0x70000000 + i), 100, 500);
	assert_int_equal(mac_table_find(&table, mac_number(0x70000001), 500), 100);
	mac_table_destroy(&table);
}

struct told {
	unsigned count;
	uint64_t mac;
	uint32_t from, to;
};

static void take_flaps(void *arg, uint64_t mac, uint32_t from, uint32_t to)
{
	struct told *told = arg;

	told->count++;
	told->mac = mac;
	told->from = from;
	told->to = to;
}

/* Told once a second of one that goes to and fro, not of many that move once. */
static void an_address_that_goes_to_and_fro_is_told(void **state)
{
	struct told told = { 0 };
	struct mac_table table = { .flaps = { .tell = take_flaps, .arg = &told } };
	struct mac_hint hints[2] = { 0 };

	(void)state;
	assert_int_equal(mac_table_init(&table), 0);
	for (unsigned move = 0; move < 2; move++)
		for (unsigned i = 0; i < 200; i++)
			mac_table_learn(&table, &hints[move], mac_number(i), 3 + move, 50);
	assert_int_equal(told.count, 0);
	for (uint32_t now = 51; now < 53; now++) {
		for (unsigned move = 0; move < MAC_FLAPS - 1; move++)
			mac_table_learn(&table, &hints[move % 2], mac_number(7), 3 + move % 2, now);
		assert_int_equal(told.count, now - 51);
		for (unsigned move = 0; move < 1000; move++)
			mac_table_learn(&table, &hints[move % 2], mac_number(7), 3 + move % 2, now);
		assert_int_equal(told.count, now - 50);
		assert_int_equal(told.mac, mac_number(7));
		assert_int_equal(told.from + told.to, 7);
	}
	/* One that is a port's own does not move. */
	assert_int_equal(mac_table_own(&table, mac_number(8), 3, 60), 0);
	for (unsigned move = 0; move < 1000; move++)
		mac_table_learn(&table, &hints[move % 2], mac_number(8), 3 + move % 2, 60);
	assert_int_equal(told.count, 2);
	mac_table_destroy(&table);
}

struct sender {
	struct fake_port *port;
	const uint8_t *to;
	atomic_bool *stop;
};

static void *send_all_the_time(void *arg)
{
	struct sender *sender = arg;
	struct net_frame frames[16];
	struct iovec rest[16];
	uint8_t copy[16][64];

	memset(copy, 0, sizeof(copy));
	for (unsigned i = 0; i < 16; i++)
		fake_frame(&frames[i], &rest[i], copy[i], 64, i % 4 ? sender->to : broadcast,
			   sender->port->mac);
	while (!atomic_load(sender->stop)) {
		switch_input(sender->port->port, frames, 16);
		usleep(10);
	}
	return NULL;
}

static void removal_waits_for_senders(void **state)
{
	struct fake_lan *lan = *state;
	struct fake_port *victim = calloc(1, sizeof(*victim));
	uint8_t to[NET_MAC_SIZE];
	atomic_bool stop = false;
	struct sender senders[] = { { &lan->a, to, &stop }, { &lan->b, to, &stop } };
	pthread_t threads[2];

	fake_mac(to, 9);
	lan->a.room = lan->b.room = lan->c.room = 0;
	for (unsigned i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, send_all_the_time, &senders[i]);
	for (unsigned round = 0; round < 200; round++) {
		fake_port_open(victim, lan->sw, "victim/net0", 9, 0);
		pthread_mutex_lock(&victim->lock);
		victim->room = 8;
		pthread_mutex_unlock(&victim->lock);
		fake_send(victim, broadcast, victim->mac, 60);
		for (unsigned tries = 0; !atomic_load(&victim->flushes) && tries < 1000; tries++)
			usleep(50);
		assert_true(atomic_load(&victim->flushes) > 0);
		fake_port_close(victim);
		assert_int_equal(atomic_load(&victim->intruded), 0);
		memset(victim, 0xee, sizeof(*victim)); /* whoever came late would crash */
	}
	atomic_store(&stop, true);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	free(victim);
}

/* --- a backlog --- */

/* Has port a keep one; b has room for two, and c is known. */
static void keep_backlog(struct fake_lan *lan)
{
	lan->a.port->keeps_backlog = true;
	fake_send(&lan->b, broadcast, lan->b.mac, 60);
	fake_send(&lan->c, broadcast, lan->c.mac, 60);
	fake_port_clear(&lan->b);
	fake_port_clear(&lan->c);
	lan->b.room = 2;
}

static void what_finds_no_room_waits_in_order(void **state)
{
	struct fake_lan *lan = *state;

	keep_backlog(lan);
	for (uint32_t size = 60; size < 65; size++)
		fake_send(&lan->a, lan->b.mac, lan->a.mac, size);
	assert_int_equal(lan->b.count, 2);
	assert_true(switch_waits(lan->a.port));
	assert_int_equal(counters(&lan->b).tx_frames - counters(&lan->c).tx_frames, 2);
	/* Others are not held up, and what is flooded does not wait. */
	fake_send(&lan->a, lan->c.mac, lan->a.mac, 60);
	assert_int_equal(lan->c.count, 1);
	fake_send(&lan->a, broadcast, lan->a.mac, 60);
	assert_int_equal(counters(&lan->b).drops[NET_DROP_NO_BUFFER], 1);
	assert_true(switch_retry(lan->a.port)); /* as full as before */
	assert_int_equal(lan->b.count, 2);

	lan->b.room = 4;
	assert_true(switch_retry(lan->a.port));
	/* There is room by now, but one waits that was sent before. */
	lan->b.room = FAKE_KEPT;
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 65);
	assert_int_equal(lan->b.count, 4);
	assert_false(switch_retry(lan->a.port));
	assert_int_equal(lan->b.count, 6);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(lan->b.kept[i].size, 60 + i);
	assert_memory_equal(lan->b.kept[5].data, lan->b.mac, NET_MAC_SIZE);
	assert_int_equal(counters(&lan->b).drops[NET_DROP_NO_BUFFER], 1);
	assert_false(switch_waits(lan->a.port));
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	assert_int_equal(lan->b.count, 7);
}

static void a_backlog_has_an_end(void **state)
{
	struct fake_lan *lan = *state;

	keep_backlog(lan);
	lan->b.room = 0;
	for (unsigned i = 0; i < WAITING_FRAMES + 3; i++)
		fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	assert_int_equal(counters(&lan->b).drops[NET_DROP_NO_BUFFER], 3);
	usleep(WAITING_TIME / 1000 + 1000);
	assert_false(switch_retry(lan->a.port));
	assert_int_equal(counters(&lan->b).drops[NET_DROP_NO_BUFFER], WAITING_FRAMES + 3);
	for (unsigned i = 0; i < 10; i++)
		fake_send(&lan->a, lan->b.mac, lan->a.mac, WAITING_BYTES / 5);
	assert_int_equal(counters(&lan->b).drops[NET_DROP_NO_BUFFER], WAITING_FRAMES + 3 + 5);
	/* A link that goes down is not waited for. */
	lan->b.down = true;
	assert_false(switch_retry(lan->a.port));
	assert_int_equal(counters(&lan->b).drops[NET_DROP_LINK_DOWN], 5);
	/* What waits for nobody is forgotten with its sender. */
	lan->b.down = false;
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	assert_true(switch_waits(lan->a.port));
}

/* Its slot is another's by then, who is to see nothing of it. */
static void what_waits_for_a_port_goes_with_it(void **state)
{
	struct fake_lan *lan = *state;
	uint32_t slot = lan->b.port->slot;

	keep_backlog(lan);
	lan->b.room = 0;
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	fake_port_close(&lan->b);
	fake_port_open(&lan->b, lan->sw, "d/net0", 4, 0);
	assert_int_equal(lan->b.port->slot, slot);
	assert_false(switch_retry(lan->a.port));
	assert_int_equal(lan->b.count, 0);
	assert_int_equal(counters(&lan->b).tx_frames, 0);
	lan->b.room = 0;
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	fake_port_close(&lan->b);
	assert_false(switch_retry(lan->a.port));
	fake_port_open(&lan->b, lan->sw, "d/net0", 4, 0);
}

static void every_verdict_has_a_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < NET_VERDICT_COUNT; i++)
		assert_string_not_equal(net_verdict_name(i), "unknown");
	assert_string_equal(net_verdict_name(NET_DROP_NO_BUFFER), "no buffer");
	assert_string_equal(net_verdict_name(NET_VERDICT_COUNT), "unknown");
}

#define LAN_TEST(f) cmocka_unit_test_setup_teardown(f, fake_lan_setup, fake_lan_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAN_TEST(an_unknown_address_is_flooded_a_learned_one_is_not),
		LAN_TEST(broadcast_and_multicast_go_to_all_others),
		LAN_TEST(a_station_that_moves_is_found_at_its_new_port),
		LAN_TEST(a_configured_address_is_its_ports_before_and_after_it_sends),
		LAN_TEST(arp_that_claims_a_guarded_address_is_refused),
		LAN_TEST(a_switch_guards_a_number_of_addresses),
		LAN_TEST(bad_frames_are_dropped_and_counted_by_reason),
		LAN_TEST(refusals_are_counted_at_the_receiver),
		LAN_TEST(a_burst_is_handed_over_in_runs_and_flushed_once),
		LAN_TEST(names_and_addresses_are_unique),
		LAN_TEST(an_uplink_comes_with_an_address),
		LAN_TEST(lists_show_ports_and_addresses),
		LAN_TEST(receivers_are_told_the_sender_and_that_it_has_gone),
		LAN_TEST(a_switch_takes_its_number_of_ports_and_no_more),
		cmocka_unit_test(addresses_age),
		cmocka_unit_test(an_owned_address_is_not_learned_elsewhere),
		cmocka_unit_test(learning_does_not_get_ahead_of_owning),
		cmocka_unit_test(made_up_addresses_hurt_only_their_port),
		cmocka_unit_test(an_address_that_goes_to_and_fro_is_told),
		LAN_TEST(removal_waits_for_senders),
		LAN_TEST(what_finds_no_room_waits_in_order),
		LAN_TEST(a_backlog_has_an_end),
		LAN_TEST(what_waits_for_a_port_goes_with_it),
		cmocka_unit_test(every_verdict_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

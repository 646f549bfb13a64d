/* The uplink on the real switch: two guests, one NAT, and everything that is listed. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "net/network.h"

#define GATEWAY 0x0a000202u

struct guest {
	struct net_port *port;
	uint8_t mac[6];
	uint32_t address;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned pongs, arps, acks;
};

/* Counts the answers by kind. Floods (to all, or to a guest that has gone) are not for us. */
static void take_answer(struct guest *guest, const uint8_t *data, uint32_t size)
{
	if (memcmp(data, guest->mac, 6) != 0)
		return;
	if (get_be16(data + 12) == 0x0806)
		guest->arps++;
	else if (data[23] == 1 && data[34] == 0 && size >= 42)
		guest->pongs++;
	else if (data[23] == 17 && get_be16(data + 34) == 67)
		guest->acks++;
}

static unsigned guest_deliver(void *backend, const struct net_frame *const *frames,
			      unsigned count, enum net_verdict *verdicts)
{
	struct guest *guest = backend;

	(void)verdicts;
	pthread_mutex_lock(&guest->lock);
	for (unsigned i = 0; i < count; i++)
		take_answer(guest, frames[i]->head, frames[i]->size);
	pthread_cond_signal(&guest->changed);
	pthread_mutex_unlock(&guest->lock);
	return count;
}

static void guest_flush(void *backend)
{
	(void)backend;
}

static const struct net_port_ops guest_ops = {
	.kind = "guest",
	.deliver = guest_deliver,
	.flush = guest_flush,
};

static void wait_for(struct guest *guest, const unsigned *count, unsigned wanted)
{
	struct timespec until;
	int error = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 60;
	pthread_mutex_lock(&guest->lock);
	while (*count < wanted && !error)
		error = pthread_cond_timedwait(&guest->changed, &guest->lock, &until);
	pthread_mutex_unlock(&guest->lock);
	assert_int_equal(error, 0);
}

static void send_burst(struct guest *guest, uint8_t *data, size_t size, unsigned count)
{
	struct net_frame frames[NET_BURST_MAX];
	struct iovec rest = { 0 };

	memset(frames, 0, sizeof(frames));
	rest.iov_base = data + (size < NET_HEAD_MAX ? size : NET_HEAD_MAX);
	rest.iov_len = size < NET_HEAD_MAX ? 0 : size - NET_HEAD_MAX;
	for (unsigned i = 0; i < count; i++) {
		frames[i].head = data;
		frames[i].size = (uint32_t)size;
		frames[i].head_size = (uint32_t)(size < NET_HEAD_MAX ? size : NET_HEAD_MAX);
		frames[i].rest = &rest;
		frames[i].rest_count = rest.iov_len ? 1 : 0;
	}
	switch_input(guest->port, frames, count);
}

static void start_frame(const struct guest *guest, uint8_t *data, bool broadcast, uint16_t type)
{
	memset(data, 0, 512);
	memcpy(data, broadcast ? "\xff\xff\xff\xff\xff\xff" : "\x52\x55\x0a\0\2\2", 6);
	memcpy(data + 6, guest->mac, 6);
	put_be16(data + 12, type);
}

static void send_arp(struct guest *guest)
{
	uint8_t data[512];

	start_frame(guest, data, true, 0x0806);
	memcpy(data + 14, "\0\1\x08\0\6\4\0\1", 8);
	memcpy(data + 22, guest->mac, 6);
	put_be32(data + 28, guest->address);
	put_be32(data + 38, GATEWAY);
	send_burst(guest, data, 60, 1);
}

static void send_pings(struct guest *guest, unsigned count)
{
	uint8_t data[512];

	start_frame(guest, data, false, 0x0800);
	data[14] = 0x45;
	put_be16(data + 16, 20 + 8 + 200);
	data[22] = 64;
	data[23] = 1;
	put_be32(data + 26, guest->address);
	put_be32(data + 30, GATEWAY);
	put_be16(data + 24, inet_checksum(inet_sum(0, data + 14, 20)));
	data[34] = 8;
	put_be16(data + 36, inet_checksum(inet_sum(0, data + 34, 208)));
	send_burst(guest, data, 242, count);
}

static void send_dhcp_request(struct guest *guest)
{
	uint8_t data[512];

	start_frame(guest, data, true, 0x0800);
	data[14] = 0x45;
	put_be16(data + 16, 20 + 8 + 250);
	data[23] = 17;
	put_be32(data + 30, UINT32_MAX);
	put_be16(data + 34, 68);
	put_be16(data + 36, 67);
	put_be16(data + 38, 8 + 250);
	memcpy(data + 42, "\1\1\6", 3);
	memcpy(data + 70, guest->mac, 6);
	put_be32(data + 278, 0x63825363);
	memcpy(data + 282, "\x35\1\3\x32\4", 5);
	put_be32(data + 287, guest->address);
	data[291] = 0xff;
	send_burst(guest, data, 292, 1);
}

static void *guest_main(void *arg)
{
	struct guest *guest = arg;

	send_dhcp_request(guest);
	wait_for(guest, &guest->acks, 1);
	send_arp(guest);
	wait_for(guest, &guest->arps, 1);
	for (unsigned round = 0; round < 50; round++) {
		send_pings(guest, 8);
		wait_for(guest, &guest->pongs, (round + 1) * 8);
	}
	return NULL;
}

static void check_switch(enum switch_uplink kind)
{
	struct switch_config config = { .name = "lan", .uplink = kind, .address = GATEWAY,
					.prefix = 24 };
	struct guest guests[2];
	struct dhcp_lease_info leases[4];
	struct switch_port_info ports[4];
	struct network *network;
	struct net_switch *sw;
	pthread_t threads[2];

	assert_int_equal(network_new(&network, NULL), 0);
	assert_int_equal(switch_new(&sw, network, &config, NULL), 0);
	memset(guests, 0, sizeof(guests));
	for (unsigned i = 0; i < 2; i++) {
		struct net_port_config port = { .name = i ? "b/net0" : "a/net0" };

		memcpy(guests[i].mac, "\x52\x54\0\0\0", 5);
		guests[i].mac[5] = (uint8_t)(i + 1);
		guests[i].address = 0x0a00020fu + i;
		pthread_mutex_init(&guests[i].lock, NULL);
		pthread_cond_init(&guests[i].changed, NULL);
		memcpy(port.mac, guests[i].mac, 6);
		assert_int_equal(switch_port_add(&guests[i].port, sw, &port, &guest_ops,
						 &guests[i], NULL), 0);
	}
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, guest_main, &guests[i]), 0);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);

	assert_int_equal(switch_list_leases(sw, leases, 4), 2);
	assert_int_equal(leases[0].address, guests[0].address);
	assert_memory_equal(leases[1].mac, guests[1].mac, 6);
	assert_int_equal(switch_list_ports(sw, ports, 4), 3);
	assert_string_equal(ports[0].name, kind == SWITCH_UPLINK_NAT ? "lan/nat" : "lan/dhcp");
	assert_true(ports[0].counters.rx_frames >= 2 * (1 + 1 + 400));

	/* All may go with frames still under way. */
	send_pings(&guests[0], NET_BURST_MAX);
	for (unsigned i = 0; i < 2; i++) {
		switch_port_remove(guests[i].port);
		pthread_mutex_destroy(&guests[i].lock);
		pthread_cond_destroy(&guests[i].changed);
	}
	switch_free(sw);
	network_free(network);
}

static void guests_reach_the_switch(void **state)
{
	(void)state;
	check_switch(SWITCH_UPLINK_NONE);
}

static void guests_reach_the_gateway(void **state)
{
	(void)state;
	check_switch(SWITCH_UPLINK_NAT);
}

static void failures_name_the_switch_once(void **state)
{
	struct switch_config config = { .name = "lan", .uplink = SWITCH_UPLINK_NAT,
					.address = GATEWAY, .prefix = 30 };
	struct network *network;
	struct net_switch *sw;
	struct cause cause;
	const char *name;

	(void)state;
	assert_int_equal(network_new(&network, NULL), 0);
	assert_int_not_equal(switch_new(&sw, network, &config, &cause), 0);
	name = strstr(cause.text, "lan");
	assert_non_null(name);
	assert_null(strstr(name + 1, "switch"));
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guests_reach_the_switch),
		cmocka_unit_test(guests_reach_the_gateway),
		cmocka_unit_test(failures_name_the_switch_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

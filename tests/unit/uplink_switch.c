/* The uplink on the real switch: guests, one NAT, and everything that is listed and captured. */
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "net/capture/capture.h"
#include "net/network.h"
#include "net/port/forward.h"
#include "net/port/thread.h"
#include "net/switch/switch.h"
#include "with_nat.h"

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

static unsigned guest_deliver(void *backend, uint32_t from, const struct net_frame *const *frames,
			      unsigned count, enum net_verdict *verdicts)
{
	struct guest *guest = backend;

	(void)from;
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

/* What the switch says of its NAT, until it begins like that. */
static void wait_for_nat(struct net_switch *sw, const char *wanted)
{
	struct port_field fields[8];

	for (unsigned i = 0; i < 6000; i++) {
		assert_int_equal(switch_describe(sw, fields, 8), 3);
		assert_string_equal(fields[1].name, "nat");
		if (strncmp(fields[1].text, wanted, strlen(wanted)) == 0)
			return;
		usleep(1000);
	}
	fail_msg("NAT is %s, not %s", fields[1].text, wanted);
}

/* What was said last of the switches. */
static struct {
	pthread_mutex_t lock;
	char text[512];
	unsigned count;
} notice = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void take_notice(void *arg, const char *text)
{
	(void)arg;
	pthread_mutex_lock(&notice.lock);
	snprintf(notice.text, sizeof(notice.text), "%s", text);
	notice.count++;
	pthread_mutex_unlock(&notice.lock);
}

static unsigned count_notices(void)
{
	unsigned count;

	pthread_mutex_lock(&notice.lock);
	count = notice.count;
	pthread_mutex_unlock(&notice.lock);
	return count;
}

static void expect_notice(unsigned before, const char *switch_name, const char *why)
{
	char text[512], beginning[64];
	unsigned count;

	for (unsigned i = 0; i < 6000; i++) {
		pthread_mutex_lock(&notice.lock);
		count = notice.count;
		memcpy(text, notice.text, sizeof(text));
		pthread_mutex_unlock(&notice.lock);
		if (count != before)
			break;
		usleep(10000);
	}
	assert_int_not_equal(count, before);
	snprintf(beginning, sizeof(beginning), "switch %s: NAT: ", switch_name);
	assert_int_equal(strncmp(text, beginning, strlen(beginning)), 0);
	if (!strstr(text, why))
		fail_msg("'%s' does not say '%s'", text, why);
}

static struct net_switch *make_named_switch(struct network **network, const char *name,
					    const struct port_kind *uplink)
{
	struct switch_config config = { .uplink = uplink, .address = GATEWAY, .prefix = 24 };
	struct net_switch *sw;

	snprintf(config.name, sizeof(config.name), "%s", name);
	assert_int_equal(network_new(network, NULL), 0);
	network_listen(*network, &(struct uplink_listener){ .notice = take_notice });
	assert_int_equal(switch_new(&sw, *network, &config, NULL), 0);
	return sw;
}

static struct net_switch *make_switch(struct network **network, const struct port_kind *uplink)
{
	struct net_switch *sw = make_named_switch(network, "lan", uplink);

	if (uplink)
		wait_for_nat(sw, "running");
	return sw;
}

static void add_guest_that(struct guest *guest, struct net_switch *sw, const char *name,
			   uint8_t number, bool goes_on, const struct net_forwards *forwards)
{
	struct net_port_config port = { .name = name, .kind = "guest", .goes_on = goes_on,
					.forwards = forwards };

	memset(guest, 0, sizeof(*guest));
	memcpy(guest->mac, "\x52\x54\0\0\0", 5);
	guest->mac[5] = number;
	guest->address = 0x0a00020eu + number;
	pthread_mutex_init(&guest->lock, NULL);
	pthread_cond_init(&guest->changed, NULL);
	memcpy(port.addresses[0].mac, guest->mac, 6);
	assert_int_equal(switch_port_add(&guest->port, sw, &port, &guest_ops, guest, NULL), 0);
}

static void add_guest(struct guest *guest, struct net_switch *sw, const char *name, uint8_t number)
{
	add_guest_that(guest, sw, name, number, false, NULL);
}

static void remove_guest(struct guest *guest)
{
	switch_port_remove(guest->port);
	pthread_mutex_destroy(&guest->lock);
	pthread_cond_destroy(&guest->changed);
}

static void check_switch(const struct port_kind *uplink)
{
	struct guest guests[2];
	struct dhcp_lease_info leases[4];
	struct switch_port_info ports[4];
	struct network *network;
	struct net_switch *sw = make_switch(&network, uplink);
	pthread_t threads[2];

	add_guest(&guests[0], sw, "a/net0", 1);
	add_guest(&guests[1], sw, "b/net0", 2);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, guest_main, &guests[i]), 0);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);

	assert_int_equal(switch_list_leases(sw, leases, 4), 2);
	assert_int_equal(leases[0].address, guests[0].address);
	assert_memory_equal(leases[1].mac, guests[1].mac, 6);
	assert_true(leases[0].card && leases[1].card);
	assert_int_equal(switch_list_ports(sw, ports, 4), 3);
	assert_string_equal(ports[0].name, uplink ? "lan/nat" : "lan/dhcp");
	assert_true(ports[0].counters.rx_frames >= 2 * (1 + 1 + 400));

	/* A guest that comes back has its address again, whoever took its place at the switch. */
	remove_guest(&guests[0]);
	remove_guest(&guests[1]);
	add_guest(&guests[1], sw, "b/net0", 2);
	add_guest(&guests[0], sw, "a/net0", 1);
	/* Until it has asked, it is kept for it and is not its own. */
	assert_int_equal(switch_list_leases(sw, leases, 4), 2);
	assert_false(leases[0].card || leases[1].card);
	for (unsigned i = 0; i < 2; i++) {
		send_dhcp_request(&guests[i]);
		wait_for(&guests[i], &guests[i].acks, 1);
	}
	assert_int_equal(switch_list_leases(sw, leases, 4), 2);
	assert_true(leases[0].card && leases[1].card);

	/* One that was saved and is loaded asks nobody. */
	remove_guest(&guests[0]);
	add_guest_that(&guests[0], sw, "a/net0", 1, true, NULL);
	leases[0].card = false;
	for (unsigned tries = 0; tries < 1000 && !leases[0].card; tries++) {
		usleep(1000);
		assert_int_equal(switch_list_leases(sw, leases, 4), 2);
	}
	assert_true(leases[0].card);
	assert_int_equal(leases[0].address, guests[0].address);

	/* All may go with frames still under way. */
	send_pings(&guests[0], NET_BURST_MAX);
	for (unsigned i = 0; i < 2; i++)
		remove_guest(&guests[i]);
	switch_free(sw);
	network_free(network);
}

static void guests_reach_the_switch(void **state)
{
	(void)state;
	check_switch(NULL);
}

static void guests_reach_the_gateway(void **state)
{
	(void)state;
	check_switch(&port_nat);
}

/* How often each verdict was recorded. */
static void count_verdicts(void *arg, const struct capture_record *records, unsigned count)
{
	unsigned *verdicts = arg;

	for (unsigned i = 0; i < count; i++)
		if (strcmp(records[i].port, "a/net0") == 0)
			verdicts[records[i].verdict]++;
}

/* An IPv4 packet to the gateway whose first word, fragment field and protocol are these. */
static void send_packet(struct guest *guest, uint8_t first, uint16_t fragment, uint8_t protocol)
{
	uint8_t data[512];

	start_frame(guest, data, false, 0x0800);
	data[14] = first;
	put_be16(data + 16, 200);
	put_be16(data + 20, fragment);
	data[22] = 64;
	data[23] = protocol;
	put_be32(data + 26, guest->address);
	put_be32(data + 30, GATEWAY);
	put_be16(data + 24, inet_checksum(inet_sum(0, data + 14, (first & 15u) * 4u)));
	send_burst(guest, data, 214, 1);
}

static void what_nat_refuses_is_counted_and_recorded(void **state)
{
	static const struct {
		uint8_t first;
		uint16_t fragment;
		uint8_t protocol;
		enum net_verdict verdict;
	} packets[] = {
		{ 0x45, 1, 17, NET_DROP_FRAGMENT },
		{ 0x45, 0x2000, 17, NET_DROP_FRAGMENT },
		{ 0x45, 0x4001, 6, NET_DROP_FRAGMENT },
		{ 0x44, 0, 17, NET_DROP_BAD_HEADER },
		{ 0x45, 0, 17, NET_DROP_BAD_HEADER }, /* its UDP length is 0 */
		{ 0x46, 0, 17, NET_DROP_UNSUPPORTED },
	};
	unsigned seen[NET_VERDICT_COUNT] = { 0 }, wanted[NET_VERDICT_COUNT] = { 0 };
	struct capture_config config = { .snap = 64, .fd = -1, .records = count_verdicts,
					 .arg = seen };
	struct net_port_counters mine;
	struct switch_port_info ports[2];
	struct capture *capture;
	struct network *network;
	struct net_switch *sw = make_switch(&network, &port_nat);
	struct guest guest;

	(void)state;
	add_guest(&guest, sw, "a/net0", 1);
	assert_int_equal(capture_start(&capture, network_capture_hub(network), &config,
				       NULL), 0);
	send_arp(&guest);
	wait_for(&guest, &guest.arps, 1);
	for (unsigned i = 0; i < ARRAY_SIZE(packets); i++) {
		send_packet(&guest, packets[i].first, packets[i].fragment, packets[i].protocol);
		wanted[packets[i].verdict]++;
		send_pings(&guest, 1);
		wait_for(&guest, &guest.pongs, i + 1);
	}
	wanted[NET_FLOOD] = 1;
	wanted[NET_FORWARD] = ARRAY_SIZE(packets);
	capture_stop(capture, NULL);
	assert_int_equal(switch_list_ports(sw, ports, 2), 2);
	assert_string_equal(ports[0].name, "lan/nat");
	assert_int_equal(ports[0].counters.tx_frames, 1 + ARRAY_SIZE(packets));
	switch_port_counters(guest.port, &mine);
	for (unsigned i = 0; i < NET_VERDICT_COUNT; i++) {
		assert_int_equal(seen[i], wanted[i]);
		assert_int_equal(ports[0].counters.drops[i], i < NET_DROP_SHORT ? 0 : wanted[i]);
		assert_int_equal(mine.drops[i], 0);
	}
	remove_guest(&guest);
	switch_free(sw);
	network_free(network);
}

/* A guest with an address, whose pings are answered. */
static void begin_talk(struct guest *guest, struct net_switch *sw)
{
	add_guest(guest, sw, "a/net0", 1);
	send_dhcp_request(guest);
	wait_for(guest, &guest->acks, 1);
	send_arp(guest);
	wait_for(guest, &guest->arps, 1);
	send_pings(guest, 1);
	wait_for(guest, &guest->pongs, 1);
}

/* It is no more, and is told of; it is there again, the guest goes on and has kept its address. */
static void check_end(struct net_switch *sw, struct guest *guest, unsigned before, int pid,
		      const char *why)
{
	struct dhcp_lease_info lease;

	expect_notice(before, "lan", why);
	wait_for_nat(sw, "running");
	assert_int_not_equal(nat_pid(), 0);
	assert_int_not_equal(nat_pid(), pid);
	guest->pongs = 0;
	send_pings(guest, 2);
	wait_for(guest, &guest->pongs, 2);
	assert_int_equal(switch_list_leases(sw, &lease, 1), 1);
	assert_int_equal(lease.address, guest->address);
}

static uint64_t refusals(struct net_switch *sw)
{
	struct switch_port_info ports[4];

	for (size_t i = switch_list_ports(sw, ports, 4); i--;)
		if (!strcmp(ports[i].name, "lan/dhcp"))
			return ports[i].counters.drops[NET_DROP_NO_LEASE];
	return 0;
}

/* Clients behind a port ask in turn: how many of 70 get an address, from .first on. */
static unsigned leases_given(struct net_switch *sw, struct guest *guest, unsigned first)
{
	struct dhcp_lease_info leases[128];
	uint64_t before = refusals(sw);
	size_t had = switch_list_leases(sw, leases, 128), has;

	for (unsigned i = 0; i < 70; i++) {
		pthread_mutex_lock(&guest->lock); /* the answer to the one before may still come */
		guest->mac[4] = (uint8_t)(i + 1);
		pthread_mutex_unlock(&guest->lock);
		guest->address = 0x0a000200u + first + i;
		send_dhcp_request(guest);
		/* One by one: all at once are more than its share of the inbox. */
		do {
			usleep(200);
			has = switch_list_leases(sw, leases, 128);
		} while (has - had + refusals(sw) - before <= i);
	}
	return (unsigned)(has - had);
}

static void a_port_that_leads_out_has_more_leases(void **state)
{
	const struct net_port_settings few = { .leases = 3 };
	struct network *network;
	struct net_switch *sw = make_switch(&network, NULL);
	struct net_port_config port = { .name = "lan/tap0", .kind = "tap" };
	struct guest guest;

	(void)state;
	add_guest(&guest, sw, "a/net0", 1);
	assert_int_equal(leases_given(sw, &guest, 20), DHCP_PORT_LEASES);
	remove_guest(&guest);
	add_guest(&guest, sw, "a/net0", 2);
	assert_int_equal(switch_port_set(guest.port, &few, NULL), 0);
	assert_int_equal(leases_given(sw, &guest, 90), 3);
	switch_port_remove(guest.port);
	assert_int_equal(switch_port_add(&guest.port, sw, &port, &guest_ops, &guest, NULL), 0);
	guest.mac[5] = 3;
	assert_int_equal(leases_given(sw, &guest, 160), DHCP_OUTSIDE_LEASES);
	remove_guest(&guest);
	switch_free(sw);
	network_free(network);
}

/* A port of the host that is free; another program may have it a moment later. */
static uint16_t free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(at);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	close(fd);
	return ntohs(at.sin_port);
}

/* Whether somebody listens there, within 10 s if somebody is wanted to, else within 50 ms. */
static bool listens(uint16_t port, bool wanted)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	bool is = false;

	for (unsigned tries = 0; !is && tries < (wanted ? 1000 : 5); tries++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		is = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
		close(fd);
		if (!is)
			usleep(10000);
	}
	return is;
}

/* It was saved and is loaded: it sends nothing before somebody has asked it. */
static void ports_of_the_host_lead_to_who_goes_on(void **state)
{
	struct net_forwards forwards = { 0 };
	struct network *network;
	struct net_switch *sw = make_switch(&network, &port_nat);
	char words[32], fault[200];
	uint16_t port = free_port();
	struct guest guest;

	(void)state;
	snprintf(words, sizeof(words), "%u:7", port);
	assert_int_equal(net_forwards_parse(&forwards, words, fault, sizeof(fault)), 0);
	add_guest_that(&guest, sw, "a/net0", 1, false, &forwards);
	assert_false(listens(port, false));
	send_dhcp_request(&guest);
	wait_for(&guest, &guest.acks, 1);
	assert_true(listens(port, true));
	/* One that only begins has no address before it asks. */
	remove_guest(&guest);
	add_guest_that(&guest, sw, "a/net0", 1, false, &forwards);
	for (unsigned tries = 0; tries < 1000 && listens(port, false); tries++)
		usleep(10000);
	assert_false(listens(port, false));
	remove_guest(&guest);
	add_guest_that(&guest, sw, "a/net0", 1, true, &forwards);
	assert_true(listens(port, true));
	remove_guest(&guest);
	switch_free(sw);
	network_free(network);
}

static void nat_that_ends_is_started_again(void **state)
{
	struct network *network;
	struct net_switch *sw = make_switch(&network, &port_nat);
	struct guest guest;
	unsigned before;
	int pid;

	(void)state;
	begin_talk(&guest, sw);
	for (unsigned i = 0; i < 2; i++) {
		before = count_notices();
		pid = nat_pid();
		kill(pid, SIGKILL);
		check_end(sw, &guest, before, pid, "signal 9");
	}
	before = count_notices();
	pid = nat_pid();
	kill(pid, SIGSTOP);
	send_pings(&guest, 1);
	check_end(sw, &guest, before, pid, "did not answer");
	remove_guest(&guest);
	switch_free(sw);
	network_free(network);
	for (unsigned i = 0; i < 1000 && nat_pid(); i++)
		usleep(10000);
	assert_int_equal(nat_pid(), 0);
}

/* A process that has been taken over. What it does is the name of its switch. */
static void run_liar(struct channel *channel, const char *label)
{
	static const char forged[64] = "\xff\xff\xff\xff\xff\xffRT\0\0\0\1\x08";
	static const char foreign_arp[64] = "\xff\xff\xff\xff\xff\xffRU\x0a\0\2\2\x08\6"
					    "\0\1\x08\0\6\4\0\2RU\x0a\0\2\2\x0a\0\2\xf";
	struct channel_writer *out = &channel->out;
	uint32_t size, mark;

	while (channel_next(&channel->in, &size, &mark) != 1)
		usleep(1000);
	if (strcmp(label, "forges") == 0) {
		memcpy(channel_reserve(out, 64), forged, 64);
		channel_commit(out, 64, 0);
	} else if (strcmp(label, "speaks-for-guests") == 0) {
		memcpy(channel_reserve(out, 64), foreign_arp, 64);
		channel_commit(out, 64, 0);
	} else if (strcmp(label, "too-large") == 0) {
		memset(channel_reserve(out, NET_FRAME_MAX + 1), 0, NET_FRAME_MAX + 1);
		channel_commit(out, NET_FRAME_MAX + 1, 0);
	} else if (strcmp(label, "too-small") == 0) {
		channel_commit(out, 13, 0);
	} else if (strcmp(label, "beside-itself") == 0) {
		out->head += 0x55555555;
	} else {
		nat_process.run(channel, label);
	}
	channel_publish(out);
	for (;;)
		pause();
}

static void what_a_liar_sends_ends_it(void **state)
{
	static const char *const lies[] = { "forges", "speaks-for-guests", "too-large", "too-small",
					    "beside-itself" };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(lies); i++) {
		unsigned before = count_notices();
		struct network *network;
		struct net_switch *sw = make_named_switch(&network, lies[i], &port_nat);
		struct switch_port_info port;

		expect_notice(before, lies[i], "it sent what it must not");
		wait_for_nat(sw, "ended: it sent what it must not");
		assert_int_equal(switch_list_ports(sw, &port, 1), 1);
		assert_int_equal(port.counters.rx_frames, 0);
		switch_free(sw);
		network_free(network);
	}
}

/* How many sockets a switch's NAT may have. */
static unsigned limit_of(struct net_switch *sw)
{
	struct port_field fields[8];
	size_t count = switch_describe(sw, fields, 8);
	unsigned limit = 0;

	for (size_t i = 0; i < count; i++)
		if (!strcmp(fields[i].name, "sockets"))
			assert_int_equal(sscanf(fields[i].text, "%*u of %u", &limit), 1);
	return limit;
}

static void the_sockets_of_a_deck_are_shared_out_to_its_switches(void **state)
{
	static const unsigned limits[] = { 1024, 1024, 1024, 512, 256, 128, 64, 64, 64 };
	struct switch_config config = { .uplink = &port_nat, .address = GATEWAY, .prefix = 24 };
	struct net_switch *switches[ARRAY_SIZE(limits)];
	struct network *network;
	struct cause cause;

	(void)state;
	assert_int_equal(network_new(&network, &cause), 0);
	for (unsigned round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
			snprintf(config.name, sizeof(config.name), "lan%zu", i);
			assert_int_equal(switch_new(&switches[i], network, &config, &cause), 0);
			assert_int_equal(limit_of(switches[i]), limits[i]);
		}
		for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
			switch_free(switches[i]);
	}
	network_free(network);
}

static void failures_name_the_switch_once(void **state)
{
	struct switch_config config = { .name = "lan", .uplink = &port_nat,
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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guests_reach_the_switch),
		cmocka_unit_test(guests_reach_the_gateway),
		cmocka_unit_test(what_nat_refuses_is_counted_and_recorded),
		cmocka_unit_test(a_port_that_leads_out_has_more_leases),
		cmocka_unit_test(ports_of_the_host_lead_to_who_goes_on),
		cmocka_unit_test(nat_that_ends_is_started_again),
		cmocka_unit_test(what_a_liar_sends_ends_it),
		cmocka_unit_test(the_sockets_of_a_deck_are_shared_out_to_its_switches),
		cmocka_unit_test(failures_name_the_switch_once),
	};

	struct sandbox_kind maybe_liar = nat_process;

	maybe_liar.run = run_liar;
	begin_with(&maybe_liar, argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The process of NAT without the guard in front of it: what libslirp cannot bear
 * ends that process alone, its owner is told, and the next one answers. What
 * makes no sense in its channel ends it as well.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/clock.h"
#include "base/thread.h"
#include "net/port/nat_channel.h"
#include "with_nat.h"

#define GATEWAY 0x0a000202u
#define GUEST 0x0a00020fu
#define HEADERS 34u

static const uint8_t guest_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
static const uint8_t gateway_mac[6] = { 0x52, 0x55, 10, 0, 2, 2 };

struct owner {
	struct loop loop;
	struct loop_timer timeout;
	struct sandbox *sandbox;
	unsigned ready, ended, arps;
	uint32_t sequence; /* the peer's, of the last SYN */
	bool syn;
	char why[SANDBOX_WHY_MAX];
};

/* False: it takes no more, and has ended, which the loop is yet to hear of. */
static bool put_record(struct owner *owner, enum nat_record record, uint32_t slot,
		       const void *data, uint32_t size)
{
	struct channel *channel = sandbox_channel(owner->sandbox);
	void *room = NULL;

	for (unsigned i = 0; i < 20000 && !room; i++) {
		room = channel_reserve(&channel->out, size);
		if (!room)
			usleep(100);
	}
	if (!room)
		return false;
	memcpy(room, data, size);
	channel_commit(&channel->out, size, nat_mark(record, slot));
	channel_publish(&channel->out);
	sandbox_sent(owner->sandbox);
	return true;
}

static void on_ready(void *arg)
{
	const struct nat_setup setup = { .address = GATEWAY, .dns = GATEWAY + 1, .prefix = 24,
					 .sockets = NAT_SOCKETS_MAX, .loopback = 1 };
	struct owner *owner = arg;

	owner->ready++;
	put_record(owner, NAT_SETUP, 0, &setup, sizeof(setup));
	loop_stop(&owner->loop);
}

static void take_frame(struct owner *owner, const uint8_t *frame)
{
	owner->arps += get_be16(frame + 12) == 0x0806;
	if (get_be16(frame + 12) == 0x0800 && frame[23] == 6 && frame[47] & 2) {
		owner->syn = true;
		owner->sequence = get_be32(frame + 38);
	}
	loop_stop(&owner->loop);
}

static void on_input(void *arg)
{
	static uint8_t frame[NET_FRAME_MAX];
	struct owner *owner = arg;
	struct channel *channel = sandbox_channel(owner->sandbox);
	uint32_t size, mark;

	do {
		while (channel_next(&channel->in, &size, &mark) == 1) {
			assert_true(size <= sizeof(frame));
			channel_copy(&channel->in, frame, size);
			channel_drop(&channel->in);
			take_frame(owner, frame);
		}
		channel_release(&channel->in);
	} while (!channel_wait_for_record(&channel->in));
}

static void on_ended(void *arg, const char *why, uint64_t again_ns)
{
	struct owner *owner = arg;

	owner->ended++;
	assert_true(again_ns > 0);
	snprintf(owner->why, sizeof(owner->why), "%s", why);
	loop_stop(&owner->loop);
}

static const struct sandbox_ops ops = { .ready = on_ready, .input = on_input, .ended = on_ended };

static void on_timeout(void *arg)
{
	(void)arg;
	fail_msg("nothing happened");
}

/* Until something happens. */
static void run(struct owner *owner)
{
	loop_timer_set(&owner->loop, &owner->timeout, 60 * NS_PER_S);
	loop_run(&owner->loop);
	loop_timer_cancel(&owner->loop, &owner->timeout);
}

static void open_owner(struct owner *owner)
{
	struct cause cause;

	memset(owner, 0, sizeof(*owner));
	owner->timeout = (struct loop_timer){ .fire = on_timeout };
	assert_int_equal(loop_init(&owner->loop, &cause), 0);
	if (sandbox_start(&owner->sandbox, &owner->loop, &nat_process, "lan", &ops, owner,
			  &cause) < 0)
		fail_msg("%s", cause.text);
	while (!owner->ready)
		run(owner);
}

static void close_owner(struct owner *owner)
{
	sandbox_stop(owner->sandbox);
	loop_destroy(&owner->loop);
}

static void send_arp(struct owner *owner)
{
	uint8_t frame[42] = { 255, 255, 255, 255, 255, 255 };

	memcpy(frame + 6, guest_mac, 6);
	memcpy(frame + 12, "\x08\6\0\1\x08\0\6\4\0\1", 10);
	memcpy(frame + 22, guest_mac, 6);
	put_be32(frame + 28, GUEST);
	put_be32(frame + 38, GATEWAY);
	put_record(owner, NAT_FRAME, 0, frame, sizeof(frame));
}

/* It answers, or it has ended and the next one answers. */
static void check_goes_on(struct owner *owner)
{
	unsigned arps = owner->arps, ready = owner->ready, ended = owner->ended;

	send_arp(owner);
	while (owner->arps == arps && owner->ended == ended)
		run(owner);
	if (owner->ended == ended)
		return;
	while (owner->ready == ready)
		run(owner);
	send_arp(owner);
	while (owner->arps == arps)
		run(owner);
}

static uint32_t put_packet(uint8_t *frame, uint8_t protocol, uint16_t id, uint16_t fragment,
			   uint32_t body)
{
	uint8_t *ip = frame + 14;

	memcpy(frame, gateway_mac, 6);
	memcpy(frame + 6, guest_mac, 6);
	put_be16(frame + 12, 0x0800);
	memset(ip, 0, 20);
	ip[0] = 0x45;
	put_be16(ip + 2, (uint16_t)(20 + body));
	put_be16(ip + 4, id);
	put_be16(ip + 6, fragment);
	ip[8] = 64;
	ip[9] = protocol;
	put_be32(ip + 12, GUEST);
	put_be32(ip + 16, GATEWAY);
	put_be16(ip + 10, inet_checksum(inet_sum(0, ip, 20)));
	return HEADERS + body;
}

static void a_lone_last_fragment_ends_it_alone(void **state)
{
	static uint8_t frame[HEADERS + 200];
	struct owner owner;

	(void)state;
	open_owner(&owner);
	for (unsigned i = 0; i < 3; i++) {
		memset(frame, 0x41, sizeof(frame));
		put_record(&owner, NAT_FRAME, 0, frame, put_packet(frame, 17, 1, 1, 200));
		check_goes_on(&owner);
	}
	/* A libslirp that bears it answers; 4.7.0 does not. */
	assert_int_equal(owner.ready, owner.ended + 1);
	close_owner(&owner);
}

/* Fragments of datagrams of which the others never come, more than its memory may be. */
static void open_fragments_end_it_alone(void **state)
{
	static uint8_t frame[HEADERS + 60000];
	struct owner owner;

	(void)state;
#ifdef THREAD_SANITIZED
	skip(); /* there is no limit */
#endif
	open_owner(&owner);
	for (uint16_t id = 0; id < 10000 && !owner.ended; id++)
		if (!put_record(&owner, NAT_FRAME, 0, frame,
				put_packet(frame, 17, id, 0x2000, 60000)))
			run(&owner);
	assert_int_equal(owner.ended, 1);
	assert_non_null(strstr(owner.why, "signal"));
	while (owner.ready == 1)
		run(&owner);
	check_goes_on(&owner);
	close_owner(&owner);
}

static uint32_t put_tcp(uint8_t *frame, uint16_t port, uint32_t sequence, uint32_t acknowledged,
			uint8_t flags, uint16_t urgent, uint32_t payload)
{
	uint32_t size = put_packet(frame, 6, 1, 0, 20 + payload);
	uint8_t *tcp = frame + HEADERS;

	memset(tcp, 0, 20);
	put_be16(tcp, 40000);
	put_be16(tcp + 2, port);
	put_be32(tcp + 4, sequence);
	put_be32(tcp + 8, acknowledged);
	tcp[12] = 5 << 4;
	tcp[13] = flags;
	put_be16(tcp + 14, 60000);
	put_be16(tcp + 18, urgent);
	put_be16(tcp + 16, inet_checksum(inet_sum(inet_sum(6 + 20 + payload, frame + 26, 8), tcp,
						  20 + payload)));
	return size;
}

/* What 4.7.0 sends then is its own memory, in which there is no other guest's. */
static void urgent_data_ends_it_alone(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint8_t frame[HEADERS + 30] = { 0 };
	struct owner owner;
	uint16_t port;

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	port = ntohs(address.sin_port);
	open_owner(&owner);
	put_record(&owner, NAT_FRAME, 0, frame, put_tcp(frame, port, 1000, 0, 2, 0, 0));
	while (!owner.syn)
		run(&owner);
	put_record(&owner, NAT_FRAME, 0, frame,
		   put_tcp(frame, port, 1001, owner.sequence + 1, 0x10, 0, 0));
	put_record(&owner, NAT_FRAME, 0, frame,
		   put_tcp(frame, port, 1001, owner.sequence + 1, 0x38, 0xffff, 10));
	check_goes_on(&owner);
	close_owner(&owner);
	close(listener);
}

static void what_makes_no_sense_ends_it(void **state)
{
	static const uint8_t zeros[64];
	static const struct nat_setup setup = { .address = GATEWAY, .dns = GATEWAY + 1,
						.sockets = NAT_SOCKETS_MAX, .prefix = 24 };
	static const struct nat_forwards many = { .forwards.count = NET_FORWARDS_MAX + 1 };
	static const struct {
		uint32_t record, slot;
		const void *data;
		uint32_t size;
	} records[] = {
		{ NAT_FRAME, 0, zeros, 13 },
		{ NAT_FRAME, NET_PORTS_MAX, zeros, 60 },
		{ NAT_FORGET, NET_PORTS_MAX, zeros, 0 },
		{ NAT_SETUP, 0, &setup, sizeof(setup) },
		{ NAT_FORWARDS, 0, &many, sizeof(many) },
		{ NAT_FORWARDS, 0, &many, sizeof(many) - 1 },
		{ 77, 0, zeros, 60 },
	};
	struct owner owner;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(records); i++) {
		open_owner(&owner);
		put_record(&owner, (enum nat_record)records[i].record, records[i].slot,
			   records[i].data, records[i].size);
		while (!owner.ended)
			run(&owner);
		assert_string_equal(owner.why, "it ended with status 2");
		close_owner(&owner);
	}
}

static void a_port_that_goes_takes_its_sockets_along(void **state)
{
	struct owner owner;

	(void)state;
	open_owner(&owner);
	for (uint32_t slot = 0; slot < NET_PORTS_MAX; slot++) {
		put_record(&owner, NAT_FORGET, slot, "", 0);
		if (slot % 2)
			continue;
		send_arp(&owner);
		put_record(&owner, NAT_FORGET, 0, "", 0);
	}
	check_goes_on(&owner);
	assert_int_equal(owner.ended, 0);
	close_owner(&owner);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lone_last_fragment_ends_it_alone),
		cmocka_unit_test(open_fragments_end_it_alone),
		cmocka_unit_test(urgent_data_ends_it_alone),
		cmocka_unit_test(what_makes_no_sense_ends_it),
		cmocka_unit_test(a_port_that_goes_takes_its_sockets_along),
	};

	begin_with_nat(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

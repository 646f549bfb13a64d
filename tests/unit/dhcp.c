/* The DHCP server: exact answers, who gets which address, hostile packets. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "net/service/dhcp.h"
#include "net/service/dhcp_frame.h"
#include "net/service/dhcp_message.h"

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define BROADCAST UINT32_MAX
#define OPTIONS_AT (14 + 28 + 240)

static const struct dhcp_config nat_config = {
	.address = IP(10, 0, 2, 2),
	.prefix = 24,
	.mac = { 0x52, 0x55, 10, 0, 2, 2 },
	.router = IP(10, 0, 2, 2),
	.dns = IP(10, 0, 2, 3),
	.lease_s = 3600,
};

/* A request under construction. */
struct request {
	uint8_t frame[1024];
	size_t size;
	uint32_t leases; /* that the port may have; 0: as any */
	uint32_t from; /* slot of the port: each client has its own, unless the test says otherwise */
};

static void put_option(struct request *r, uint8_t code, const void *data, uint8_t size)
{
	r->frame[r->size++] = code;
	r->frame[r->size++] = size;
	memcpy(r->frame + r->size, data, size);
	r->size += size;
}

static void put_address(struct request *r, uint8_t code, uint32_t address)
{
	uint8_t data[4];

	put_be32(data, address);
	put_option(r, code, data, 4);
}

static void start(struct request *r, uint8_t type, unsigned client)
{
	uint8_t *bootp = r->frame + 42;

	memset(r, 0, sizeof(*r));
	memset(r->frame, 0xff, 6);
	memcpy(r->frame + 6, "\x52\x54\x00\x00", 4);
	put_be16(r->frame + 10, (uint16_t)client);
	put_be16(r->frame + 12, 0x0800);
	r->frame[14] = 0x45;
	r->frame[22] = 64;
	r->frame[23] = 17;
	put_be32(r->frame + 30, BROADCAST);
	put_be16(r->frame + 34, 68);
	put_be16(r->frame + 36, 67);
	bootp[0] = 1;
	bootp[1] = 1;
	bootp[2] = 6;
	put_be32(bootp + 4, 0x11223344);
	memcpy(bootp + 28, r->frame + 6, 6);
	put_be32(bootp + 236, 0x63825363);
	r->size = OPTIONS_AT;
	r->from = client % NET_PORTS_MAX;
	put_option(r, 53, &type, 1);
}

static void finish(struct request *r)
{
	r->frame[r->size++] = 255;
	put_be16(r->frame + 16, (uint16_t)(r->size - 14));
	put_be16(r->frame + 38, (uint16_t)(r->size - 34));
}

struct answer {
	uint8_t frame[DHCP_REPLY_MAX];
	size_t size;
	enum net_verdict verdict;
	struct dhcp_message m;
};

static bool ask(struct dhcp_server *s, uint64_t now, struct request *r, struct answer *a)
{
	finish(r);
	assert_true(dhcp_is_request(r->frame, r->size, r->size));
	memset(a, 0, sizeof(*a));
	a->size = dhcp_input(s, now, r->from, r->leases, r->frame, r->size, a->frame, &a->verdict);
	if (!a->size)
		return false;
	assert_int_equal(dhcp_message_read(&a->m, a->frame + 42, a->size - 42), 0);
	return true;
}

static uint32_t offered(struct dhcp_server *s, uint64_t now, unsigned client)
{
	struct request r;
	struct answer a;

	start(&r, DHCP_DISCOVER, client);
	if (!ask(s, now, &r, &a))
		return 0;
	assert_int_equal(a.m.type, DHCP_OFFER);
	return a.m.yiaddr;
}

/* The type of the answer to a REQUEST: by option 50, or by ciaddr. 0: none. */
static unsigned request(struct dhcp_server *s, uint64_t now, unsigned client, uint32_t wanted,
			uint32_t ciaddr, uint32_t server_id)
{
	struct request r;
	struct answer a;

	start(&r, DHCP_REQUEST, client);
	put_be32(r.frame + 42 + 12, ciaddr);
	if (wanted)
		put_address(&r, 50, wanted);
	if (server_id)
		put_address(&r, 54, server_id);
	if (!ask(s, now, &r, &a))
		return 0;
	if (a.m.type == DHCP_ACK)
		assert_int_equal(a.m.yiaddr, wanted ? wanted : ciaddr);
	return a.m.type;
}

static const uint8_t *mac_of(unsigned client)
{
	static uint8_t mac[NET_MAC_SIZE] = { 0x52, 0x54 };

	mac[5] = (uint8_t)client;
	return mac;
}

static uint32_t lease(struct dhcp_server *s, uint64_t now, unsigned client)
{
	uint32_t address = offered(s, now, client);

	if (address)
		assert_int_equal(request(s, now, client, address, 0, 0), DHCP_ACK);
	return address;
}

static int setup(void **state)
{
	struct dhcp_server *s;

	if (dhcp_new(&s, &nat_config, NULL))
		return -1;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	dhcp_free(*state);
	return 0;
}

static void offer_has_these_bytes(void **state)
{
	static const uint8_t headers[42] = {
		0x52, 0x54, 0, 0, 0, 1, 0x52, 0x55, 10, 0, 2, 2, 0x08, 0x00,
		0x45, 0, 0x01, 0x48, 0, 0, 0, 0, 64, 17, 0x61, 0x95, 10, 0, 2, 2, 10, 0, 2, 15,
		0, 67, 0, 68, 0x01, 0x34, 0, 0,
	};
	static const uint8_t fixed[44] = {
		2, 1, 6, 0, 0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 2, 15,
		0, 0, 0, 0, 0, 0, 0, 0, 0x52, 0x54, 0, 0, 0, 1,
	};
	static const uint8_t options[] = {
		0x63, 0x82, 0x53, 0x63, 53, 1, 2, 54, 4, 10, 0, 2, 2, 51, 4, 0, 0, 0x0e, 0x10,
		1, 4, 255, 255, 255, 0, 3, 4, 10, 0, 2, 2, 6, 4, 10, 0, 2, 3,
		28, 4, 10, 0, 2, 255, 255,
	};
	struct request r;
	struct answer a;
	uint32_t sum;

	start(&r, DHCP_DISCOVER, 1);
	assert_true(ask(*state, 0, &r, &a));
	assert_int_equal(a.size, 42 + 300);
	assert_memory_equal(a.frame, headers, 40);
	assert_memory_equal(a.frame + 42, fixed, sizeof(fixed));
	assert_memory_equal(a.frame + OPTIONS_AT - 4, options, sizeof(options));
	assert_int_equal(inet_checksum(inet_sum(0, a.frame + 14, 20)), 0);
	sum = inet_sum(17 + 308, a.frame + 26, 8);
	assert_int_equal(inet_checksum(inet_sum(sum, a.frame + 34, 308)), 0);
}

static void answers_go_where_the_client_can_hear_them(void **state)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };
	struct request r;
	struct answer a;

	/* It cannot take unicast yet. */
	start(&r, DHCP_DISCOVER, 1);
	put_be16(r.frame + 42 + 10, 0x8000);
	assert_true(ask(*state, 0, &r, &a));
	assert_memory_equal(a.frame, all, 6);
	assert_int_equal(get_be32(a.frame + 30), BROADCAST);
	assert_int_equal(a.m.flags, 0x8000);

	/* It has the address: renewing by unicast, which the broadcast flag does not change. */
	assert_int_equal(lease(*state, 0, 1), IP(10, 0, 2, 15));
	start(&r, DHCP_REQUEST, 1);
	put_be32(r.frame + 30, nat_config.address);
	put_be32(r.frame + 42 + 12, IP(10, 0, 2, 15));
	put_be16(r.frame + 42 + 10, 0x8000);
	assert_true(ask(*state, 1800 * NS_PER_S, &r, &a));
	assert_int_equal(a.m.type, DHCP_ACK);
	assert_int_equal(a.m.lease_s, 3600);
	assert_int_equal(get_be32(a.frame + 30), IP(10, 0, 2, 15));
	assert_memory_equal(a.frame, r.frame + 6, 6);

	/* Refused: it may be using a wrong address, so everybody hears it. */
	start(&r, DHCP_REQUEST, 2);
	put_address(&r, 50, IP(192, 168, 1, 5));
	assert_true(ask(*state, 0, &r, &a));
	assert_int_equal(a.m.type, DHCP_NAK);
	assert_memory_equal(a.frame, all, 6);
	assert_int_equal(get_be32(a.frame + 30), BROADCAST);
	assert_int_equal(a.m.yiaddr, 0);
	assert_int_equal(a.m.lease_s, 0);

	/* Only told: it has an address from elsewhere. */
	start(&r, DHCP_INFORM, 3);
	put_be32(r.frame + 42 + 12, IP(10, 0, 2, 200));
	assert_true(ask(*state, 0, &r, &a));
	assert_int_equal(a.m.type, DHCP_ACK);
	assert_int_equal(a.m.yiaddr, 0);
	assert_int_equal(a.m.lease_s, 0);
	assert_int_equal(a.m.dns, IP(10, 0, 2, 3));
	assert_int_equal(get_be32(a.frame + 30), IP(10, 0, 2, 200));
}

static void client_identifier_comes_back(void **state)
{
	struct request r;
	struct answer a;
	uint8_t id[255];

	for (unsigned i = 0; i < sizeof(id); i++)
		id[i] = (uint8_t)i;
	start(&r, DHCP_DISCOVER, 1);
	put_option(&r, 61, id, sizeof(id));
	assert_true(ask(*state, 0, &r, &a));
	assert_true(a.size <= 14 + 576);
	assert_int_equal(a.m.client_id_size, sizeof(id));
	assert_memory_equal(a.m.client_id, id, sizeof(id));
}

static void switch_without_uplink_tells_no_router(void **state)
{
	struct dhcp_config config = nat_config;
	struct dhcp_server *s;
	struct request r;
	struct answer a;

	(void)state;
	config.router = config.dns = 0;
	assert_int_equal(dhcp_new(&s, &config, NULL), 0);
	start(&r, DHCP_DISCOVER, 1);
	assert_true(ask(s, 0, &r, &a));
	assert_int_equal(a.m.router, 0);
	assert_int_equal(a.m.dns, 0);
	assert_int_equal(a.m.subnet, IP(255, 255, 255, 0));
	dhcp_free(s);
}

static void addresses_stick_to_their_clients(void **state)
{
	struct dhcp_server *s = *state;
	uint64_t day = 24 * 3600 * NS_PER_S;

	assert_int_equal(lease(s, 0, 1), IP(10, 0, 2, 15));
	assert_int_equal(lease(s, 0, 2), IP(10, 0, 2, 16));
	assert_int_equal(lease(s, 1, 1), IP(10, 0, 2, 15));
	/* Long after they ended, still theirs; a new client gets one that nobody had. */
	assert_int_equal(lease(s, day, 3), IP(10, 0, 2, 17));
	assert_int_equal(lease(s, day, 2), IP(10, 0, 2, 16));
	assert_int_equal(lease(s, day, 1), IP(10, 0, 2, 15));
	/* A wish is granted if it is free. */
	assert_int_equal(request(s, day, 4, IP(10, 0, 2, 99), 0, 0), DHCP_ACK);
	assert_int_equal(request(s, day, 5, IP(10, 0, 2, 99), 0, 0), DHCP_NAK);
	assert_int_equal(offered(s, day, 4), IP(10, 0, 2, 99));
	/* Never: the network's own addresses. */
	assert_int_equal(request(s, day, 6, IP(10, 0, 2, 0), 0, 0), DHCP_NAK);
	assert_int_equal(request(s, day, 6, IP(10, 0, 2, 2), 0, 0), DHCP_NAK);
	assert_int_equal(request(s, day, 6, IP(10, 0, 2, 3), 0, 0), DHCP_NAK);
	assert_int_equal(request(s, day, 6, IP(10, 0, 2, 255), 0, 0), DHCP_NAK);
	assert_int_equal(request(s, day, 6, IP(10, 0, 3, 20), 0, 0), DHCP_NAK);
}

static void requests_by_the_client_s_state(void **state)
{
	struct dhcp_server *s = *state;
	uint32_t mine = nat_config.address;

	/* Selecting: the offer of another server was taken. */
	assert_int_equal(offered(s, 0, 1), IP(10, 0, 2, 15));
	assert_int_equal(request(s, 0, 1, IP(10, 0, 2, 15), 0, IP(10, 0, 2, 77)), 0);
	assert_int_equal(request(s, 0, 1, IP(10, 0, 2, 16), 0, mine), DHCP_NAK);
	assert_int_equal(request(s, 0, 1, IP(10, 0, 2, 15), 0, mine), DHCP_ACK);
	/* Rebooting with the right and the wrong address. */
	assert_int_equal(request(s, 1, 1, IP(10, 0, 2, 15), 0, 0), DHCP_ACK);
	assert_int_equal(request(s, 1, 1, IP(10, 0, 2, 50), 0, 0), DHCP_NAK);
	/* Renewing, also an address that this server never heard of. */
	assert_int_equal(request(s, 2, 1, 0, IP(10, 0, 2, 15), 0), DHCP_ACK);
	assert_int_equal(request(s, 2, 2, 0, IP(10, 0, 2, 15), 0), DHCP_NAK);
	assert_int_equal(request(s, 2, 2, 0, IP(10, 0, 2, 80), 0), DHCP_ACK);
	assert_int_equal(request(s, 2, 3, 0, 0, 0), 0);
}

static void release_and_decline(void **state)
{
	struct dhcp_server *s = *state;
	struct dhcp_lease_info info[4];
	struct request r;
	struct answer a;

	assert_int_equal(lease(s, 0, 1), IP(10, 0, 2, 15));
	start(&r, DHCP_RELEASE, 2); /* not its address */
	put_be32(r.frame + 42 + 12, IP(10, 0, 2, 15));
	assert_false(ask(s, 0, &r, &a));
	assert_int_equal(a.verdict, NET_DROP_FORGED);
	start(&r, DHCP_DECLINE, 2);
	put_address(&r, 50, IP(10, 0, 2, 15));
	assert_false(ask(s, 0, &r, &a));
	assert_int_equal(a.verdict, NET_DROP_FORGED);
	for (unsigned forged = 0; forged < 2; forged++) { /* its MAC by another port */
		start(&r, forged ? DHCP_RELEASE : DHCP_DECLINE, 1);
		r.from = 2;
		put_be32(r.frame + 42 + 12, IP(10, 0, 2, 15));
		put_address(&r, 50, IP(10, 0, 2, 15));
		assert_false(ask(s, 0, &r, &a));
		assert_int_equal(a.verdict, NET_DROP_FORGED);
	}
	start(&r, DHCP_RELEASE, 2); /* of an address that is nobody's */
	put_be32(r.frame + 42 + 12, IP(10, 0, 2, 44));
	assert_false(ask(s, 0, &r, &a));
	assert_int_equal(a.verdict, NET_FORWARD);
	assert_int_equal(dhcp_list(s, 0, info, 4), 1);
	start(&r, DHCP_RELEASE, 1);
	put_be32(r.frame + 42 + 12, IP(10, 0, 2, 15));
	assert_false(ask(s, 0, &r, &a));
	assert_int_equal(dhcp_list(s, 0, info, 4), 0);
	assert_int_equal(lease(s, 0, 1), IP(10, 0, 2, 15));

	/* Somebody else answers for it: out of use for a while, and the client gets another. */
	start(&r, DHCP_DECLINE, 1);
	put_address(&r, 50, IP(10, 0, 2, 15));
	assert_false(ask(s, 0, &r, &a));
	assert_int_equal(lease(s, 0, 1), IP(10, 0, 2, 16));
	assert_int_equal(request(s, 599 * NS_PER_S, 2, IP(10, 0, 2, 15), 0, 0), DHCP_NAK);
	assert_int_equal(request(s, 600 * NS_PER_S, 2, IP(10, 0, 2, 15), 0, 0), DHCP_ACK);
}

/* DISCOVER of a client at another port than its own. */
static uint32_t offered_at(struct dhcp_server *s, uint64_t now, uint32_t from, unsigned client,
			   enum net_verdict *verdict)
{
	struct request r;
	struct answer a;

	start(&r, DHCP_DISCOVER, client);
	r.from = from;
	if (!ask(s, now, &r, &a))
		a.m.yiaddr = 0;
	*verdict = a.verdict;
	return a.m.yiaddr;
}

static void a_message_speaks_for_its_sender_alone(void **state)
{
	struct dhcp_server *s = *state;
	struct request r;
	struct answer a;

	for (unsigned type = DHCP_DISCOVER; type <= DHCP_INFORM; type++) {
		start(&r, (uint8_t)type, 1);
		r.frame[11] ^= 7; /* the frame's source */
		put_be32(r.frame + 42 + 12, IP(10, 0, 2, 15));
		put_address(&r, 50, IP(10, 0, 2, 15));
		assert_false(ask(s, 0, &r, &a));
		assert_int_equal(a.verdict, NET_DROP_FORGED);
	}
	assert_int_equal(offered(s, 0, 2), IP(10, 0, 2, 15));
}

static void a_port_has_no_more_leases_than_its_limit(void **state)
{
	struct dhcp_server *s = *state;
	enum net_verdict verdict;
	struct request r;
	struct answer a;

	for (unsigned client = 0; client < 300; client++) {
		assert_int_equal(!offered_at(s, 0, 9, client, &verdict),
				 client >= DHCP_PORT_LEASES);
		assert_int_equal(verdict, client < DHCP_PORT_LEASES ? NET_FORWARD
								    : NET_DROP_NO_LEASE);
	}
	start(&r, DHCP_REQUEST, 100); /* without asking first */
	r.from = 9;
	put_address(&r, 50, IP(10, 0, 2, 200));
	assert_false(ask(s, 0, &r, &a));
	assert_int_equal(a.verdict, NET_DROP_NO_LEASE);
	assert_int_equal(lease(s, 0, 10), IP(10, 0, 2, 23));
	/* What it has it can go on with, and what has ended counts no more. */
	assert_int_equal(offered_at(s, 30 * NS_PER_S, 9, 0, &verdict), IP(10, 0, 2, 15));
	assert_int_not_equal(offered_at(s, 60 * NS_PER_S, 9, 100, &verdict), 0);
	for (unsigned client = 0; client < 30; client++) { /* another port has its own limit */
		start(&r, DHCP_DISCOVER, 400 + client);
		r.from = 11;
		r.leases = 20;
		assert_int_equal(ask(s, 60 * NS_PER_S, &r, &a), client < 20);
	}
}

/* An address that was declined is out of use, and is one of those that its port may have. */
static void declining_does_not_use_up_the_addresses(void **state)
{
	struct dhcp_server *s = *state;
	enum net_verdict verdict;
	struct request r;
	struct answer a;
	uint32_t address;
	unsigned declined = 0;

	while ((address = offered_at(s, 0, 9, declined, &verdict))) {
		start(&r, DHCP_DECLINE, declined++);
		r.from = 9;
		put_address(&r, 50, address);
		assert_false(ask(s, 0, &r, &a));
		assert_int_equal(a.verdict, NET_FORWARD);
	}
	assert_int_equal(declined, DHCP_PORT_LEASES);
	assert_int_equal(offered_at(s, 599 * NS_PER_S, 9, 1, &verdict), 0);
	assert_int_not_equal(offered_at(s, 600 * NS_PER_S, 9, 1, &verdict), 0);
}

static void a_lease_is_its_clients_at_whatever_port_that_comes_back(void **state)
{
	struct dhcp_server *s = *state;
	enum net_verdict verdict;

	assert_int_equal(lease(s, 0, 1), IP(10, 0, 2, 15));
	assert_int_equal(lease(s, 0, 2), IP(10, 0, 2, 16));
	/* The same MAC at two ports is two clients. */
	assert_int_equal(offered_at(s, 1, 7, 1, &verdict), IP(10, 0, 2, 17));
	assert_int_equal(offered_at(s, 1, 1, 1, &verdict), IP(10, 0, 2, 15));
	dhcp_forget(s, 1, 7);
	dhcp_forget(s, 1, 1);
	assert_int_equal(dhcp_list(s, 1, NULL, 0), 2);
	assert_int_equal(request(s, 1, 3, IP(10, 0, 2, 15), 0, 0), DHCP_NAK);
	assert_int_equal(offered_at(s, 1, 5, 2, &verdict), IP(10, 0, 2, 18));
	assert_int_equal(request(s, 1, 2, 0, IP(10, 0, 2, 16), 0), DHCP_ACK);
	dhcp_forget(s, 1, 2);
	assert_int_equal(offered_at(s, 2, 6, 2, &verdict), IP(10, 0, 2, 16));
}

/* Kept for ports that come back, but not while another goes without. */
static void leases_of_ports_that_have_gone_are_given_away_last(void **state)
{
	struct dhcp_config config = nat_config;
	struct dhcp_server *s;

	(void)state;
	config.prefix = 28;
	config.port_leases = 1;
	assert_int_equal(dhcp_new(&s, &config, NULL), 0);
	for (unsigned i = 0; i < 12; i++)
		assert_int_not_equal(lease(s, i, i), 0);
	assert_int_equal(offered(s, 100, 100), 0);
	dhcp_forget(s, 100, 7);
	dhcp_forget(s, 100, 6);
	assert_int_equal(lease(s, 100, 6), lease(s, 100, 6));
	assert_int_not_equal(offered(s, 100, 100), 0);
	assert_int_equal(offered(s, 100, 101), 0);
	assert_int_equal(offered(s, 100, 7), 0);
	dhcp_free(s);
}

static void leases_are_listed_until_they_end(void **state)
{
	struct dhcp_server *s = *state;
	struct dhcp_lease_info info[2];
	struct request r;
	struct answer a;

	start(&r, DHCP_DISCOVER, 1);
	assert_true(ask(s, 0, &r, &a));
	assert_int_equal(dhcp_list(s, 0, info, 2), 0); /* offered is not leased */
	start(&r, DHCP_REQUEST, 1);
	put_address(&r, 50, IP(10, 0, 2, 15));
	put_option(&r, 12, "we\x1b[b \xc3\xa4", 8);
	assert_true(ask(s, 0, &r, &a));
	assert_int_equal(request(s, 0, 2, IP(10, 0, 2, 9), 0, 0), DHCP_ACK);

	assert_int_equal(dhcp_list(s, 100 * NS_PER_S, NULL, 0), 2);
	assert_int_equal(dhcp_list(s, 100 * NS_PER_S, info, 2), 2);
	assert_int_equal(info[0].address, IP(10, 0, 2, 9));
	assert_string_equal(info[0].hostname, "");
	assert_int_equal(info[1].address, IP(10, 0, 2, 15));
	assert_int_equal(info[1].remaining_s, 3500);
	assert_memory_equal(info[1].mac, "\x52\x54\0\0\0\1", 6);
	assert_string_equal(info[1].hostname, "we?[b???");
	assert_int_equal(info[1].port, r.from);
	dhcp_forget(s, 100 * NS_PER_S, r.from);
	assert_int_equal(dhcp_list(s, 100 * NS_PER_S, info, 2), 2);
	assert_int_equal(info[1].port, DHCP_NO_PORT);
	assert_int_equal(dhcp_list(s, 3600 * NS_PER_S, info, 2), 0);

	/* The address's next owner has not the last one's name. */
	assert_int_equal(request(s, 3600 * NS_PER_S, 7, IP(10, 0, 2, 15), 0, 0), DHCP_ACK);
	assert_int_equal(dhcp_list(s, 3601 * NS_PER_S, info, 2), 1);
	assert_string_equal(info[0].hostname, "");
}

static void full_pool_offers_nothing(void **state)
{
	struct dhcp_config config = nat_config;
	struct dhcp_server *s;
	bool seen[16] = { false };

	(void)state;
	config.prefix = 28;
	assert_int_equal(dhcp_new(&s, &config, NULL), 0);
	/* 16 addresses less network, broadcast, the switch and its DNS. */
	for (unsigned i = 0; i < 12; i++) {
		uint32_t address = lease(s, i, i);

		assert_in_range(address, IP(10, 0, 2, 1), IP(10, 0, 2, 14));
		assert_int_not_equal(address, IP(10, 0, 2, 2));
		assert_int_not_equal(address, IP(10, 0, 2, 3));
		assert_false(seen[address & 15]);
		seen[address & 15] = true;
	}
	assert_int_equal(offered(s, 0, 100), 0);
	/* The one that ended first goes first. */
	assert_int_equal(offered(s, 3600 * NS_PER_S + 11, 100), IP(10, 0, 2, 1));
	/* An offer that nobody takes up ends after a minute. */
	assert_int_equal(offered(s, 3661 * NS_PER_S + 11, 101), IP(10, 0, 2, 4));
	dhcp_free(s);
}

/* Who was saved and is loaded asks nobody. */
static void who_goes_on_has_its_address(void **state)
{
	struct dhcp_server *s = *state;
	struct dhcp_lease_info info;

	assert_int_equal(lease(s, 0, 1), IP(10, 0, 2, 15));
	assert_int_equal(dhcp_go_on(s, 0, 5, mac_of(1)), 0); /* its port is there */
	dhcp_forget(s, 0, 1);
	assert_int_equal(dhcp_address_of(s, 0, 5, mac_of(1)), 0);
	assert_int_equal(dhcp_go_on(s, 0, 5, mac_of(2)), 0);
	assert_int_equal(dhcp_go_on(s, 3600 * NS_PER_S, 5, mac_of(1)), 0); /* over */
	assert_int_equal(dhcp_go_on(s, 1, 5, mac_of(1)), IP(10, 0, 2, 15));
	assert_int_equal(dhcp_address_of(s, 1, 5, mac_of(1)), IP(10, 0, 2, 15));
	assert_int_equal(dhcp_list(s, 1, &info, 1), 1);
	assert_int_equal(info.port, 5);
	assert_int_equal(dhcp_go_on(s, 1, 6, mac_of(1)), 0);
}

static void large_networks_are_bounded(void **state)
{
	struct dhcp_config config = nat_config;
	struct dhcp_lease_info info;
	struct dhcp_server *s;

	(void)state;
	config.prefix = 8;
	assert_int_equal(dhcp_new(&s, &config, NULL), 0);
	assert_int_equal(lease(s, 0, 0), IP(10, 0, 0, 15));
	for (unsigned i = 1; i < 5000; i++)
		request(s, 0, i, IP(10, 0, 0, 15) + i, 0, 0);
	/* 4096 addresses from .15 on, less the switch and its DNS. */
	assert_int_equal(dhcp_list(s, 1, &info, 1), DHCP_LEASES_MAX - 2);
	assert_int_equal(offered(s, 1, 6000), 0);
	dhcp_free(s);
}

/* Wherever it is in them. */
static void large_networks_have_their_pool(void **state)
{
	struct dhcp_config config = nat_config;
	struct dhcp_server *s;

	(void)state;
	config.prefix = 8;
	config.settings.pool = (struct dhcp_pool){ IP(10, 200, 0, 1), IP(10, 200, 0, 2) };
	assert_int_equal(dhcp_new(&s, &config, NULL), 0);
	assert_int_equal(lease(s, 0, 0), IP(10, 200, 0, 1));
	assert_int_equal(lease(s, 0, 1), IP(10, 200, 0, 2));
	assert_int_equal(lease(s, 0, 2), 0);
	dhcp_free(s);
}

static void wrong_settings_have_causes(void **state)
{
	static const struct { uint32_t address; uint8_t prefix; } bad[] = {
		{ IP(10, 0, 2, 0), 24 }, { IP(10, 0, 2, 255), 24 }, { IP(10, 0, 2, 2), 31 },
		{ IP(10, 0, 2, 2), 7 }, { IP(10, 0, 2, 4), 30 }, { IP(10, 0, 2, 2), 0 },
	};
	static const struct dhcp_pool pools[] = {
		{ IP(10, 0, 3, 10), IP(10, 0, 3, 20) }, { IP(10, 0, 2, 200), IP(10, 0, 2, 255) },
		{ IP(10, 0, 2, 0), IP(10, 0, 2, 9) }, { IP(10, 0, 1, 255), IP(10, 0, 2, 9) },
	};
	struct dhcp_config config = nat_config;
	struct dhcp_server *s;
	struct cause cause;

	(void)state;
	for (unsigned i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
		config.settings.pool = pools[i];
		assert_int_equal(dhcp_new(&s, &config, &cause), -EINVAL);
		assert_non_null(strstr(cause.text, "pool: its addresses are not all of hosts in the "
						   "switch's network, 10.0.2.0/24"));
	}
	config.settings.pool = (struct dhcp_pool){ 0 };
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cause.text[0] = '\0';
		config.address = bad[i].address;
		config.prefix = bad[i].prefix;
		assert_int_equal(dhcp_new(&s, &config, &cause), -EINVAL);
		assert_null(s);
		assert_string_not_equal(cause.text, "");
	}
}

static void malformed_requests_are_ignored(void **state)
{
	struct dhcp_server *s = *state;
	enum net_verdict verdict;
	struct request r;
	uint8_t reply[DHCP_REPLY_MAX];
	static const struct { unsigned at; uint8_t value; } bad[] = {
		{ 14, 0x44 }, { 14, 0x65 }, { 16, 0xff }, { 20, 0x20 }, { 20, 0x1f },
		{ 30, 9 },	      /* to another host */
		{ 38, 0xff }, { 39, 7 },
		{ 42, 2 },	      /* a reply */
		{ 43, 6 }, { 44, 16 }, /* not Ethernet */
		{ 42 + 24, 10 },      /* by a relay */
		{ 42 + 28, 0x53 },    /* from a group */
		{ 42 + 236, 0 },      /* no cookie */
		{ OPTIONS_AT, 52 },   /* no type */
		{ OPTIONS_AT + 1, 9 }, { OPTIONS_AT + 2, 0 }, { OPTIONS_AT + 2, 99 },
		{ OPTIONS_AT + 2, DHCP_OFFER },
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start(&r, DHCP_DISCOVER, 1);
		finish(&r);
		r.frame[bad[i].at] = bad[i].value;
		assert_int_equal(dhcp_input(s, 0, 1, 0, r.frame, r.size, reply, &verdict), 0);
	}
	assert_int_equal(dhcp_list(s, 0, NULL, 0), 0);
	start(&r, DHCP_DISCOVER, 1);
	finish(&r);
	for (size_t size = 0; size < r.size; size++) {
		uint8_t *exact = malloc(size ? size : 1); /* a read beyond it is seen */

		memcpy(exact, r.frame, size);
		dhcp_is_request(exact, size, size);
		assert_int_equal(dhcp_input(s, 0, 1, 0, exact, size, reply, &verdict), 0);
		free(exact);
	}
}

static uint32_t random_next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void mutated_requests_do_no_harm(void **state)
{
	struct dhcp_server *s = *state;
	uint32_t seed = 20240229;
	struct dhcp_lease_info info[256];
	uint64_t now = 0;
	size_t count;

	for (unsigned round = 0; round < 20000; round++) {
		uint8_t reply[DHCP_REPLY_MAX], *exact;
		enum net_verdict verdict;
		struct request r;
		size_t n;

		start(&r, (uint8_t)(1 + random_next(&seed) % 8), random_next(&seed) % 300);
		put_be32(r.frame + 42 + 12, random_next(&seed) % 2 ? 0 :
			 IP(10, 0, 2, 0) + random_next(&seed) % 256);
		put_address(&r, 50, IP(10, 0, 2, 0) + random_next(&seed) % 256);
		put_option(&r, 12, r.frame, (uint8_t)random_next(&seed));
		put_option(&r, 61, r.frame, (uint8_t)random_next(&seed));
		finish(&r);
		for (n = random_next(&seed) % 4; n; n--)
			r.frame[random_next(&seed) % r.size] = (uint8_t)random_next(&seed);
		n = random_next(&seed) % 4 ? r.size : random_next(&seed) % r.size;
		exact = malloc(n ? n : 1);
		memcpy(exact, r.frame, n);
		assert_true(dhcp_input(s, now, r.from, 0, exact, n, reply, &verdict) <= DHCP_REPLY_MAX);
		if (round % 64 == 0)
			dhcp_forget(s, now, random_next(&seed) % 300);
		free(exact);
		now += random_next(&seed) % 4 * NS_PER_S;
	}
	count = dhcp_list(s, now, info, 256);
	assert_in_range(count, 1, 252);
	for (size_t i = 1; i < count; i++)
		assert_true(info[i - 1].address < info[i].address);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(info[i].mac, info[j].mac, 6);
}

/* Of a port's leases its own MAC's counts, not that of a guest within the guest. */
static void the_address_of_a_port_is_its_own_macs(void **state)
{
	struct dhcp_server *s = *state;
	struct request r;
	struct answer a;

	for (unsigned client = 2; client; client--) {
		start(&r, DHCP_DISCOVER, client);
		put_option(&r, 80, "", 0);
		r.from = 5;
		assert_true(ask(s, 0, &r, &a));
		assert_int_equal(dhcp_address_of(s, 0, 5, mac_of(1)), a.m.yiaddr);
	}
	assert_int_equal(dhcp_address_of(s, 0, 5, mac_of(2)), IP(10, 0, 2, 15));
}

/* A server with these settings; each is text for its parser. */
static struct dhcp_server *server_with(const char *pool, const char *dns, const char *domain,
				       const char *search, const char *ntp, const char *routes)
{
	struct dhcp_config config = nat_config;
	struct dhcp_settings *set = &config.settings;
	char fault[200];
	struct dhcp_server *s;

	set->mtu = 1450;
	assert_int_equal(pool ? dhcp_parse_pool(&set->pool, pool, fault, sizeof(fault)) : 0, 0);
	assert_int_equal(dhcp_parse_addresses(&set->dns, dns, fault, sizeof(fault)), 0);
	assert_int_equal(dhcp_parse_domain(set->domain, domain, fault, sizeof(fault)), 0);
	assert_int_equal(dhcp_parse_search(&set->search, search, fault, sizeof(fault)), 0);
	assert_int_equal(dhcp_parse_addresses(&set->ntp, ntp, fault, sizeof(fault)), 0);
	assert_int_equal(dhcp_parse_routes(&set->routes, routes, fault, sizeof(fault)), 0);
	assert_int_equal(dhcp_new(&s, &config, NULL), 0);
	return s;
}

static void clients_are_told_what_is_set(void **state)
{
	/* RFC 2132 §3.17, §5.1, §8.3; RFC 3397 §2; RFC 3442: a way out is one of the routes. */
	static const uint8_t told[] = {
		6, 8, 10, 0, 2, 9, 1, 1, 1, 1, 28, 4, 10, 0, 2, 255,
		15, 7, 'l', 'a', 'b', '.', 'o', 'r', 'g', 26, 2, 0x05, 0xaa,
		121, 29, 24, 192, 168, 7, 10, 0, 2, 9, 9, 10, 128, 10, 0, 2, 8,
		32, 9, 9, 9, 9, 10, 0, 2, 7, 0, 10, 0, 2, 2,
		119, 14, 3, 'l', 'a', 'b', 0, 1, 'a', 1, 'b', 3, 'c', 'd', 'e', 0, 42, 4, 10, 0, 2, 10,
		255,
	};
	struct dhcp_server *s;
	struct request r;
	struct answer a;
	uint8_t id[255] = { 0 };

	(void)state;
	s = server_with(NULL, "10.0.2.9, 1.1.1.1", "lab.org", "lab a.b.cde", "10.0.2.10",
			"192.168.7.0/24 via 10.0.2.9, 10.128.0.0/9 via 10.0.2.8 , "
			"9.9.9.9/32 via 10.0.2.7");
	start(&r, DHCP_DISCOVER, 1);
	assert_true(ask(s, 0, &r, &a));
	assert_memory_equal(a.frame + OPTIONS_AT + 27, told, sizeof(told));
	/* Who has no room for all of it is told what matters most (RFC 2131 §2). */
	start(&r, DHCP_DISCOVER, 1);
	put_option(&r, 61, id, sizeof(id));
	assert_true(ask(s, 0, &r, &a));
	assert_in_range(a.size, 42 + 500, 42 + 548);
	assert_int_equal(a.m.client_id_size, sizeof(id));
	assert_int_equal(a.m.dns, IP(10, 0, 2, 9));
	start(&r, DHCP_DISCOVER, 1);
	put_option(&r, 61, id, sizeof(id));
	put_option(&r, 57, "\x05\xdc", 2);
	assert_true(ask(s, 0, &r, &a));
	assert_int_equal(a.size, OPTIONS_AT + 27 + 16 + 257 + sizeof(told) - 16);
	dhcp_free(s);
}

static void settings_that_are_none_are_mistakes(void **state)
{
	static const struct {
		int (*parse)(void *out, const char *text, char *fault, size_t room);
		const char *good, *bad[8];
	} cases[] = {
		{ dhcp_parse_pool, "10.0.2.100 - 10.0.2.199",
		  { "10.0.2.100", "10.0.2.199-10.0.2.100", "10.0.2.1-", "-10.0.2.1",
		    "10.0.2.1-10.0.2.2 x", "127.0.0.1-127.0.0.2" } },
		{ dhcp_parse_addresses, "10.0.2.9,10.0.2.8 10.0.2.7",
		  { "10.0.2", "10.0.2.9 x", "0.0.0.0", "224.0.0.1", "::1",
		    "1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5" } },
		{ dhcp_parse_domain, "a_b.example", { "a..b", ".a", "a.", "-a", "a b", "a\x80" } },
		{ dhcp_parse_search, "lab, example.org",
		  { "a..b", "lab; b", "lab b.",
		    "a123456789012345678901234567890123456789012345678901234567890123" } },
		{ dhcp_parse_routes, "0.0.0.0/0 via 10.0.2.9",
		  { "10.0.0.0/33 via 10.0.2.9", "10.0.0.1/8 via 10.0.2.9", "10.0.0.0 via 10.0.2.9",
		    "10.0.0.0/8 to 10.0.2.9", "10.0.0.0/8 via", "10.0.0.0/8 via 10.0.2.9 x",
		    "10.0.0.0/8 via 10.0.2.9,", "10.0.0.0/+8 via 10.0.2.9" } },
		{ dhcp_parse_address, "10.0.2.50", { "10.0.2", "10.0.2.50/24", "255.255.255.255" } },
	};
	static struct dhcp_settings room;
	char fault[200];

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&room, 0, sizeof(room));
		assert_int_equal(cases[i].parse(&room, cases[i].good, fault, sizeof(fault)), 0);
		for (unsigned n = 0; n < 8 && cases[i].bad[n]; n++) {
			memset(&room, 0, sizeof(room));
			assert_int_equal(cases[i].parse(&room, cases[i].bad[n], fault,
							sizeof(fault)), -EINVAL);
			assert_true(strlen(fault) > 20);
		}
	}
}

static void a_pool_is_for_those_without_an_address_of_their_own(void **state)
{
	static const uint8_t mine[] = { 0x52, 0x54, 0, 0, 0, 7 }, other[] = { 0x52, 0x54, 0, 0, 0, 8 };
	struct dhcp_server *s;

	(void)state;
	s = server_with("10.0.2.100-10.0.2.101", "10.0.2.9", "lab", "lab", "10.0.2.9",
			"0.0.0.0/0 via 10.0.2.9");
	assert_int_equal(dhcp_reserve(s, 7, mine, IP(10, 0, 2, 50)), 0);
	assert_int_equal(dhcp_reserve(s, 8, other, IP(10, 0, 2, 50)), -EEXIST);
	assert_int_equal(dhcp_reserve(s, 8, other, IP(10, 0, 2, 2)), -EINVAL);
	assert_int_equal(dhcp_reserve(s, 8, other, IP(10, 0, 3, 1)), -EINVAL);
	assert_int_equal(request(s, 0, 1, IP(10, 0, 2, 50), 0, 0), DHCP_NAK);
	assert_int_equal(request(s, 0, 1, IP(10, 0, 2, 60), 0, 0), DHCP_NAK);
	assert_int_equal(lease(s, 0, 1), IP(10, 0, 2, 100));
	assert_int_equal(lease(s, 0, 7), IP(10, 0, 2, 50));
	assert_int_equal(lease(s, 0, 2), IP(10, 0, 2, 101));
	assert_int_equal(lease(s, 0, 3), 0);
	/* Another one is had from the next question on, and the former is free then. */
	assert_int_equal(dhcp_reserve(s, 7, mine, IP(10, 0, 2, 51)), 0);
	assert_int_equal(request(s, 0, 7, 0, IP(10, 0, 2, 50), 0), DHCP_NAK);
	assert_int_equal(lease(s, 0, 7), IP(10, 0, 2, 51));
	assert_int_equal(dhcp_reserve(s, 8, other, IP(10, 0, 2, 50)), 0);
	assert_int_equal(lease(s, 0, 8), IP(10, 0, 2, 50));
	/* What is reserved for a port that is no more is so for its MAC until another one asks. */
	dhcp_forget(s, 0, 7);
	assert_int_equal(request(s, 0, 1, IP(10, 0, 2, 51), 0, 0), DHCP_NAK);
	assert_int_equal(dhcp_reserve(s, 9, mac_of(9), IP(10, 0, 2, 51)), 0);
	assert_int_equal(lease(s, 0, 9), IP(10, 0, 2, 51));
	assert_int_equal(dhcp_reserve(s, 9, mac_of(9), 0), 0);
	assert_int_equal(dhcp_reserve(s, 10, mac_of(10), IP(10, 0, 2, 51)), 0);
	dhcp_free(s);
}

static void a_client_in_a_hurry_has_its_address_at_once(void **state)
{
	struct dhcp_server *s = *state;
	struct request r;
	struct answer a;

	start(&r, DHCP_DISCOVER, 1);
	put_option(&r, 80, "", 0);
	assert_true(ask(s, 0, &r, &a));
	assert_int_equal(a.m.type, DHCP_ACK);
	assert_true(a.m.rapid);
	assert_int_equal(dhcp_address_of(s, 0, 1, mac_of(1)), a.m.yiaddr);
}

/* RFC 4702 §3.1 and §4: no name is entered; its first label is the guest's. */
static void names_of_clients_are_theirs(void **state)
{
	static const struct {
		const char *option, *name;
		uint8_t size, flags;
	} cases[] = {
		{ "\1\0\0web.lab", "web", 10, 0x0a },
		{ "\5\0\0\3web\3lab\0", "web", 12, 0x0e },
		{ "\0\0\0", "", 3, 0x08 },
		{ "\4\0\0\77a", "", 5, 0x0c },
	};
	struct dhcp_server *s = *state;
	struct dhcp_lease_info info;

	for (unsigned i = 0; i < 4; i++) {
		struct request r;
		struct answer a;

		start(&r, DHCP_REQUEST, 1);
		put_address(&r, 50, IP(10, 0, 2, 15));
		put_option(&r, 81, cases[i].option, cases[i].size);
		assert_true(ask(s, 0, &r, &a));
		assert_int_equal(a.m.type, DHCP_ACK);
		assert_int_equal(a.m.fqdn_size, cases[i].size);
		assert_int_equal(a.m.fqdn[0], cases[i].flags);
		assert_int_equal(a.m.fqdn[1], 255);
		assert_memory_equal(a.m.fqdn + 3, cases[i].option + 3, cases[i].size - 3u);
		assert_int_equal(dhcp_list(s, 0, &info, 1), 1);
		if (*cases[i].name)
			assert_string_equal(info.hostname, cases[i].name);
	}
}

static void relays_are_refused_by_name(void **state)
{
	struct request r;
	struct answer a;

	start(&r, DHCP_DISCOVER, 1);
	put_be32(r.frame + 42 + 24, IP(10, 0, 2, 77));
	assert_false(ask(*state, 0, &r, &a));
	assert_int_equal(a.verdict, NET_DROP_RELAYED);
}

/* A host with an address of its own is seen by its ARP. */
static void what_somebody_uses_is_not_offered(void **state)
{
	static const uint8_t fixed[NET_MAC_SIZE] = { 2, 0, 0, 0, 9, 9 };
	struct dhcp_server *s = *state;
	struct dhcp_lease_info info[4];
	uint64_t later = 599 * NS_PER_S;
	uint32_t given;
	uint8_t mac[NET_MAC_SIZE];

	dhcp_saw(s, 0, 7, 0, fixed, IP(10, 0, 2, 15));
	assert_int_equal(dhcp_list(s, 0, info, 4), 0);
	assert_int_equal(offered(s, 0, 1), IP(10, 0, 2, 16));
	assert_int_equal(request(s, 0, 2, IP(10, 0, 2, 15), 0, 0), DHCP_NAK);
	assert_int_equal(request(s, later, 2, IP(10, 0, 2, 15), 0, 0), DHCP_NAK);
	assert_int_equal(request(s, 600 * NS_PER_S, 3, IP(10, 0, 2, 15), 0, 0), DHCP_ACK);

	/* What is given stays, whoever says that it is his; and a client's own is its own. */
	given = lease(s, later, 4);
	dhcp_saw(s, later, 7, 0, fixed, given);
	assert_int_equal(request(s, later, 4, given, 0, 0), DHCP_ACK);
	memcpy(mac, mac_of(5), sizeof(mac));
	dhcp_saw(s, later, 5, 0, mac, IP(10, 0, 2, 40));
	assert_int_equal(request(s, later, 6, IP(10, 0, 2, 40), 0, 0), DHCP_NAK);
	assert_int_equal(request(s, later, 5, IP(10, 0, 2, 40), 0, 0), DHCP_ACK);

	/* Addresses of nobody are nothing, and a port cannot use up all. */
	dhcp_saw(s, 0, 7, 0, fixed, 0);
	dhcp_saw(s, 0, 7, 0, fixed, IP(10, 0, 2, 2));
	dhcp_saw(s, 0, 7, 0, fixed, IP(10, 0, 2, 255));
	dhcp_saw(s, 0, 7, 0, fixed, IP(192, 168, 1, 1));
	for (unsigned i = 0; i < 200; i++)
		dhcp_saw(s, later, 7, 0, fixed, IP(10, 0, 2, 50) + i);
	assert_int_equal(request(s, later, 8, IP(10, 0, 2, 100), 0, 0), DHCP_ACK);
	dhcp_forget(s, later, 7);
	assert_int_equal(request(s, later, 9, IP(10, 0, 2, 50), 0, 0), DHCP_ACK);
}

static void leases_of_before_are_their_clients(void **state)
{
	struct dhcp_lease_info info = { .mac = { 0x52, 0x54, 0, 0, 0, 3 }, .hostname = "web",
					.address = IP(10, 0, 2, 44), .remaining_s = 60 };
	struct dhcp_server *s = *state;

	dhcp_restore(s, 0, &info);
	info.address = IP(10, 0, 3, 44); /* of another network */
	dhcp_restore(s, 0, &info);
	assert_int_equal(lease(s, 0, 1), IP(10, 0, 2, 15));
	assert_int_equal(lease(s, 0, 3), IP(10, 0, 2, 44));
	assert_int_equal(dhcp_list(s, 0, &info, 1), 2);
	assert_int_equal(dhcp_address_of(s, 0, 3, mac_of(3)), IP(10, 0, 2, 44));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(offer_has_these_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_go_where_the_client_can_hear_them, setup,
						teardown),
		cmocka_unit_test_setup_teardown(client_identifier_comes_back, setup, teardown),
		cmocka_unit_test(switch_without_uplink_tells_no_router),
		cmocka_unit_test_setup_teardown(addresses_stick_to_their_clients, setup, teardown),
		cmocka_unit_test_setup_teardown(requests_by_the_client_s_state, setup, teardown),
		cmocka_unit_test_setup_teardown(release_and_decline, setup, teardown),
		cmocka_unit_test_setup_teardown(a_message_speaks_for_its_sender_alone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_port_has_no_more_leases_than_its_limit, setup,
						teardown),
		cmocka_unit_test_setup_teardown(declining_does_not_use_up_the_addresses, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_lease_is_its_clients_at_whatever_port_that_comes_back, setup, teardown),
		cmocka_unit_test(leases_of_ports_that_have_gone_are_given_away_last),
		cmocka_unit_test_setup_teardown(leases_are_listed_until_they_end, setup, teardown),
		cmocka_unit_test(full_pool_offers_nothing),
		cmocka_unit_test(large_networks_have_their_pool),
		cmocka_unit_test_setup_teardown(who_goes_on_has_its_address, setup, teardown),
		cmocka_unit_test(large_networks_are_bounded),
		cmocka_unit_test(wrong_settings_have_causes),
		cmocka_unit_test(clients_are_told_what_is_set),
		cmocka_unit_test(settings_that_are_none_are_mistakes),
		cmocka_unit_test(a_pool_is_for_those_without_an_address_of_their_own),
		cmocka_unit_test_setup_teardown(a_client_in_a_hurry_has_its_address_at_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(names_of_clients_are_theirs, setup, teardown),
		cmocka_unit_test_setup_teardown(the_address_of_a_port_is_its_own_macs, setup,
						teardown),
		cmocka_unit_test_setup_teardown(relays_are_refused_by_name, setup, teardown),
		cmocka_unit_test_setup_teardown(what_somebody_uses_is_not_offered, setup, teardown),
		cmocka_unit_test_setup_teardown(leases_of_before_are_their_clients, setup, teardown),
		cmocka_unit_test_setup_teardown(malformed_requests_are_ignored, setup, teardown),
		cmocka_unit_test_setup_teardown(mutated_requests_do_no_harm, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
